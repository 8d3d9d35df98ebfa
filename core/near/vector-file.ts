/**
 * Descriptions of pictures, kept by the content of each, so that a later look describes only what is new. A file in the
 * folder of packs, which goes with them when nobody has used it for two weeks:
 *
 *     64 bytes     "CTXVECT1", numbers of a description (u32), zeros, key (32 bytes at 16), zeros
 *     each record  SHA-256 of the picture (32 bytes), float32 values, CRC-32 of both (u32)
 *
 * Numbers are little-endian. Records are only appended; what a killed job left of one is cut off by the next. Whoever has
 * the project open is the only writer.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { fileError, UserError } from '../base/errors.ts';
import type { BlobId } from '../storage/records.ts';

const MAGIC = 'CTXVECT1';
const HEADER = 64;
const HASH = 32;
const CRC = 4;
/** Bytes that are read at a time while the file is checked. */
const CHUNK = 2 ** 22;

export class VectorFile implements Disposable {
  readonly path: string;
  /** Numbers of a description. */
  readonly width: number;
  readonly #fd: number;
  readonly #recordBytes: number;
  /** Place of each content's record. */
  readonly #places = new Map<BlobId, number>();
  /** Records in the file. */
  #count = 0;

  /**
   * Open it, or begin it where it is not there or is another one's.
   * @param key SHA-256, 64 hex digits, of what descriptions follow from beside the pictures
   * @throws UserError 'no-space', 'no-permission', … naming the file
   */
  constructor(path: string, key: string, width: number) {
    this.path = path;
    this.width = width;
    this.#recordBytes = HASH + width * Float32Array.BYTES_PER_ELEMENT + CRC;
    try {
      fs.mkdirSync(dirname(path), { recursive: true });
      this.#fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT);
      const header = Buffer.alloc(HEADER);
      header.write(MAGIC, 'latin1');
      header.writeUInt32LE(width, 8);
      header.write(key, 16, 'hex');
      const found = Buffer.alloc(HEADER);
      fs.readSync(this.#fd, found, 0, HEADER, 0);
      if (found.equals(header)) {
        this.#check();
        fs.utimesSync(path, new Date(), new Date());
      } else {
        fs.ftruncateSync(this.#fd, 0);
        fs.writeSync(this.#fd, header, 0, HEADER, 0);
      }
    } catch (error) {
      throw fileError(error, 'open the descriptions of pictures', path);
    }
  }

  has(hash: BlobId): boolean {
    return this.#places.has(hash);
  }

  /** Append some. @param vectors [hashes, width] @throws UserError 'no-space', … naming the file */
  append(hashes: readonly BlobId[], vectors: Float32Array): void {
    const bytes = Buffer.alloc(hashes.length * this.#recordBytes);
    const values = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
    const valueBytes = this.#recordBytes - HASH - CRC;
    for (const [i, hash] of hashes.entries()) {
      const start = i * this.#recordBytes;
      bytes.write(hash, start, 'hex');
      values.copy(bytes, start + HASH, i * valueBytes, (i + 1) * valueBytes);
      const end = start + this.#recordBytes - CRC;
      bytes.writeUInt32LE(crc32(bytes.subarray(start, end)), end);
    }
    try {
      const offset = HEADER + this.#count * this.#recordBytes;
      for (let done = 0; done < bytes.length;) {
        done += fs.writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      }
    } catch (error) {
      throw fileError(error, 'keep the descriptions of pictures', this.path);
    }
    for (const hash of hashes) this.#places.set(hash, this.#count++);
  }

  /**
   * Descriptions of contents that are there.
   * @returns [hashes, width]
   * @throws UserError 'unreadable', … naming the file; 'damaged' where it was changed while it was open
   */
  read(hashes: readonly BlobId[]): Float32Array {
    const record = Buffer.alloc(this.#recordBytes);
    const result = new Float32Array(hashes.length * this.width);
    const bytes = new Uint8Array(result.buffer);
    const valueBytes = this.#recordBytes - HASH - CRC;
    for (const [i, hash] of hashes.entries()) {
      const place = this.#places.get(hash);
      if (place === undefined) throw new Error(`${hash} has not been described`);
      let read: number;
      try {
        read = fs.readSync(this.#fd, record, 0, record.length, HEADER + place * this.#recordBytes);
      } catch (error) {
        throw fileError(error, 'read the descriptions of pictures', this.path);
      }
      if (read < record.length || !isWhole(record)) {
        throw new UserError('damaged', `${this.path} is damaged. Delete it; it is made anew from the pictures.`);
      }
      bytes.set(record.subarray(HASH, HASH + valueBytes), i * valueBytes);
    }
    return result;
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }

  /** Find out what is there. Damaged records are passed over; half a record at the end is written over by the next. */
  #check(): void {
    const size = this.#recordBytes;
    this.#count = Math.floor((fs.fstatSync(this.#fd).size - HEADER) / size);
    const chunk = Buffer.alloc(Math.max(1, Math.floor(CHUNK / size)) * size);
    for (let place = 0; place < this.#count;) {
      const records = Math.min(chunk.length / size, this.#count - place);
      fs.readSync(this.#fd, chunk, 0, records * size, HEADER + place * size);
      for (let i = 0; i < records; i++, place++) {
        const record = chunk.subarray(i * size, (i + 1) * size);
        if (isWhole(record)) this.#places.set(record.toString('hex', 0, HASH), place);
      }
    }
  }
}

function isWhole(record: Buffer): boolean {
  const end = record.length - CRC;
  return record.readUInt32LE(end) === crc32(record.subarray(0, end));
}
