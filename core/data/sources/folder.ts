/** Pictures in a folder tree. Files stay where they are and are never changed. */
import * as nodeFs from 'node:fs/promises';
import { sep } from 'node:path';
import type { NewProblem } from '../../storage/records.ts';
import { fileError } from '../../base/errors.ts';
import { diskName, SKIP_SENTENCES, skipReason } from '../names.ts';
import { FileReader } from './file-reader.ts';
import { describeFailure } from './failure.ts';
import type { FileRef, FileStat, ImageSource, SourceItem } from './source.ts';

/** What listing asks of the file system; tests put failures here. */
export type FolderFs = Pick<typeof nodeFs, 'readdir' | 'stat' | 'realpath'>;

/** Levels of folders that are followed. */
const DEEPEST = 64;

/** How often one folder is entered through links: without a bound, a few folders that link to each other never end. */
const MOST_VISITS = 8;

const SLASH = Buffer.from('/');
const join = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, SLASH, name]);

/** Paths as keys: one character a byte, so that nothing is lost. */
const key = (path: Buffer): string => path.toString('latin1');

interface Place {
  /** Path inside the source, "" for the source itself. */
  text: string;
  /** Bytes of that path. */
  bytes: Buffer;
  /** True where the text is not the exact path. */
  inexact: boolean;
  /** Real paths of this folder and all that it was reached through, as keys; the last is its own. */
  trail: readonly string[];
}

export class FolderSource implements ImageSource {
  readonly kind = 'folder';
  readonly path: string;
  readonly #root: Buffer;
  readonly #exclude: ReadonlySet<string>;
  readonly #fs: FolderFs;
  readonly #files: FileReader;

  /** @param options.exclude absolute real paths that are not looked into: the project's own folders */
  constructor(path: string, options: { exclude?: readonly string[]; fs?: FolderFs } = {}) {
    this.path = path;
    this.#root = Buffer.from(path);
    this.#exclude = new Set((options.exclude ?? []).map((folder) => key(Buffer.from(folder))));
    this.#fs = options.fs ?? nodeFs;
    this.#files = new FileReader({ kind: 'folder', path });
  }

  async *list(signal?: AbortSignal): AsyncGenerator<SourceItem> {
    let real: Buffer;
    try {
      real = await this.#fs.realpath(this.#root, { encoding: 'buffer' });
    } catch (error) {
      throw fileError(error, 'read the folder', this.path);
    }
    const root: Place = { text: '', bytes: Buffer.alloc(0), inexact: false, trail: [key(real)] };
    yield* this.#walk(root, new Map(), signal);
  }

  stat(file: FileRef): Promise<FileStat> {
    return this.#files.stat(file);
  }

  read(file: FileRef, limit?: number): Promise<Buffer> {
    return this.#files.read(file, limit);
  }

  realPath(file: FileRef): Promise<string> {
    return this.#files.realPath(file);
  }

  async close(): Promise<void> {}

  #absolute(inside: Buffer): Buffer {
    return inside.length === 0 ? this.#root : join(this.#root, inside);
  }

  async *#walk(place: Place, visits: Map<string, number>, signal?: AbortSignal): AsyncGenerator<SourceItem> {
    if (place.text !== '') yield { type: 'folder', path: place.text };
    let entries;
    try {
      entries = await this.#fs.readdir(this.#absolute(place.bytes), { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      if (place.text === '') throw fileError(error, 'read the folder', this.path);
      yield problem(place.text, 'unreadable-folder', 'error', `The folder cannot be read: ${describeFailure(error)}.`);
      return;
    }
    entries.sort((a, b) => Buffer.compare(a.name, b.name));
    for (const entry of entries) {
      if (signal?.aborted) return;
      const name = diskName(entry.name);
      const text = place.text === '' ? name.text : `${place.text}/${name.text}`;
      const skipped = skipReason(name.text);
      if (skipped) {
        yield problem(text, `${skipped}-file`, 'note', SKIP_SENTENCES[skipped]);
        continue;
      }
      const bytes = place.bytes.length === 0 ? entry.name : join(place.bytes, entry.name);
      const child: Place = {
        text,
        bytes,
        inexact: place.inexact || name.bytes !== undefined,
        trail: place.trail,
      };
      const found = entry.isSymbolicLink() ? await this.#follow(child, visits) : this.#direct(entry, child);
      if ('type' in found) {
        yield found;
        continue;
      }
      if (name.bytes) {
        const reason = 'The name is not valid UTF-8. It is read all the same and shown with \\x codes.';
        yield problem(text, 'name-not-utf8', 'note', reason);
      }
      if (found.kind === 'file') {
        yield { type: 'file', file: { path: text, ...(child.inexact ? { pathBytes: bytes } : {}) } };
      } else if (this.#exclude.has(found.real)) {
        yield problem(text, 'own-file', 'note', SKIP_SENTENCES.own);
      } else if (child.trail.length > DEEPEST) {
        const reason = `Folders are read ${DEEPEST} levels deep; this one lies deeper. Move it up.`;
        yield problem(text, 'too-deep', 'error', reason);
      } else {
        yield* this.#walk({ ...child, trail: [...place.trail, found.real] }, visits, signal);
      }
    }
  }

  #direct(entry: { name: Buffer; isFile(): boolean; isDirectory(): boolean }, child: Place): Found | SourceItem {
    if (entry.isFile()) return { kind: 'file' };
    if (entry.isDirectory()) return { kind: 'folder', real: `${child.trail.at(-1)!}${sep}${key(entry.name)}` };
    return notAFile(child.text);
  }

  /** A link to a file or to a folder outside is followed; one that leads back to where we are is not. */
  async #follow(child: Place, visits: Map<string, number>): Promise<Found | SourceItem> {
    const path = this.#absolute(child.bytes);
    try {
      const stat = await this.#fs.stat(path);
      if (stat.isFile()) return { kind: 'file' };
      if (!stat.isDirectory()) return notAFile(child.text);
      const target = await this.#fs.realpath(path, { encoding: 'buffer' });
      const real = key(target);
      if (child.trail.includes(real)) {
        const reason = `The link leads back to ${diskName(target).text}, which holds it. It is not followed.`;
        return problem(child.text, 'link-loop', 'warning', reason);
      }
      const visit = (visits.get(real) ?? 0) + 1;
      if (visit > MOST_VISITS) {
        const reason = `Links have led to ${diskName(target).text} ${MOST_VISITS} times already. This one is not followed.`;
        return problem(child.text, 'link-repeated', 'warning', reason);
      }
      visits.set(real, visit);
      return { kind: 'folder', real };
    } catch (error) {
      return problem(child.text, 'unreadable', 'error', `The link cannot be followed: ${describeFailure(error)}.`);
    }
  }
}

type Found = { kind: 'file' } | { kind: 'folder'; real: string };

const notAFile = (path: string): SourceItem =>
  problem(path, 'not-a-file', 'note', 'It is neither a file nor a folder and is not read.');

function problem(path: string, kind: string, severity: NewProblem['severity'], reason: string): SourceItem {
  return { type: 'problem', problem: { path, kind, severity, reason } };
}
