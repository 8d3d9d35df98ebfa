/** Two sides of the same work, run in turn, and what their ratios say. */

/** What a bench prints as its last line. */
export interface PairedResult {
  name: string;
  /** Median of our times or rates, in `unit`. */
  ours: number;
  peer: number;
  /** Median over the pairs of how many times faster ours is: above 1 is faster. */
  ratio: number;
  /** Least and greatest ratio of a pair. */
  spread: [least: number, greatest: number];
  unit: string;
  versions: Record<string, string>;
}

export interface Pairing {
  name: string;
  /** What both sides return, such as "ms a step" or "images/s". */
  unit: string;
  /** Whether a greater number is the better one: true for rates, false for times. */
  greaterIsBetter: boolean;
  versions: Record<string, string>;
  /** Pairs to run, at least five for a figure that is quoted. */
  pairs: number;
  ours: () => number | Promise<number>;
  peer: () => number | Promise<number>;
}

/** Run ours and the peer in turn, so that a change of the machine's mood meets both. */
export async function runPairs({
  name,
  unit,
  greaterIsBetter,
  versions,
  pairs,
  ours,
  peer,
}: Pairing): Promise<PairedResult> {
  const results: { ours: number; peer: number; ratio: number }[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    const mine = await ours();
    const other = await peer();
    results.push({ ours: mine, peer: other, ratio: greaterIsBetter ? mine / other : other / mine });
    console.error(`${name}, pair ${pair}: ours ${mine.toPrecision(4)}, peer ${other.toPrecision(4)} ${unit}`);
  }
  const ratios = results.map(({ ratio }) => ratio);
  return {
    name,
    ours: median(results.map((result) => result.ours)),
    peer: median(results.map((result) => result.peer)),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    unit,
    versions,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
