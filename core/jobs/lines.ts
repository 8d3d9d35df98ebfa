/** Lines of JSON over a pipe. (node:readline will not do: it also breaks lines at U+2028, which JSON leaves alone.) */
import { writeSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines, whatever the size of the chunks. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest: Buffer[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#rest.push(chunk.subarray(start, end));
      const line = Buffer.concat(this.#rest).toString('utf8');
      this.#rest = [];
      start = end + 1;
      this.#onLine(line);
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start));
  }
}

/**
 * Write to a file descriptor at once, waiting while the other end is slow. Unlike `process.stdout.write` it needs no
 * turn of the event loop, which a native step would hold up.
 * @returns bytes written
 */
export function writeNow(fd: number, text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
  return bytes.length;
}
