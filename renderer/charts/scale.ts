/** From counts to heights and back. Pure. */

export type ScaleKind = 'linear' | 'log';

/** Position of a count between 0 and `largest`, 0 to 1. Log is log(1 + count), so that nothing is at the bottom. */
export function position(count: number, largest: number, kind: ScaleKind): number {
  if (largest <= 0) return 0;
  return kind === 'log' ? Math.log1p(count) / Math.log1p(largest) : count / largest;
}

/** The whole count at a position. */
export function countAt(share: number, largest: number, kind: ScaleKind): number {
  const inside = Math.max(0, Math.min(1, share));
  return Math.round(kind === 'log' ? Math.expm1(inside * Math.log1p(largest)) : inside * largest);
}

/** A few round counts from 0 to `largest`. */
export function ticks(largest: number, kind: ScaleKind): number[] {
  if (largest <= 0) return [0];
  if (kind === 'log') {
    const result = [0];
    for (let tick = 1; tick <= largest; tick *= 10) result.push(tick);
    return result;
  }
  const rough = largest / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= rough) ?? rough);
  const result: number[] = [];
  for (let tick = 0; tick <= largest; tick += step) result.push(tick);
  return result;
}
