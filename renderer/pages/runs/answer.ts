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
