/**
 * What a command has printed and its reader has not taken yet. A command line prints without waiting, and its reader may be
 * a pager that nobody scrolls: what is more than a little lies in a temporary file until it is read.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../base/errors.ts';

/** Bytes kept in memory. */
const IN_MEMORY = 1024 * 1024;

/** Bytes read from the file at a time. */
const CHUNK = 64 * 1024;

/** What did not fit into memory, oldest first. Its folder is of this user only. */
interface Spill {
  folder: string;
  file: number;
  written: number;
  read: number;
}

export class OutputQueue {
  readonly #limit: number;
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #spill: Spill | undefined;
  #ended = false;
  #arrived = Promise.withResolvers<void>();

  /** @param limit bytes kept in memory */
  constructor(limit = IN_MEMORY) {
    this.#limit = limit;
  }

  /** Bytes in memory, and in the file. */
  get size(): { memory: number; file: number } {
    const spill = this.#spill;
    return { memory: this.#bytes, file: spill ? spill.written - spill.read : 0 };
  }

  /** Nothing happens after the end. @throws UserError 'no-space', … when it has to go to the disk and cannot */
  push(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#ended) return;
    // Behind what is in the file already.
    if (this.#spill || this.#bytes + bytes.length > this.#limit) this.#append(bytes);
    else {
      this.#waiting.push(bytes);
      this.#bytes += bytes.length;
    }
    this.#arrived.resolve();
  }

  /** The next bytes, as soon as there are any; undefined after the last. For one reader. */
  async take(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (!this.#ended && this.#waiting.length === 0 && !this.#spill) {
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
    const first = this.#waiting.shift();
    if (first === undefined) return this.#spill && this.#readBack(this.#spill);
    this.#bytes -= first.length;
    return first;
  }

  /** Nothing comes any more; what is there can still be taken. */
  end(): void {
    this.#ended = true;
    this.#arrived.resolve();
  }

  /** Nobody reads any more. */
  discard(): void {
    this.end();
    this.#waiting.length = 0;
    this.#bytes = 0;
    this.#removeSpill();
  }

  #append(bytes: Uint8Array): void {
    try {
      const spill = (this.#spill ??= openSpill());
      for (let at = 0; at < bytes.length;) {
        at += writeSync(spill.file, bytes, at, bytes.length - at, spill.written + at);
      }
      spill.written += bytes.length;
    } catch (error) {
      throw fileError(error, 'keep the output of the command in', tmpdir());
    }
  }

  #readBack(spill: Spill): Uint8Array<ArrayBuffer> {
    const chunk = new Uint8Array(Math.min(CHUNK, spill.written - spill.read));
    const length = readSync(spill.file, chunk, 0, chunk.length, spill.read);
    spill.read += length;
    if (spill.read === spill.written) this.#removeSpill();
    return chunk.subarray(0, length);
  }

  #removeSpill(): void {
    if (!this.#spill) return;
    closeSync(this.#spill.file);
    rmSync(this.#spill.folder, { recursive: true, force: true });
    this.#spill = undefined;
  }
}

function openSpill(): Spill {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-output-'));
  return { folder, file: openSync(join(folder, 'output'), 'wx+', 0o600), written: 0, read: 0 };
}
