/** Pictures that are files of their own, as a folder or a CSV file has them. */
import * as fs from 'node:fs';
import type { Stats } from 'node:fs';
import * as promises from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { systemCode, UserError } from '../../base/errors.ts';
import type { Source } from '../../storage/records.ts';
import { nameBytes } from '../names.ts';
import type { FileRef, FileStat, SourceFiles } from './source.ts';

/** What is asked of the file system for one file; `node:fs/promises` is one. */
export interface FileFs {
  stat(path: Buffer): Promise<Stats>;
  readFile(path: Buffer): Promise<Buffer>;
  open(path: Buffer | string, flags: 'r'): Promise<OpenFile>;
}

interface OpenFile {
  read(bytes: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

/**
 * Blocks while it reads, for threads that have nothing else to do. A small file costs a quarter of what it costs by
 * `node:fs/promises`, which goes to the thread pool and back for every step.
 */
export const blockingFs: FileFs = {
  stat: async (path) => fs.statSync(path),
  readFile: async (path) => fs.readFileSync(path),
  open: async (path, flags) => {
    const file = fs.openSync(path, flags);
    return {
      read: async (...where) => ({ bytesRead: fs.readSync(file, ...where) }),
      close: async () => fs.closeSync(file),
    };
  },
};

/** Whose files are read. */
export interface FilesOf {
  kind: Exclude<Source['kind'], 'zip'>;
  /** Absolute path of the folder or CSV file. */
  path: string;
}

export class FileReader implements SourceFiles {
  readonly #folder: Buffer;
  readonly #isListed: boolean;
  readonly #fs: FileFs;

  constructor({ kind, path }: FilesOf, by: FileFs = promises) {
    this.#folder = Buffer.from(kind === 'csv' ? dirname(path) : path);
    this.#isListed = kind === 'csv';
    this.#fs = by;
  }

  async stat(file: FileRef): Promise<FileStat> {
    const stat = await this.#find(file, (path) => this.#fs.stat(path));
    if (!stat.isFile()) throw new UserError('unreadable', 'it is not a file');
    return { size: stat.size, mtimeMs: Math.trunc(stat.mtimeMs) };
  }

  read(file: FileRef, limit?: number): Promise<Buffer> {
    return this.#find(file, (path) =>
      limit === undefined ? this.#fs.readFile(path) : readStart(this.#fs, path, limit),
    );
  }

  /**
   * Where a file truly lies, with all links followed; bytes that are not UTF-8 come out as replacement characters.
   * @throws system errors; `UserError` 'no-permission' when the name leads out of the folder. A list may name any file
   */
  async realPath(file: FileRef): Promise<string> {
    if (!this.#isListed && file.path.split('/').includes('..')) {
      throw new UserError('no-permission', 'its name leads out of the folder');
    }
    const real = await this.#find(file, (path) => promises.realpath(path, { encoding: 'buffer' }));
    return real.toString('utf8');
  }

  /** Find a file by the name that the disk gave; one that a person wrote in a list, also by its other Unicode forms. */
  async #find<T>({ path, pathBytes }: FileRef, use: (path: Buffer) => Promise<T>): Promise<T> {
    const exact = nameBytes(path, pathBytes);
    if (!this.#isListed) return use(this.#inFolder(exact));
    try {
      return await use(this.#listed(exact));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || pathBytes) throw error;
      for (const form of ['NFC', 'NFD']) {
        const other = path.normalize(form);
        if (other === path) continue;
        try {
          return await use(this.#listed(Buffer.from(other)));
        } catch (again) {
          if (systemCode(again) !== 'ENOENT') throw again;
        }
      }
      throw error;
    }
  }

  #listed(path: Buffer): Buffer {
    return isAbsolute(path.toString('latin1')) ? path : this.#inFolder(path);
  }

  #inFolder(path: Buffer): Buffer {
    return path.length === 0 ? this.#folder : Buffer.concat([this.#folder, SLASH, path]);
  }
}

const SLASH = Buffer.from('/');

/** The first bytes of a file. */
export async function readStart(by: Pick<FileFs, 'open'>, path: Buffer | string, limit: number): Promise<Buffer> {
  const file = await by.open(path, 'r');
  try {
    const bytes = Buffer.alloc(limit);
    const { bytesRead } = await file.read(bytes, 0, limit, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
