/** A class label in the address; undefined where there is none, or something else. */
export function labelIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

/** One image with what a run answered. */
export interface AnswerRow {
  image: number;
  /** Labels. */
  truth: number;
  predicted: number;
  /** Probability of the answer. */
  confidence: number;
  /** Probability of the true class, where it is known. */
  trueProbability?: number;
}
