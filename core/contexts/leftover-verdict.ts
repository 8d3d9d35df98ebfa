/**
 * Why does a model still name the class of a context whose foreground is painted over? Three causes look alike to the check
 * (core/contexts/leftover.ts): parts of the object that are left, the outline of what was painted over, and a background that
 * the class usually has. They are told apart by looking at the context in two more ways, each held against the base rate of
 * its own way (the mean probability of the class by contexts of other classes, looked at alike):
 *
 * - *filled*: the hole is filled from what lies round it (fill-hole.ts), so it has no outline. A score that falls below
 *   `LEFTOVER_FROM` by this was the outline's.
 * - *grown*: filled, with the hole grown by `MARGIN` of the side. A score that falls by this alone came from next to the
 *   foreground, where a mask that is too tight leaves parts of the object.
 *
 * What is still named then is far from the foreground. The class's own other contexts, grown and filled, say whether it is
 * their background, too (*usual*: the mean of their scores): nothing of their objects is left in them.
 *
 * The thresholds were chosen on made pictures whose truth is known; `bench leftover-verdicts` judges them on others.
 */
import type { LeftoverVerdict } from '../storage/records.ts';
import { LEFTOVER_FROM } from './leftover.ts';

/** By how much of the model's input side a foreground is grown, at least by a pixel. */
const MARGIN = 0.125;

/** Least score of the class's other backgrounds from which they name the class. */
const USUAL_FROM = 0.25;

/** Scores, each -1 to 1: probability of the class less its base rate, looked at alike. */
export interface LeftoverEvidence {
  filled: number;
  grown: number;
  /** Mean over other contexts of the class, `grown`; null without any. */
  usual: number | null;
}

/** @param side of the model's input, pixels. @returns pixels */
export function marginOf(side: number): number {
  return Math.max(1, Math.round(MARGIN * side));
}

/** The most likely cause of a flagged context. */
export function verdictOf({ filled, grown, usual }: LeftoverEvidence): LeftoverVerdict {
  if (filled < LEFTOVER_FROM) return 'outline';
  if (grown < LEFTOVER_FROM) return 'leftover';
  return usual !== null && usual >= USUAL_FROM ? 'usual-background' : 'leftover';
}

/** The reason of a verdict, and what it asks for, in one sentence. */
export function verdictInWords(verdict: LeftoverVerdict, className: string): string {
  switch (verdict) {
    case 'leftover':
      return `What is taken for ${className} lies in this context, and not in the backgrounds of the class: look for parts of the object.`;
    case 'usual-background':
      return `Other contexts of ${className} are named by their backgrounds, too; whether parts of the object are left besides, this model cannot tell.`;
    case 'outline':
      return `With the hole filled, ${className} is no longer named: it was known by the shape of what is painted over, and the context is fine.`;
  }
}
