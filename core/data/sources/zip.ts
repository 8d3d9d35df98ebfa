/** Pictures in a zip file, read in place by random access; nothing is unpacked to disk. */
import { isUtf8 } from 'node:buffer';
import { realpath, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, crc32, inflateRaw, inflateRawSync } from 'node:zlib';
import yauzl from 'yauzl';
import { fileError, systemCode, UserError } from '../../base/errors.ts';
import type { NewProblem } from '../../storage/records.ts';
import { comparePaths, SKIP_SENTENCES, skipReason } from '../names.ts';
import type { FileRef, FileStat, ImageSource, SourceItem } from './source.ts';
import { LARGEST_FILE } from './source.ts';

const inflate = promisify(inflateRaw);

/** Entries up to this many bytes are unpacked at once; a thread of their own costs more than it saves. */
const SMALL = 65_536;

/** Compressed bytes that surely hold the first bytes of a file. */
const START = 4096;

export class ZipSource implements ImageSource {
  readonly kind = 'zip';
  readonly path: string;
  readonly #zip: yauzl.ZipFile;
  readonly #entries = new Map<string, yauzl.Entry>();
  readonly #folders = new Set<string>();
  readonly #problems: NewProblem[] = [];
  readonly #skipped = new Set<string>();

  private constructor(path: string, zip: yauzl.ZipFile) {
    this.path = path;
    this.#zip = zip;
  }

  /**
   * Open a zip file and read its table of contents.
   * @throws UserError 'not-found', 'no-permission', 'damaged'
   */
  static async open(path: string): Promise<ZipSource> {
    let zip: yauzl.ZipFile | undefined;
    try {
      if (!(await stat(path)).isFile()) throw new UserError('usage', `${path} is not a file. Check the path.`);
      zip = await yauzl.openPromise(path, { autoClose: false, lazyEntries: true, decodeStrings: false });
      const source = new ZipSource(path, zip);
      for await (const entry of zip.eachEntry()) source.#take(entry);
      return source;
    } catch (error) {
      zip?.close();
      if (error instanceof UserError) throw error;
      if (systemCode(error) !== undefined) throw fileError(error, 'read the zip file', path);
      const why = error instanceof Error ? error.message : String(error);
      throw new UserError('damaged', `${path} is not a zip file or is damaged (${why}). Check or copy it again.`, {
        cause: error,
      });
    }
  }

  async *list(signal?: AbortSignal): AsyncGenerator<SourceItem> {
    for (const problem of this.#problems) yield { type: 'problem', problem };
    const paths = [...this.#folders, ...this.#entries.keys()].toSorted(comparePaths);
    for (const path of paths) {
      if (signal?.aborted) return;
      yield this.#entries.has(path) ? { type: 'file', file: { path } } : { type: 'folder', path };
    }
  }

  async stat(file: FileRef): Promise<FileStat> {
    const entry = this.#entry(file);
    // Most zip files hold local time without a zone; read as UTC it is the same number on every machine.
    const mtimeMs = entry.getLastModDate({ timezone: 'UTC' }).getTime();
    return { size: entry.uncompressedSize, mtimeMs: Number.isFinite(mtimeMs) ? Math.trunc(mtimeMs) : 0 };
  }

  async read(file: FileRef, limit?: number): Promise<Buffer> {
    const entry = this.#entry(file);
    if (limit !== undefined) return this.#readStart(entry, limit);
    if (entry.uncompressedSize > LARGEST_FILE) throw new UserError('unreadable', 'it is too large');
    const packed = await this.#raw(entry, entry.compressedSize);
    const bytes = entry.compressionMethod === 0 ? packed : await unpack(packed, entry.uncompressedSize);
    if (bytes.length !== entry.uncompressedSize || crc32(bytes) !== entry.crc32) {
      throw new UserError('damaged', 'its bytes in the zip file are damaged');
    }
    return bytes;
  }

  realPath(file: FileRef): Promise<string> {
    this.#entry(file);
    return realpath(this.path);
  }

  async close(): Promise<void> {
    this.#zip.close();
  }

  #entry(file: FileRef): yauzl.Entry {
    const entry = this.#entries.get(file.path);
    if (!entry) throw new UserError('not-found', 'it is no longer in the zip file');
    return entry;
  }

  async #readStart(entry: yauzl.Entry, limit: number): Promise<Buffer> {
    const packed = await this.#raw(entry, Math.min(entry.compressedSize, Math.max(limit, START)));
    const bytes =
      entry.compressionMethod === 0 ? packed : inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
    return bytes.subarray(0, limit);
  }

  /** The first `length` bytes of an entry as they lie in the file. */
  async #raw(entry: yauzl.Entry, length: number): Promise<Buffer> {
    const stream = await this.#zip.openReadStreamPromise(entry, { decodeFileData: false, start: 0, end: length });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  /** File one entry of the table of contents under what it is. */
  #take(entry: yauzl.Entry): void {
    const name = entryName(entry);
    const path = name.replace(/\/+$/, '');
    const problem = (kind: string, severity: NewProblem['severity'], reason: string): void => {
      this.#problems.push({ path, kind, severity, reason });
    };
    if (path === '') return;
    const parts = path.split('/');
    const skipped = parts.findIndex((part) => skipReason(part) !== undefined);
    if (skipped >= 0) return this.#skip(parts, skipped);
    const unsafe = yauzl.validateFileName(path);
    if (unsafe !== null || parts.includes('') || parts.includes('.')) {
      return problem(
        'unsafe-name',
        'error',
        'The name points outside of the zip file or is malformed. It is not read.',
      );
    }
    for (let depth = 1; depth < parts.length; depth++) this.#folders.add(parts.slice(0, depth).join('/'));
    if (name.endsWith('/')) {
      this.#folders.add(path);
    } else if (!entry.canDecodeFileData()) {
      const why = entry.isEncrypted() ? 'is encrypted' : `is packed by method ${entry.compressionMethod}`;
      problem(
        'unreadable',
        'error',
        `The file ${why}, which is not supported. Unpack the zip file and import the folder.`,
      );
    } else if (this.#entries.has(path)) {
      problem('repeated-name', 'warning', 'The zip file holds this name more than once. The first one is used.');
    } else {
      this.#entries.set(path, entry);
    }
  }

  #skip(parts: string[], index: number): void {
    const path = parts.slice(0, index + 1).join('/');
    const reason = skipReason(parts[index])!;
    if (this.#skipped.has(path)) return;
    this.#skipped.add(path);
    this.#problems.push({ path, kind: `${reason}-file`, severity: 'note', reason: SKIP_SENTENCES[reason] });
  }
}

/** The entry's name as text. Some programs write UTF-8 without saying so, which the format would read as CP437. */
function entryName(entry: yauzl.Entry): string {
  const raw = entry.fileNameRaw;
  if (isUtf8(raw) && raw.some((byte) => byte >= 0x80)) return raw.toString('utf8').replaceAll('\\', '/');
  return yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, raw, entry.extraFields, false);
}

/** @param size what it must come to; more is refused, so that a small file cannot fill the memory */
async function unpack(packed: Buffer, size: number): Promise<Buffer> {
  const options = { maxOutputLength: Math.max(size, 1) };
  try {
    return size <= SMALL ? inflateRawSync(packed, options) : await inflate(packed, options);
  } catch (error) {
    throw new UserError('damaged', 'its bytes in the zip file are damaged', { cause: error });
  }
}
