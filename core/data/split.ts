/** Dealing images to train, val and test, class by class. */
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { Split } from '../storage/records.ts';

export interface SplitShares {
  /** Shares of the dealt images, each from 0 to below 1, together below 1; the rest is for training. */
  val: number;
  test: number;
}

export interface SplitClass {
  name: string;
  /** The images to deal. */
  images: readonly { id: number; hash: string }[];
}

export interface SplitPlan {
  /** Images in each part, in the order given; a class too small for a part that was asked for has 0 there. */
  classes: { name: string; train: number; val: number; test: number }[];
  /** Split of each image dealt. */
  splits: Map<number, Split>;
}

/**
 * How many of a class's n distinct images go where: the nearest whole number to the share, but at least one in each part
 * asked for, as long as one is left to train on. So a class of three has one of each, two images give train and test
 * (train and val where no test is asked for), and a single image stays in train.
 */
export function partSizes(n: number, shares: SplitShares): Record<Split, number> {
  const wanted = (share: number): number => (share > 0 ? Math.max(1, Math.round(share * n)) : 0);
  const kept = shares.val > 0 && n >= 3 ? 2 : 1;
  const test = Math.min(wanted(shares.test), Math.max(0, n - kept));
  const val = Math.min(wanted(shares.val), Math.max(0, n - 1 - test));
  return { train: n - test - val, val, test };
}

/**
 * Stratified, seeded split. Images of identical content are dealt as one, in the class of the first of them, so that a
 * split never makes a leak. The deal depends on the seed, the class's name and the images' content, not on the order of
 * import or on other classes.
 * @throws UserError 'usage' for shares out of range
 */
export function planSplit(classes: readonly SplitClass[], shares: SplitShares, seed: number): SplitPlan {
  for (const [part, share] of Object.entries(shares)) {
    if (!(share >= 0 && share < 1)) {
      throw new UserError('usage', `The share for ${part} must be a number from 0 to below 1, got ${share}.`);
    }
  }
  if (shares.val + shares.test === 0) throw new UserError('usage', 'Ask for a share of val, of test or of both.');
  if (shares.val + shares.test >= 1) {
    throw new UserError('usage', 'The shares for val and test leave nothing to train on: make them smaller.');
  }
  const splits = new Map<number, Split>();
  const ownerOf = new Map<string, { name: string; ids: number[] }>();
  for (const { name, images } of classes) {
    for (const { id, hash } of images) {
      const owner = ownerOf.get(hash);
      if (owner) owner.ids.push(id);
      else ownerOf.set(hash, { name, ids: [id] });
    }
  }
  const unitsOf = Map.groupBy(ownerOf, ([, { name }]) => name);
  for (const [name, units] of unitsOf) {
    const stable = units.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { ids }]) => ids);
    const sizes = partSizes(stable.length, shares);
    for (const [i, ids] of Random.stream(seed, `split/${name}`).shuffle(stable).entries()) {
      const split = i < sizes.test ? 'test' : i < sizes.test + sizes.val ? 'val' : 'train';
      for (const id of ids) splits.set(id, split);
    }
  }
  return {
    classes: classes.map(({ name, images }) => {
      const count = (split: Split): number => images.filter(({ id }) => splits.get(id) === split).length;
      return { name, train: count('train'), val: count('val'), test: count('test') };
    }),
    splits,
  };
}
