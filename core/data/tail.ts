/** How long-tailed a data set is, in numbers and as bars of text. */
import stringWidth from 'string-width';
import { groupsByCount, groupsByRank, type Group, type GroupThresholds } from './groups.ts';

export interface TailClass {
  name: string;
  count: number;
  /** By thresholds, and by place as in the paper. */
  group: Group;
  rankGroup: Group;
}

export interface Tail {
  /** Largest first; classes of one size by name. */
  classes: TailClass[];
  images: number;
  /** Largest over smallest class, classes without images left out; null without any image. */
  ratio: number | null;
  /** 0: all classes equally large; towards 1: one class has everything; null without any image. */
  gini: number | null;
  /** As many equally large classes would be as varied: e to the Shannon entropy of the class shares; null without any image. */
  effectiveClasses: number | null;
  /** Names of classes without an image. */
  empty: string[];
  thresholds: GroupThresholds;
}

/**
 * @param classes name and number of images of each class, in label order
 * @param thresholds of the groups
 */
export function describeTail(classes: readonly { name: string; count: number }[], thresholds: GroupThresholds): Tail {
  const counts = classes.map(({ count }) => count);
  const groups = groupsByCount(counts, thresholds);
  const rankGroups = groupsByRank(counts);
  const described = classes.map(({ name, count }, label): TailClass => {
    return { name, count, group: groups[label], rankGroup: rankGroups[label] };
  });
  described.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const filled = counts.filter((count) => count > 0);
  const images = counts.reduce((sum, count) => sum + count, 0);
  return {
    classes: described,
    images,
    ratio: images > 0 ? Math.max(...filled) / Math.min(...filled) : null,
    gini: gini(counts),
    effectiveClasses:
      images > 0 ? Math.exp(-filled.reduce((sum, n) => sum + (n / images) * Math.log(n / images), 0)) : null,
    empty: described.filter(({ count }) => count === 0).map(({ name }) => name),
    thresholds,
  };
}

/**
 * Gini coefficient, G = sum_i (2 i - n - 1) x_i / (n sum x) over x ascending, i = 1 … n: half the mean difference between
 * two classes, relative to the mean.
 * @returns 0 to (n - 1) / n; null when there is nothing to share
 */
export function gini(counts: readonly number[]): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const ascending = counts.toSorted((a, b) => a - b);
  const weighted = ascending.reduce((sum, count, i) => sum + (2 * (i + 1) - counts.length - 1) * count, 0);
  return weighted / (counts.length * total);
}

/** "2800 images in 10 classes; arrow has 1130, triangle 11: ratio 102.7. Gini 0.63. …" */
export function tailText(tail: Tail): string {
  const { classes, images, ratio, gini: g, effectiveClasses, empty, thresholds } = tail;
  if (ratio === null || g === null || effectiveClasses === null) return 'There are no images.';
  const filled = classes.filter(({ count }) => count > 0);
  const [largest, smallest] = [filled[0], filled[filled.length - 1]];
  const inGroup = (group: Group): number => classes.filter((record) => record.group === group).length;
  const sentences = [
    `${images} images in ${classes.length} classes; ${largest.name} has ${largest.count}, ${smallest.name} ${smallest.count}: ratio ${ratio.toFixed(1)}`,
    `Gini ${g.toFixed(2)}; as varied as ${effectiveClasses.toFixed(1)} equally large classes`,
    `Classes by training images: ${inGroup('many')} many (over ${thresholds.many}), ${inGroup('medium')} medium, ${inGroup('few')} few (under ${thresholds.few})`,
  ];
  if (empty.length > 0) sentences.push(`Without any image: ${empty.join(', ')}`);
  return `${sentences.join('. ')}.`;
}

export interface BarOptions {
  /** "log": a bar grows by log(1 + count), so that the tail stays visible. */
  scale: 'linear' | 'log';
  /** Characters of a line, at least 20. */
  width: number;
}

/** One line a class: name, count, bar, group. */
export function tailBars(classes: readonly TailClass[], options: BarOptions): string[] {
  if (classes.length === 0) return [];
  const size = (count: number): number => (options.scale === 'log' ? Math.log1p(count) : count);
  const largest = Math.max(1e-9, ...classes.map(({ count }) => size(count)));
  const names = classes.map(({ name }) => shorten(name, Math.max(8, Math.floor(options.width / 3))));
  const nameWidth = Math.max(...names.map((name) => stringWidth(name)));
  const countWidth = Math.max(...classes.map(({ count }) => String(count).length));
  const barWidth = Math.max(1, options.width - nameWidth - countWidth - '  '.length * 3 - 'medium'.length);
  return classes.map(({ count, group }, i) => {
    const label = names[i] + ' '.repeat(nameWidth - stringWidth(names[i]));
    const filled = bar((size(count) / largest) * barWidth);
    return `${label}  ${String(count).padStart(countWidth)}  ${filled.padEnd(barWidth)}  ${group}`;
  });
}

/** Whole and eighth blocks; anything above nothing shows. */
function bar(length: number): string {
  if (length <= 0) return '';
  const eighths = Math.max(1, Math.round(length * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8];
}

/** At most `limit` columns of a terminal. */
function shorten(text: string, limit: number): string {
  if (stringWidth(text) <= limit) return text;
  let short = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(short + segment) > limit - 1) break;
    short += segment;
  }
  return `${short}…`;
}
