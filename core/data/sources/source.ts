/** Where pictures come from, behind one small interface: a folder, a zip file or a CSV file that lists them. */
import type { NewProblem, Source, Split } from '../../storage/records.ts';

/** Names one file inside a source. */
export interface FileRef {
  /** Path inside the source with `/` between parts, as text (see `DiskName.text`). */
  path: string;
  /** The exact bytes of the path where they are not valid UTF-8. */
  pathBytes?: Uint8Array | null;
}

/** What a source holds, in a stable order: the same content is always listed in the same order. */
export type SourceItem =
  | {
      type: 'file';
      file: FileRef;
      /** What the source itself says of the file (CSV); otherwise the folders say it. */
      given?: { className: string; split: Split | null };
    }
  /** A folder that could be a class: listed even when it is empty. */
  | { type: 'folder'; path: string }
  /** Something that cannot be used, or is not looked at. */
  | { type: 'problem'; problem: NewProblem };

export interface FileStat {
  /** Bytes. */
  size: number;
  /** Whole milliseconds since 1970. */
  mtimeMs: number;
}

/** Reads the files that a source lists. */
export interface SourceFiles {
  /** @throws system errors and `UserError`; see `describeFailure` */
  stat(file: FileRef): Promise<FileStat>;
  /**
   * Read a file's bytes.
   * @param limit read at most this many from the start
   * @throws system errors and `UserError`; see `describeFailure`
   */
  read(file: FileRef, limit?: number): Promise<Buffer>;
}

export interface ImageSource extends SourceFiles {
  readonly kind: Source['kind'];
  /** Absolute path of the folder, zip or CSV file. */
  readonly path: string;
  /**
   * Everything in it. Nothing that is met throws: it becomes a problem.
   * @throws UserError when the source itself is gone, unreadable or damaged
   */
  list(signal?: AbortSignal): AsyncIterable<SourceItem>;
  /**
   * Where a file's bytes truly lie, with all links followed: the file, or the zip file that it is in.
   * @throws system errors; `UserError` 'no-permission' when its name leads out of a folder
   */
  realPath(file: FileRef): Promise<string>;
  close(): Promise<void>;
}

/** Largest file that is read as a picture, bytes. */
export const LARGEST_FILE = 2 ** 30;
