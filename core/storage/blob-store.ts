/** Bytes named by their SHA-256: written once, never changed, checked when read. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably, type DurableFs } from '../base/durable-file.ts';
import { fileError, UserError } from '../base/errors.ts';
import type { BlobId } from './records.ts';

/** SHA-256 as 64 hex digits. */
export function sha256(bytes: Uint8Array | string): BlobId {
  return createHash('sha256').update(bytes).digest('hex');
}

export class BlobStore {
  readonly #folder: string;
  readonly #fs: DurableFs | undefined;

  constructor(folder: string, fs?: DurableFs) {
    this.#folder = folder;
    this.#fs = fs;
  }

  /** Where the bytes of `id` lie: two levels of folders, so that none grows beyond some hundreds of files. */
  path(id: BlobId): string {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new Error(`not a blob id: ${id}`);
    return join(this.#folder, id.slice(0, 2), id.slice(2));
  }

  /** Keep bytes; free when they are there already. */
  put(bytes: Uint8Array): BlobId {
    const id = sha256(bytes);
    const path = this.path(id);
    if (!existsSync(path)) writeDurably(path, [bytes], this.#fs);
    return id;
  }

  has(id: BlobId): boolean {
    return existsSync(this.path(id));
  }

  /** @throws UserError 'not-found' or 'damaged' */
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
}
