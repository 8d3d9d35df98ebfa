/** The plain backgrounds of a frozen bank as pictures, beside those of the snapshot. */
import type { DatasetSnapshot, SnapshotPicture, SnapshotRoot } from '../data/snapshot.ts';
import { backgroundsOf, type BankEntry } from './bank.ts';

/** Where a class would stand as a label: a plain background has none. */
export const NO_CLASS = -1;
/** What takes the place of its class's name. */
export const NO_CLASS_NAME = 'plain background';

export interface BankBackgrounds {
  /** Those of the snapshot, then the folders of backgrounds. */
  roots: SnapshotRoot[];
  /** By `Background.id`. */
  backgrounds: Map<number, SnapshotPicture>;
}

/**
 * The plain backgrounds that may be used with a data set. One whose very file is in the validation or test split is left
 * out, as a training image would be: it came into the data set after it was added.
 */
export function bankBackgrounds({ roots, images }: DatasetSnapshot, bank: readonly BankEntry[]): BankBackgrounds {
  const entries = backgroundsOf(bank);
  const folders = [...new Set(entries.map(({ folder }) => folder))];
  const heldOut =
    entries.length === 0 ? new Set() : new Set(images.flatMap(({ split, hash }) => (split === 'train' ? [] : [hash])));
  const usable = entries.filter(({ hash }) => !heldOut.has(hash));
  return {
    roots: [...roots, ...folders.map((path): SnapshotRoot => ({ kind: 'folder', path }))],
    backgrounds: new Map(
      usable.map(({ backgroundId: id, folder, ...file }) => [
        id,
        { id, root: roots.length + folders.indexOf(folder), ...file },
      ]),
    ),
  };
}
