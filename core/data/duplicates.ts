/** Images with the same bytes: harmless copies, leaks between splits, and contradictions between classes. */
import type { BlobId, Split } from '../storage/records.ts';

export interface DuplicateImage {
  id: number;
  /** Where it lies, for people. */
  path: string;
  /** Name of its effective class. */
  className: string;
  /** In force; images without a split count as train. */
  split: Split;
}

export interface DuplicateGroup {
  hash: BlobId;
  /** At least two, in order of id. */
  images: DuplicateImage[];
  /** In more than one split: what is measured there was seen in training. */
  leak: boolean;
  /** In more than one class: at most one label is right. */
  conflict: boolean;
}

export interface DuplicateReport {
  /** Groups of identical content, those with the smallest id first. */
  groups: DuplicateGroup[];
  /** Images beyond the first of each group. */
  surplus: number;
  /** Numbers of groups: copies within one split and class; leaks; conflicts. A group can be leak and conflict. */
  copies: number;
  leaks: number;
  conflicts: number;
}

/** Judge groups of images with equal content, as `ImageTable.duplicateGroups` finds them. */
export function judgeDuplicates(found: Iterable<{ hash: BlobId; images: readonly DuplicateImage[] }>): DuplicateReport {
  const groups: DuplicateGroup[] = [];
  for (const { hash, images } of found) {
    if (images.length < 2) continue;
    groups.push({
      hash,
      images: images.toSorted((a, b) => a.id - b.id),
      leak: new Set(images.map(({ split }) => split)).size > 1,
      conflict: new Set(images.map(({ className }) => className)).size > 1,
    });
  }
  groups.sort((a, b) => a.images[0].id - b.images[0].id);
  return { groups, ...countsOf(groups.map((group) => ({ ...group, imageIds: group.images.map(({ id }) => id) }))) };
}

/** How many there are of each kind. */
export function countsOf(
  groups: readonly (Pick<DuplicateGroup, 'leak' | 'conflict'> & { imageIds: readonly number[] })[],
): Omit<DuplicateReport, 'groups'> {
  return {
    surplus: groups.reduce((sum, { imageIds }) => sum + imageIds.length - 1, 0),
    copies: groups.filter(({ leak, conflict }) => !leak && !conflict).length,
    leaks: groups.filter(({ leak }) => leak).length,
    conflicts: groups.filter(({ conflict }) => conflict).length,
  };
}

/** Whether a group counts as that; one can be leak and conflict. */
export function isOfKind(
  { leak, conflict }: Pick<DuplicateGroup, 'leak' | 'conflict'>,
  kind: 'copy' | 'leak' | 'conflict',
): boolean {
  return kind === 'copy' ? !leak && !conflict : kind === 'leak' ? leak : conflict;
}

/** One line a group: what it is and where its images are. */
export function duplicateLines(report: DuplicateReport): string[] {
  return report.groups.map((group) => duplicateLine(group, ' = '));
}

/** What a group is and where its images are. @param between its images */
export function duplicateLine({ images, leak, conflict }: DuplicateGroup, between: string): string {
  const kind = [leak ? 'leak' : '', conflict ? 'conflict' : ''].filter((word) => word !== '').join(' and ') || 'copy';
  return `${kind}: ${images.map((image) => `${image.path} (${image.split}, ${image.className})`).join(between)}`;
}
