/**
 * Which context is worth a person's look next:
 *
 *     gain = doubt x rarity x used x changed
 *
 * - doubt of the mask, 0 to 1: mean over the saliency's cells of 2 min(s, 1 - s) with s = (1 - A)^2, the soft mask. It is
 *   twice the mean distance between the soft mask and the same one cut at half, so 0 where every pixel is plainly context
 *   or plainly not, and 1 where all lie at one half. (Distance to the nearest decision as uncertainty: Lewis and Gale, "A
 *   sequential algorithm for training text classifiers", SIGIR 1994.) It is of the saliency whatever rule made the mask,
 *   because a cut mask hides it; a mask that a person made is not in doubt.
 * - rarity of the class, 0 to 1: sqrt(n_min / n), of training images. Square roots of class counts are the usual
 *   compromise between counting images and counting classes (Mahajan et al., "Exploring the limits of weakly supervised
 *   pretraining", arXiv 1805.00932).
 * - used: p(true class). A context of a picture that the model did not know is of no use (method.md 2.2), and its
 *   saliency shows nothing.
 * - changed, 0 to 1: how likely it is that a look changes anything, (k + 1) / (m + 2) by Laplace's rule of succession when
 *   k of the last m contexts of the class that were looked at were corrected or rejected.
 *
 * The product is the expected number of useful corrections, up to a factor; it is an order, not a probability.
 */
import type { GreyImage } from '../data/decode.ts';
import type { Decision } from '../storage/project-store.ts';

/** Doubt of a saliency map, 0 to 1. @param saliency on its own grid; 0 … 255 stands for 0 … 1 */
export function saliencyDoubt({ data }: GreyImage): number {
  let sum = 0;
  for (const value of data) {
    const soft = (1 - value / 255) ** 2;
    sum += 2 * Math.min(soft, 1 - soft);
  }
  return sum / data.length;
}

/**
 * rarity x changed of each class.
 * @param classes with their training images; those without any are weighed like those with one
 * @param looked decisions that a person made one by one, newest first
 */
export function classWeights(
  classes: readonly { id: number; train: number }[],
  looked: readonly Decision[],
): [classId: number, weight: number][] {
  const least = Math.max(1, Math.min(...classes.map(({ train }) => train)));
  const changes = changesByClass(looked);
  return classes.map(({ id, train }) => {
    const { seen, changed } = changes.get(id) ?? { seen: 0, changed: 0 };
    return [id, Math.sqrt(least / Math.max(1, train)) * ((changed + 1) / (seen + 2))];
  });
}

/** Events, the newest, that say how good the masks of a class are. */
export const DECISIONS = 5000;

/** A step over more contexts than one screen shows is no look at each of them. */
const MOST_LOOKED_AT = 100;

/** Decisions that came from looking at the contexts. */
export function lookedAt(decisions: readonly Decision[]): Decision[] {
  return decisions.filter(({ together }) => together <= MOST_LOOKED_AT);
}

/** Whether a look changed anything. */
export function isChange({ state, corrected }: Decision): boolean {
  return state === 'rejected' || corrected;
}

function changesByClass(looked: readonly Decision[]): Map<number, { seen: number; changed: number }> {
  const changes = new Map<number, { seen: number; changed: number }>();
  for (const decision of looked) {
    const of = changes.get(decision.classId) ?? { seen: 0, changed: 0 };
    changes.set(decision.classId, of);
    of.seen++;
    if (isChange(decision)) of.changed++;
  }
  return changes;
}
