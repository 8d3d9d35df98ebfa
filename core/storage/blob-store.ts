/** Bytes named by their SHA-256: written once, never changed, checked when read. */
import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { removeLeftovers, writeDurably, type DurableFs } from '../base/durable-file.ts';
import { fileError, UserError } from '../base/errors.ts';
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

  constructor(folder: string, fs?: DurableFs) {
    this.folder = folder;
    this.#fs = fs;
  }

  /** Where the bytes of `id` lie: two levels of folders, so that none grows beyond some hundreds of files. */
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

  has(id: BlobId): boolean {
    return sizeOf(this.path(id)) !== undefined;
  }

  /** @throws UserError 'not-found', 'damaged' or 'no-permission' */
  get(id: BlobId): Buffer {
    const path = this.path(id);
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      throw fileError(error, 'read a file of the project', path);
    }
    if (sha256(bytes) !== id) {
      throw new UserError(
        'damaged',
        `${path} is damaged: its content does not fit its name. Restore the project's files folder from a backup.`,
      );
    }
    return bytes;
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
