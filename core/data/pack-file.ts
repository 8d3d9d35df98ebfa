/**
 * A file of records of one length, made once and read by index: decoded pictures of one size, features of pictures.
 *
 *     64 bytes      "CTXPACK2", count (u32), bytes of a record (u32), key (32 bytes), zeros
 *     8 x count     CRC-32 of each record (u32), 1 once it is there (u32)
 *     rest          the records
 *
 * Numbers are little-endian. While it is written its name ends in the writer's process id, so that two jobs never write
 * one file, and what a dead job left is taken over by the next.
 */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncFolder, TEMPORARY_SUFFIX } from '../base/durable-file.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { freeBytes } from '../base/free-space.ts';

/** What a pack holds. */
export interface PackShape {
  /** SHA-256, 64 hex digits, of everything that its records follow from. */
  key: string;
  /** Records. */
  count: number;
  /** Bytes of each. */
  recordBytes: number;
}

const MAGIC = 'CTXPACK2';
const HEADER = 64;
const ENTRY = 8;

/** Of a picture, 8-bit RGB. @param size side, pixels */
export const pictureBytes = (size: number): number => size * size * 3;
export const packBytes = ({ count, recordBytes }: Pick<PackShape, 'count' | 'recordBytes'>): number =>
  HEADER + count * (ENTRY + recordBytes);

/** An open pack file, finished or not. */
export class PackFile {
  readonly path: string;
  readonly shape: PackShape;
  readonly #fd: number;
  readonly #table: Buffer;
  readonly #writing: boolean;
  #open = true;

  private constructor(path: string, shape: PackShape, fd: number, table: Buffer, writing: boolean) {
    this.path = path;
    this.shape = shape;
    this.#fd = fd;
    this.#table = table;
    this.#writing = writing;
  }

  /**
   * Open a finished pack to read, or an unfinished one to go on.
   * @returns undefined when it is not there or is not a pack of this shape
   */
  static open(path: string, shape: PackShape, mode: 'read' | 'write'): PackFile | undefined {
    let fd: number;
    try {
      fd = fs.openSync(path, mode === 'read' ? 'r' : 'r+');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw fileError(error, 'open packed pictures', path);
    }
    const head = Buffer.alloc(HEADER + shape.count * ENTRY);
    const complete = fs.readSync(fd, head, 0, head.length, 0) === head.length;
    const fits = complete && head.subarray(0, HEADER).equals(header(shape));
    if (fits && (mode === 'write' || fs.fstatSync(fd).size === packBytes(shape))) {
      noteUse(path);
      return new PackFile(path, shape, fd, head.subarray(HEADER), mode === 'write');
    }
    fs.closeSync(fd);
    return undefined;
  }

  /** Begin a pack, or take over what a dead process left of it. @param path the finished file's */
  static begin(path: string, shape: PackShape): PackFile {
    const part = `${path}.${process.pid}${TEMPORARY_SUFFIX}`;
    try {
      fs.mkdirSync(dirname(path), { recursive: true });
      for (const left of abandonedParts(path)) {
        fs.renameSync(left, part);
        const pack = PackFile.open(part, shape, 'write');
        if (pack) return pack;
      }
      checkSpace(dirname(path), packBytes(shape));
      const fd = fs.openSync(part, 'w+');
      fs.writeSync(fd, header(shape), 0, HEADER, 0);
      const pack = new PackFile(part, shape, fd, Buffer.alloc(shape.count * ENTRY), true);
      pack.saveTable();
      return pack;
    } catch (error) {
      throw fileError(error, 'write packed pictures', part);
    }
  }

  /** Whether record `i` is marked as there. */
  has(i: number): boolean {
    return this.#table.readUInt32LE(i * ENTRY + 4) === 1;
  }

  /** Whether these bytes are record `i` as it was written. */
  matches(i: number, bytes: Uint8Array): boolean {
    return this.has(i) && this.#table.readUInt32LE(i * ENTRY) === crc32(bytes);
  }

  /** Read the bytes of `count` records from `first` on, checked or not yet. */
  readRaw(first: number, count: number, out: Uint8Array): void {
    const length = count * this.shape.recordBytes;
    try {
      for (let done = 0; done < length;) {
        const read = fs.readSync(this.#fd, out, done, length - done, this.#offset(first) + done);
        // What was never written reads as zeros.
        if (read === 0) return void out.fill(0, done, length);
        done += read;
      }
    } catch (error) {
      throw fileError(error, 'read packed pictures', this.path);
    }
  }

  write(i: number, bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) {
        done += fs.writeSync(this.#fd, bytes, done, bytes.length - done, this.#offset(i) + done);
      }
    } catch (error) {
      throw fileError(error, 'write packed pictures', this.path);
    }
    this.#table.writeUInt32LE(crc32(bytes), i * ENTRY);
    this.#table.writeUInt32LE(1, i * ENTRY + 4);
  }

  forget(i: number): void {
    this.#table.writeUInt32LE(0, i * ENTRY + 4);
  }

  /** Write down which records are there. Cheap; records themselves are checked when they are read. */
  saveTable(): void {
    try {
      fs.writeSync(this.#fd, this.#table, 0, this.#table.length, HEADER);
    } catch (error) {
      throw fileError(error, 'write packed pictures', this.path);
    }
  }

  /** Make it last under its final name, and close it. */
  finish(path: string): void {
    try {
      this.saveTable();
      fs.fsyncSync(this.#fd);
      this.#close();
      fs.renameSync(this.path, path);
      syncFolder(dirname(path));
    } catch (error) {
      throw fileError(error, 'write packed pictures', path);
    }
  }

  /** Close it; an unfinished one notes what is there. */
  close(): void {
    if (!this.#open) return;
    try {
      if (this.#writing) this.saveTable();
    } finally {
      this.#close();
    }
  }

  #close(): void {
    this.#open = false;
    fs.closeSync(this.#fd);
  }

  #offset(i: number): number {
    return HEADER + this.shape.count * ENTRY + i * this.shape.recordBytes;
  }
}

/** The file's time says when it was last used; see `prune-packs.ts`. */
function noteUse(path: string): void {
  try {
    fs.utimesSync(path, new Date(), new Date());
  } catch (error) {
    // Somebody else's file, or a file system that may only be read: it is good all the same.
    if (systemCode(error) === undefined) throw error;
  }
}

function header({ key, count, recordBytes }: PackShape): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(count, 8);
  bytes.writeUInt32LE(recordBytes, 12);
  bytes.write(key, 16, 'hex');
  return bytes;
}

/** Unfinished files of this pack whose writers are dead, or are us. */
function abandonedParts(path: string): string[] {
  const start = `${basename(path)}.`;
  return fs
    .readdirSync(dirname(path))
    .filter((name) => name.startsWith(start) && name.endsWith(TEMPORARY_SUFFIX))
    .filter((name) => !isOthers(Number(name.slice(start.length, -TEMPORARY_SUFFIX.length))))
    .map((name) => join(dirname(path), name));
}

function isOthers(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function checkSpace(folder: string, bytes: number): void {
  if (freeBytes(folder) >= bytes) return;
  const gigabytes = (bytes / 1e9).toFixed(1);
  throw new UserError(
    'no-space',
    `Packed pictures need ${gigabytes} GB in ${folder}, and the disk has less. Free some space or choose a smaller size.`,
  );
}
