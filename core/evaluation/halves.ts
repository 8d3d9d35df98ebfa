/**
 * A setting chosen on the very images that it is then reported on looks better than it is. So where a run has no answers on
 * another split, the images that it is judged on are halved: one half chooses, the other reports.
 */
import { Random } from '../base/random.ts';

/** Images that choose, and those that report: positions in the order of the labels, ascending. */
export interface Parts {
  choosing: Int32Array<ArrayBuffer>;
  reporting: Int32Array<ArrayBuffer>;
}

/**
 * Halve the images of each class at random. Of an odd number the larger part reports, so that every class with an image
 * is reported on. What an image is dealt to depends on the ids of its class alone, not on their order.
 * @param imageIds of each image, without repetition
 * @param labels true class of each image
 */
export function halve(imageIds: Int32Array, labels: Int32Array, classes: number, seed: number): Parts {
  if (imageIds.length !== labels.length) throw new RangeError(`${imageIds.length} images for ${labels.length} labels`);
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (const [position, label] of labels.entries()) members[label].push(position);
  const choosing: number[] = [];
  const reporting: number[] = [];
  for (const [label, positions] of members.entries()) {
    positions.sort((a, b) => imageIds[a] - imageIds[b]);
    Random.stream(seed, `halves/${label}`).shuffle(positions);
    const half = Math.floor(positions.length / 2);
    choosing.push(...positions.slice(0, half));
    reporting.push(...positions.slice(half));
  }
  return {
    choosing: Int32Array.from(choosing.toSorted(ascending)),
    reporting: Int32Array.from(reporting.toSorted(ascending)),
  };
}

const ascending = (a: number, b: number): number => a - b;
