/** The files behind a snapshot, read as they were imported or not at all. */
import { join } from 'node:path';
import { systemCode, UserError } from '../base/errors.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { DatasetSnapshot, SnapshotImage } from './snapshot.ts';
import { describeFailure } from './sources/failure.ts';
import { openSource } from './sources/open.ts';
import type { ImageSource } from './sources/source.ts';

/** What names a file of a snapshot, and proves that it is the one. */
export type SnapshotFile = Pick<SnapshotImage, 'root' | 'path' | 'pathBytes' | 'hash'>;

/** With the upright size of its picture, pixels. */
export type SizedFile = SnapshotFile & Pick<SnapshotImage, 'width' | 'height'>;

export class SnapshotFiles {
  readonly #roots: DatasetSnapshot['roots'];
  readonly #sources = new Map<number, Promise<ImageSource>>();

  constructor(roots: DatasetSnapshot['roots']) {
    this.#roots = roots;
  }

  /**
   * A file's bytes, checked against the content that was imported.
   * @throws UserError 'not-found', 'unreadable' or 'changed', naming the file
   */
  async read(image: SnapshotFile): Promise<Buffer> {
    let bytes: Buffer;
    try {
      const source = await this.#source(image.root);
      const pathBytes = image.pathBytes === undefined ? null : Buffer.from(image.pathBytes, 'base64');
      bytes = await source.read({ path: image.path, pathBytes });
    } catch (error) {
      const gone = systemCode(error) === 'ENOENT' || (error instanceof UserError && error.code === 'not-found');
      throw new UserError(
        gone ? 'not-found' : 'unreadable',
        `Cannot read ${this.name(image)}: ${describeFailure(error)}.`,
        { cause: error },
      );
    }
    if (sha256(bytes) === image.hash) return bytes;
    throw new UserError('changed', `${this.name(image)} is not the file that was imported.`);
  }

  /** Where a file lies, for people. */
  name({ root, path }: Pick<SnapshotFile, 'root' | 'path'>): string {
    const source = this.#roots[root];
    return source.kind === 'folder' ? join(source.path, path) : `${path} (of ${source.path})`;
  }

  async close(): Promise<void> {
    for (const opened of await Promise.allSettled(this.#sources.values())) {
      if (opened.status === 'fulfilled') await opened.value.close();
    }
  }

  #source(root: number): Promise<ImageSource> {
    const source = this.#sources.get(root) ?? openSource(this.#roots[root]);
    this.#sources.set(root, source);
    return source;
  }
}
