/** A confusion matrix as the chart takes it: classes in an order, counts row after row. */
import type { Confusion } from '../../../../core/api/runs.ts';

export const ORDERS = ['size', 'confusion', 'name'] as const;
export type Order = (typeof ORDERS)[number];

export interface OrderedMatrix {
  /** Label at each place. */
  labels: number[];
  names: string[];
  /** Row after row, in that order. */
  counts: Uint32Array;
}

/** Two classes of which the first is taken for the second. */
export interface ConfusedPair {
  truth: number;
  predicted: number;
  images: number;
  /** Of the test images of the true class. */
  share: number;
}

/** Test images, and wrong answers, of each label. */
function totals({ classes, cells }: Confusion): { tested: number[]; wrong: number[] } {
  const tested = classes.map(() => 0);
  const wrong = classes.map(() => 0);
  for (let at = 0; at < cells.length; at += 3) {
    const [truth, predicted, images] = [cells[at], cells[at + 1], cells[at + 2]];
    tested[truth] += images;
    if (truth !== predicted) wrong[truth] += images;
  }
  return { tested, wrong };
}

/** "size": by training images · "confusion": by the share of wrong answers · both from the top; "name": as names sort. */
export function orderMatrix(confusion: Confusion, order: Order): OrderedMatrix {
  const { classes, cells } = confusion;
  const { tested, wrong } = totals(confusion);
  const error = (label: number): number => (tested[label] === 0 ? -1 : wrong[label] / tested[label]);
  const labels = classes.map((_, label) => label);
  labels.sort((a, b) => {
    if (order === 'size') return classes[b].trained - classes[a].trained || a - b;
    if (order === 'confusion') return error(b) - error(a) || a - b;
    return classes[a].name.localeCompare(classes[b].name, 'en', { numeric: true });
  });
  const place: number[] = [];
  for (const [index, label] of labels.entries()) place[label] = index;
  const counts = new Uint32Array(labels.length ** 2);
  for (let at = 0; at < cells.length; at += 3) {
    counts[place[cells[at]] * labels.length + place[cells[at + 1]]] = cells[at + 2];
  }
  return { labels, names: labels.map((label) => classes[label].name), counts };
}

/** Pairs of classes that are confused, those with the most images first. */
export function confusedPairs(confusion: Confusion): ConfusedPair[] {
  const { cells } = confusion;
  const { tested } = totals(confusion);
  const pairs: ConfusedPair[] = [];
  for (let at = 0; at < cells.length; at += 3) {
    const [truth, predicted, images] = [cells[at], cells[at + 1], cells[at + 2]];
    if (truth !== predicted) pairs.push({ truth, predicted, images, share: images / tested[truth] });
  }
  return pairs.sort((a, b) => b.images - a.images || b.share - a.share);
}
