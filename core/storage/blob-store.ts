/** Bytes named by their SHA-256: written once, never changed, checked when read. */
import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { removeLeftovers, writeDurably, type DurableFs } from '../base/durable-file.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { BlobPacks } from './blob-packs.ts';
import type { BlobId } from './records.ts';

/** SHA-256 as 64 hex digits. */
export function sha256(bytes: Uint8Array | string): BlobId {
  return hash('sha256', bytes);
}

/**
 * A folder of blobs. Any number of processes may put and get at the same time: a blob appears whole under its name by a
 * rename, and whoever comes second puts the same bytes there.
 */
export class BlobStore {
  /** Where the bytes lie. */
  readonly folder: string;
  readonly #fs: DurableFs | undefined;
  readonly #packs: BlobPacks;

  constructor(folder: string, fs?: DurableFs) {
    this.folder = folder;
    this.#fs = fs;
    this.#packs = new BlobPacks(join(folder, 'packs'));
  }

  /** Where the bytes of `id` lie that was `put`: two levels of folders, so that none grows beyond some hundreds of files. */
  path(id: BlobId): string {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new Error(`not a blob id: ${id}`);
    return join(this.folder, id.slice(0, 2), id.slice(2));
  }

  /**
   * Keep bytes; nearly free when they are there already. A file of another size under their name is the rest of some
   * accident and is written anew.
   * @throws UserError 'no-space', 'no-permission', …
   */
  put(bytes: Uint8Array): BlobId {
    const id = sha256(bytes);
    const path = this.path(id);
    // Temporary files lie in the top folder, where `removeLeftovers` finds them without walking through all blobs.
    if (sizeOf(path) !== bytes.length) writeDurably(path, [bytes], this.#fs, this.folder);
    return id;
  }

  /**
   * Keep many small blobs at the cost of one; they lie in a pack and have no path of their own. All or none.
   * @returns their ids, in order
   * @throws UserError 'no-space', 'no-permission', …
   */
  putAll(blobs: readonly Uint8Array[]): BlobId[] {
    const ids = blobs.map((bytes) => sha256(bytes));
    const fresh = new Map(ids.map((id, i) => [id, blobs[i]]));
    this.#packs.look();
    for (const id of fresh.keys()) if (this.#packs.has(id) || sizeOf(this.path(id)) !== undefined) fresh.delete(id);
    const [first] = fresh.values();
    if (fresh.size === 1) this.put(first);
    else if (fresh.size > 1) this.#packs.add(sha256([...fresh.keys()].join()), fresh, this.folder, this.#fs);
    return ids;
  }

  has(id: BlobId): boolean {
    if (sizeOf(this.path(id)) !== undefined || this.#packs.has(id)) return true;
    this.#packs.look();
    return this.#packs.has(id);
  }

  /** @throws UserError 'not-found', 'damaged' or 'no-permission' */
  get(id: BlobId): Buffer {
    const path = this.path(id);
    const bytes = this.#read(id, path);
    if (sha256(bytes) !== id) {
      throw new UserError(
        'damaged',
        `${path} is damaged: its content does not fit its name. Restore the project's files folder from a backup.`,
      );
    }
    return bytes;
  }

  #read(id: BlobId, path: string): Buffer {
    try {
      return this.#packs.get(id) ?? readFileSync(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') {
        this.#packs.look();
        const packed = this.#packs.get(id);
        if (packed) return packed;
      }
      throw fileError(error, 'read a file of the project', path);
    }
  }

  /** Delete what killed writers left; only while nobody else is writing (see `durable-file.ts`). */
  removeLeftovers(): number {
    return removeLeftovers(this.folder);
  }
}

/** Size of a file in bytes; undefined when there is none. */
function sizeOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.size : undefined;
}
