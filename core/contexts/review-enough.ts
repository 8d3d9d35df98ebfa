/**
 * When a review may stop: when, of the contexts looked at last, so few were corrected or rejected that with 95 % confidence
 * fewer than `TOLERATED` of all such contexts would be (upper end of Wilson's interval, so the true level is 97.5 %).
 *
 * It assumes that those left are no worse than those looked at last. In the order by gain (`review-order.ts`) they are
 * better, so the bound is on the safe side; in an order that puts good ones first it is not. Looking at the rule after
 * each decision makes it stop a little early now and then: the level is nominal.
 */
import { wilson } from '../evaluation/intervals.ts';
import { percent } from '../evaluation/sentences.ts';
import type { Decision } from '../storage/project-store.ts';
import { isChange } from './review-order.ts';

/** Share of contexts left that may be wrong. */
export const TOLERATED = 0.1;

/** So many decisions, the newest, are what the rule looks at: those before were of other masks. */
export const WINDOW = 100;

export interface Verdict {
  enough: boolean;
  /** Why, and what is missing. */
  sentence: string;
}

/**
 * @param looked decisions, newest first (`lookedAt`)
 * @param undecided contexts that are left
 */
export function judge(looked: readonly Decision[], undecided: number): Verdict {
  if (undecided === 0) return { enough: true, sentence: 'Every context is decided on.' };
  const window = looked.slice(0, WINDOW);
  const changed = window.filter(isChange).length;
  const bound = wilson(changed, window.length)?.high ?? 1;
  if (bound < TOLERATED) {
    const were = `Of the last ${window.length} that were looked at ${changed} ${changed === 1 ? 'was' : 'were'} corrected or rejected`;
    const left = `${undecided === 1 ? 'the one' : `the ${undecided}`} left`;
    return {
      enough: true,
      sentence: `You can stop here. ${were}, so with 95 % confidence fewer than ${percent(bound)} of ${left} would be, if they are no worse.`,
    };
  }
  const missing = unchangedNeeded(changed, window.length);
  const so = window.length === 0 ? 'None was looked at yet' : `${changed} of the last ${window.length} were changed`;
  return {
    enough: false,
    sentence:
      missing === null || missing >= undecided
        ? `${so}: look at all ${undecided} that are left.`
        : `${so}: after ${missing} more without a change you could stop.`,
  };
}

/** Looks without a change until the rule holds; null when the window is too small for that. */
function unchangedNeeded(changed: number, seen: number): number | null {
  for (let more = 1; seen + more <= WINDOW; more++) {
    if (wilson(changed, seen + more)!.high < TOLERATED) return more;
  }
  return null;
}
