/**
 * Many small blobs in one file, because making a file last costs some milliseconds whatever its size: thousands of masks that
 * are made at once become a few packs. A pack is a length (unsigned 32-bit, little end first), that many bytes of JSON with
 * the id and length of each blob, and the blobs one after the other. Packs are never changed, nor taken apart.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../base/errors.ts';
import { writeDurably, type DurableFs } from '../base/durable-file.ts';
import type { BlobId } from './records.ts';

const ENDING = '.pack';

interface Place {
  pack: string;
  offset: number;
  length: number;
}

export class BlobPacks {
  readonly #folder: string;
  readonly #seen = new Set<string>();
  readonly #places = new Map<BlobId, Place>();

  /** @param folder need not exist */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether a pack that was read holds it. */
  has(id: BlobId): boolean {
    return this.#places.has(id);
  }

  /** A blob's bytes as they lie there; undefined when no pack that was read holds it. @throws as the file system does */
  get(id: BlobId): Buffer | undefined {
    const place = this.#places.get(id);
    if (!place) return undefined;
    const bytes = Buffer.alloc(place.length);
    withFile(place.pack, (fd) => readSync(fd, bytes, 0, place.length, place.offset));
    return bytes;
  }

  /**
   * Write a pack.
   * @param name of its content
   * @throws UserError 'no-space', 'no-permission', …
   */
  add(name: BlobId, blobs: ReadonlyMap<BlobId, Uint8Array>, temporaryFolder: string, fs?: DurableFs): void {
    const head = headOf([...blobs].map(([id, { length }]): [BlobId, number] => [id, length]));
    const pack = join(this.#folder, name + ENDING);
    writeDurably(pack, [head, ...blobs.values()], fs, temporaryFolder);
    this.#read(pack);
  }

  /** Read what packs there are now: another process may have written some. */
  look(): void {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    for (const name of names) if (name.endsWith(ENDING)) this.#read(join(this.#folder, name));
  }

  #read(pack: string): void {
    if (this.#seen.has(pack)) return;
    const { entries, start } = withFile(pack, readHead);
    let offset = start;
    for (const [id, length] of entries) {
      this.#places.set(id, { pack, offset, length });
      offset += length;
    }
    this.#seen.add(pack);
  }
}

function headOf(entries: readonly [BlobId, number][]): Buffer {
  const json = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json]);
}

function readHead(fd: number): { entries: [BlobId, number][]; start: number } {
  const length = Buffer.alloc(4);
  readSync(fd, length, 0, 4, 0);
  const json = Buffer.alloc(length.readUInt32LE());
  readSync(fd, json, 0, json.length, 4);
  // Packs appear whole under their name, so this is what `headOf` wrote.
  return { entries: JSON.parse(json.toString()), start: 4 + json.length };
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
