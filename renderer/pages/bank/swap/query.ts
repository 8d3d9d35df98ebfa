/** What a swap preview shows, as it stands in the address. Pure, so that tests need no browser. */

export interface SwapQuery {
  /** The image whose foreground it is; undefined until one is chosen. */
  image: number | undefined;
  /** Undefined for the newest finished run. */
  run: number | undefined;
  /** Contexts that were chosen; empty where they are drawn. */
  contexts: readonly number[];
  /** How many are drawn, and the seed. */
  count: number;
  seed: number;
  lambdas: readonly number[];
  /** From where on a binary mask is all context; undefined for the mask as it is. */
  threshold: number | undefined;
}

/** As the service has it: most contexts and most strengths at once. */
export const MOST_CONTEXTS = 12;
export const MOST_LAMBDAS = 5;
const COUNT = 6;
const LAMBDAS: readonly number[] = [0.25, 0.5, 1];

/** Read the address; what is no number of the kind is passed over. */
export function swapQueryOf(query: Readonly<Record<string, string>>): SwapQuery {
  const lambdas = readLambdas(query.lambda ?? '');
  const threshold = Number(query.threshold);
  return {
    image: whole(query.image),
    run: whole(query.run),
    contexts: [...new Set((query.contexts ?? '').split(',').flatMap((text) => whole(text) ?? []))].slice(
      0,
      MOST_CONTEXTS,
    ),
    count: Math.min(MOST_CONTEXTS, whole(query.count) ?? COUNT),
    seed: whole(query.seed) ?? 1,
    lambdas: lambdas.length > 0 ? lambdas : LAMBDAS,
    threshold: threshold > 0 && threshold <= 1 ? threshold : undefined,
  };
}

/** Strengths from a person's text: "0.25, 1". Empty where it holds none, too many, or anything else. */
export function readLambdas(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  const values = parts.map((part) => (/^(?:0|1|[01]?\.\d{1,4})$/.test(part) ? Number(part) : NaN));
  const valid = values.length <= MOST_LAMBDAS && values.every((value) => value >= 0 && value <= 1);
  return valid ? [...new Set(values)] : [];
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}
