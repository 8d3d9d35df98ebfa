/** The bank as it would be had nobody edited a mask: what a person's edits are compared with. */
import type { ProjectStore } from '../storage/project-store.ts';
import type { Mask } from '../storage/records.ts';
import { isContext, type BankEntry } from './bank.ts';

export interface UneditedBank {
  /** The same contexts in the same order. */
  bank: BankEntry[];
  /** Contexts whose mask was a person's and is now the model's. */
  replaced: number;
  /** Contexts whose mask is a person's and that have none by a model: as they were. */
  unmatched: number;
}

/**
 * Put in place of each mask that a person painted or brought along the version of a model that it began as; where it
 * began as none, the newest one that a model made of the picture.
 */
export function uneditedBank(store: ProjectStore, bank: readonly BankEntry[]): UneditedBank {
  let replaced = 0;
  let unmatched = 0;
  const unedited = bank.map((entry): BankEntry => {
    if (!isContext(entry)) return entry;
    const mask = store.masks.get(entry.maskId);
    if (!mask || !isByPerson(mask)) return entry;
    const own = modelVersion(store, mask);
    if (!own) {
      unmatched++;
      return entry;
    }
    replaced++;
    return { ...entry, maskId: own.id, maskBlob: own.blob, area: own.area };
  });
  return { bank: unedited, replaced, unmatched };
}

const isByPerson = ({ origin }: Mask): boolean => origin === 'edit' || origin === 'import';

function modelVersion(store: ProjectStore, mask: Mask): Mask | undefined {
  for (let version: Mask | undefined = mask; version; version = parentOf(store, version)) {
    if (!isByPerson(version)) return version;
  }
  return store.masks.ofImage(mask.imageId).findLast((version) => !isByPerson(version));
}

function parentOf(store: ProjectStore, { parentId }: Mask): Mask | undefined {
  return parentId === null ? undefined : store.masks.get(parentId);
}
