/** Which images a figure is measured on, by a name that says where the split comes from. */
import type { ProjectStore } from '../storage/project-store.ts';
import { EDIT_PARAMS } from './edits.ts';

export interface EvaluationSplit {
  split: 'val' | 'test';
  /** "test as found", "val assigned by seed 1", "test as found, 12 images excluded". */
  name: string;
  /** Usable images in it. */
  images: number;
}

/**
 * The split to evaluate on: test where there is one, else val.
 * @param wanted ask for one of them
 * @returns null when it has no usable image
 */
export function evaluationSplit(store: ProjectStore, wanted?: 'val' | 'test'): EvaluationSplit | null {
  for (const split of wanted ? [wanted] : (['test', 'val'] as const)) {
    const { usable: images, found, excluded } = store.images.splitOrigins(split);
    if (images === 0) continue;
    const origins = [found > 0 ? 'as found' : '', found < images ? `assigned by seed ${seedOf(store, split)}` : ''];
    const without = excluded === 0 ? '' : `, ${excluded} image${excluded === 1 ? '' : 's'} excluded`;
    return { split, name: `${split} ${origins.filter((origin) => origin !== '').join(' and ')}${without}`, images };
  }
  return null;
}

/** Seed of the newest deal in force that gave this split a share. */
function seedOf(store: ProjectStore, split: 'val' | 'test'): number {
  const deals = store.edits
    .list()
    .filter(({ kind, undoneAt }) => kind === 'split' && undoneAt === null)
    .toSorted((a, b) => b.id - a.id)
    .map(({ params }) => EDIT_PARAMS.split.parse(params));
  const deal = deals.find((params) => params[split] > 0);
  if (deal === undefined) throw new Error(`images are in ${split} that neither the import nor an edit put there`);
  return deal.seed;
}
