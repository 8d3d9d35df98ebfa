/** "Make it long-tailed": which training images to leave out so that class sizes follow an exponential profile. */
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';

/**
 * Class sizes n_k = floor(largest * ratio^(-k / (classes - 1))), k = 0 … classes - 1: the profile of CIFAR-LT and of the
 * CSA paper's official code (method.md, 4.1).
 * @param largest images of the first class, at least 1
 * @param ratio first class over last, at least 1
 */
export function exponentialProfile(largest: number, ratio: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, k) => {
    const share = classes === 1 ? 1 : (1 / ratio) ** (k / (classes - 1));
    // A hair more than nothing, so that 49 * (1 / 49), which falls short of 1 in binary, counts as 1.
    return Math.floor(largest * share + 1e-9);
  });
}

export interface LongTailClass {
  name: string;
  /** Training images in the view. */
  images: readonly { id: number; hash: string }[];
}

export interface LongTailOptions {
  /** Largest over smallest class, at least 1. */
  ratio: number;
  /** Images of the first class; by default as many as it has. */
  largest?: number;
  /** "name": first by name is largest, as in the paper · "size": the classes keep their order of size. */
  order: 'name' | 'size';
  seed: number;
}

export interface LongTailPlan {
  /** Images that the profile gives the first class. */
  largest: number;
  /** In profile order. `images` is what the view has, `kept` what stays of it. */
  classes: { name: string; images: number; kept: number }[];
  /** Ids of the images to leave out, ascending. */
  excluded: number[];
}

/**
 * Choose what to leave out. A class with fewer images than the profile asks for keeps all of them. The choice within a
 * class depends on the seed, the class's name and the images' content, not on the order of import.
 * @throws UserError 'usage' for a ratio below 1 or one that leaves a class empty, 'empty' without classes
 */
export function planLongTail(classes: readonly LongTailClass[], options: LongTailOptions): LongTailPlan {
  const { ratio, order, seed } = options;
  if (classes.length === 0) {
    throw new UserError('empty', 'There are no training images to make long-tailed: import a data set first.');
  }
  if (!(ratio >= 1 && Number.isFinite(ratio))) {
    throw new UserError(
      'usage',
      `The ratio must be a number from 1 up, got ${ratio}: 100 makes the first class 100 times the last.`,
    );
  }
  const byName = classes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const sorted = order === 'name' ? byName : byName.toSorted((a, b) => b.images.length - a.images.length);
  const largest = options.largest ?? sorted[0].images.length;
  if (!(Number.isSafeInteger(largest) && largest >= 1)) {
    throw new UserError('usage', `The size of the largest class must be a whole number from 1 up, got ${largest}.`);
  }
  const profile = exponentialProfile(largest, ratio, sorted.length);
  const smallest = profile.at(-1)!;
  if (smallest < 1) {
    throw new UserError(
      'usage',
      `A ratio of ${ratio} leaves nothing of the last class, since the first one has ${largest} images: choose a ratio of at most ${largest}.`,
    );
  }
  const plan: LongTailPlan = { largest, classes: [], excluded: [] };
  for (const [k, { name, images }] of sorted.entries()) {
    const kept = Math.min(profile[k], images.length);
    const stable = images.toSorted((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : a.id - b.id));
    const shuffled = Random.stream(seed, `long-tail/${name}`).shuffle(stable);
    plan.classes.push({ name, images: images.length, kept });
    plan.excluded.push(...shuffled.slice(kept).map(({ id }) => id));
  }
  plan.excluded.sort((a, b) => a - b);
  return plan;
}
