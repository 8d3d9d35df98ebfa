/** Groups of images that are nearly the same, made of the links that a look for them kept. */
import type { NearMember } from '../storage/project-store.ts';
import type { BlobId, NearLink } from '../storage/records.ts';
import { DisjointSets } from './forest.ts';

/** Contents that hang together, and the images that have them. */
export interface NearGroup {
  /** Of its first image: the group's name. */
  hash: BlobId;
  /** At least two, in order of id. */
  imageIds: number[];
  /** In more than one split, in more than one class. */
  leak: boolean;
  conflict: boolean;
  /** The weakest link that holds the group together, up to 1: with a higher threshold it falls apart. */
  weakest: number;
}

/**
 * @param links of at least the threshold
 * @param members usable images of the contents in them, in order of id
 * @returns groups of more than one content, those with the smallest id first. Contents that no usable image has any more
 *   still join others, so that nothing falls apart because the picture in the middle was excluded.
 */
export function nearGroups(links: readonly NearLink[], members: readonly NearMember[]): NearGroup[] {
  const numbers = new Map<BlobId, number>();
  const numberOf = (hash: BlobId): number => {
    const number = numbers.get(hash) ?? numbers.size;
    numbers.set(hash, number);
    return number;
  };
  const numbered = links.map(({ a, b, cosine }) => ({ a: numberOf(a), b: numberOf(b), cosine }));
  const sets = new DisjointSets(numbers.size);
  for (const { a, b } of numbered) sets.join(a, b);
  const weakest = new Map<number, number>();
  for (const { a, cosine } of numbered) {
    const root = sets.rootOf(a);
    weakest.set(root, Math.min(weakest.get(root) ?? 1, cosine));
  }
  const groups = Map.groupBy(members, ({ hash }) => sets.rootOf(numberOf(hash)));
  return [...groups]
    .filter(([, images]) => varied(images, 'hash'))
    .map(([root, images]) => ({
      hash: images[0].hash,
      imageIds: images.map(({ id }) => id),
      leak: varied(images, 'split'),
      conflict: varied(images, 'classId'),
      weakest: weakest.get(root)!,
    }));
}

const varied = (images: readonly NearMember[], field: 'hash' | 'split' | 'classId'): boolean =>
  images.some((image) => image[field] !== images[0][field]);
