/** The classes of a long tail in three groups: many, medium and few training images. */

export type Group = 'many' | 'medium' | 'few';
export const GROUPS: readonly Group[] = ['many', 'medium', 'few'];

/** many: more than `many` training images · few: fewer than `few` · medium: what lies between. */
export interface GroupThresholds {
  many: number;
  few: number;
}

/** Of the long-tail literature since Liu et al., "Large-Scale Long-Tailed Recognition in an Open World", CVPR 2019. */
export const DEFAULT_THRESHOLDS: Readonly<GroupThresholds> = { many: 100, few: 20 };

/** The group of each class by its number of training images, in label order. */
export function groupsByCount(trainCounts: readonly number[], thresholds: GroupThresholds): Group[] {
  return trainCounts.map((count) => (count > thresholds.many ? 'many' : count < thresholds.few ? 'few' : 'medium'));
}

/**
 * The group of each class by its place when sorted by size, in label order: the CSA paper's fixed index ranges, 0-2 / 3-6 /
 * 7-9 of ten classes and 0-35 / 36-70 / 71-99 of a hundred (method.md, 4.2), as one rule for any number C of classes:
 * ranks below floor(0.36 C) are many, from floor(0.71 C) on few. Both of the paper's divisions follow from it. Classes of
 * one size keep label order, so on the paper's data sets rank and label are the same.
 */
export function groupsByRank(trainCounts: readonly number[]): Group[] {
  const classes = trainCounts.length;
  const firstMedium = Math.floor((36 * classes) / 100);
  const firstFew = Math.floor((71 * classes) / 100);
  const groups: Group[] = [];
  const bySize = trainCounts.map((_, label) => label).toSorted((a, b) => trainCounts[b] - trainCounts[a] || a - b);
  for (const [rank, label] of bySize.entries()) {
    groups[label] = rank < firstMedium ? 'many' : rank < firstFew ? 'medium' : 'few';
  }
  return groups;
}
