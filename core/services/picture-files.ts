/** The files of a project's images, read one by one for the eye. Zip files stay open for a while. */
import { stat } from 'node:fs/promises';
import { systemCode, UserError } from '../base/errors.ts';
import { describeFailure } from '../data/sources/failure.ts';
import { openSource } from '../data/sources/open.ts';
import type { ImageSource } from '../data/sources/source.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { ImageRecord, Source } from '../storage/records.ts';

/** A zip file that nobody reads is closed after this time, milliseconds: an open one cannot be replaced everywhere. */
const IDLE_MS = 20_000;

interface OpenZip {
  /** Names the file as it was when it was opened. */
  stamp: string;
  source: Promise<ImageSource>;
  readers: number;
  closing: NodeJS.Timeout | undefined;
}

export class PictureFiles {
  readonly #store: ProjectStore;
  readonly #zips = new Map<number, OpenZip>();

  constructor(store: ProjectStore) {
    this.#store = store;
  }

  /**
   * Read an image's file as it is now; the caller compares its content with what was imported.
   * @param check is given where the bytes truly lie, all links followed, and throws when they may not be read
   * @throws UserError 'not-found' (the source or the file), 'no-permission', 'changed' (of another size than imported),
   *   'damaged' (inside a zip file), 'unreadable'
   */
  async read(image: ImageRecord, check: (realPath: string) => unknown): Promise<Buffer> {
    const source = this.#store.sources.get(image.sourceId)!;
    return this.#with(source, async (opened) => {
      try {
        check(await opened.realPath(image));
        const { size } = await opened.stat(image);
        if (size !== image.size) {
          throw new UserError('changed', `${image.path} is not the file that was imported. Scan its source again.`);
        }
        return await opened.read(image);
      } catch (error) {
        throw failure(error, image, source);
      }
    });
  }

  /** Close what is open. */
  close(): void {
    for (const zip of this.#zips.values()) letGo(zip);
    this.#zips.clear();
  }

  async #with<T>(source: Source, use: (opened: ImageSource) => Promise<T>): Promise<T> {
    if (source.kind !== 'zip') return use(await openSource(source));
    const zip = await this.#zip(source);
    zip.readers += 1;
    clearTimeout(zip.closing);
    try {
      return await use(await zip.source);
    } finally {
      zip.readers -= 1;
      if (zip.readers === 0) zip.closing = setTimeout(() => this.#drop(source.id, zip), IDLE_MS).unref();
    }
  }

  /** The open zip file, opened anew where it is another one than before. */
  async #zip(source: Source): Promise<OpenZip> {
    const stamp = await stampOf(source.path);
    const known = this.#zips.get(source.id);
    if (known?.stamp === stamp) return known;
    if (known) this.#drop(source.id, known);
    const opened: OpenZip = { stamp, source: openSource(source), readers: 0, closing: undefined };
    this.#zips.set(source.id, opened);
    opened.source.catch(() => this.#drop(source.id, opened));
    return opened;
  }

  #drop(sourceId: number, zip: OpenZip): void {
    if (this.#zips.get(sourceId) === zip) this.#zips.delete(sourceId);
    letGo(zip);
  }
}

function letGo(zip: OpenZip): void {
  clearTimeout(zip.closing);
  // Streams that are under way end first.
  zip.source.then(
    (source) => source.close(),
    () => {},
  );
}

async function stampOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(path);
    return [path, dev, ino, size, mtimeMs].join(' ');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') return path;
    throw sourceGone(path);
  }
}

const sourceGone = (path: string): UserError =>
  new UserError('not-found', `${path} is not there. If it has moved, relink it on the import page.`);

function failure(error: unknown, image: ImageRecord, source: Source): unknown {
  if (error instanceof UserError && (error.code === 'changed' || error.code === 'no-permission')) return error;
  const code = systemCode(error);
  if (code === undefined && !(error instanceof UserError)) return error;
  const kind = error instanceof UserError ? error.code : code === 'ENOENT' ? 'not-found' : 'unreadable';
  const why = describeFailure(error);
  return new UserError(kind, `${image.path} of ${source.path} cannot be read: ${why}. Scan its source again.`, {
    cause: error,
  });
}
