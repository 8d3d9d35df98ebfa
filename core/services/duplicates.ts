/** Images that are there more than once: with the same bytes, or nearly the same as far as they were looked for. */
import { basename } from 'node:path';
import { effectiveClasses } from '../data/classes.ts';
import {
  countsOf,
  judgeDuplicates,
  type DuplicateGroup,
  type DuplicateImage,
  type DuplicateReport,
} from '../data/duplicates.ts';
import { nearGroups, type NearGroup } from '../near/near-groups.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { keptUntilChange } from './kept.ts';

/** Usable images with the same bytes, judged. Paths lead with the source's name where there are several. */
export const findDuplicates = keptUntilChange((store): DuplicateReport => {
  const found = store.images.duplicateGroups();
  const described = describeImages(
    store,
    found.flatMap(({ imageIds }) => imageIds),
  );
  return judgeDuplicates(
    found.map(({ hash, imageIds }) => ({ hash, images: imageIds.map((id) => described.get(id)!) })),
  );
});

/** What is known of near-duplicates; null before they were looked for. */
export interface NearFound extends Omit<DuplicateReport, 'groups'> {
  /** Those with the smallest id first. */
  groups: NearGroup[];
}

/** Usable images that the last look for near-duplicates found alike. */
export const findNear = keptUntilChange((store): NearFound | null => {
  const scan = store.near.scan();
  if (!scan) return null;
  const groups = nearGroups(store.near.links(scan.threshold), store.near.members(scan.threshold));
  return { groups, ...countsOf(groups) };
});

const sentence = (leaks: number, one: string, many: string): string | null =>
  leaks === 0
    ? null
    : `${leaks} ${leaks === 1 ? one : many} in more than one split: figures will look better than they are.`;

/** What leaks mean for figures, a sentence for identical pictures and one for near-duplicates; null where there are none. */
export function leaksInWords(
  exact: Pick<DuplicateReport, 'leaks'>,
  near: Pick<DuplicateReport, 'leaks'> | null,
): { exact: string | null; near: string | null } {
  return {
    exact: sentence(exact.leaks, 'picture is', 'pictures are'),
    near: sentence(near?.leaks ?? 0, 'group of nearly the same pictures is', 'groups of nearly the same pictures are'),
  };
}

/** Named by the content of its first image. */
export interface NearDuplicateGroup extends DuplicateGroup {
  /** As `NearGroup.weakest`. */
  weakest: number;
}

/** Groups with what people want to know of their images. */
export function describeNear(store: ProjectStore, groups: readonly NearGroup[]): NearDuplicateGroup[] {
  const described = describeImages(
    store,
    groups.flatMap(({ imageIds }) => imageIds),
  );
  return groups.map(({ imageIds, ...group }) => ({ ...group, images: imageIds.map((id) => described.get(id)!) }));
}

/** By id. */
function describeImages(store: ProjectStore, ids: readonly number[]): Map<number, DuplicateImage> {
  const effective = effectiveClasses(store);
  const sources = store.sources.list();
  const prefix = new Map(sources.map(({ id, path }) => [id, sources.length > 1 ? `${basename(path)}/` : '']));
  return new Map(
    store.images.many(ids).map((image): [number, DuplicateImage] => {
      const { id, path, sourceId, classId, split } = image;
      const className = effective.get(classId)!.name;
      return [id, { id, path: prefix.get(sourceId)! + path, className, split: split ?? 'train' }];
    }),
  );
}
