/** The pictures that a model is asked about: those of folders, zip files and lists, and single files; and their pixels. */
import { readFile, stat } from 'node:fs/promises';
import { systemCode, UserError } from '../base/errors.ts';
import { decodeRgb, type Target } from '../data/decode.ts';
import { otherFormat, sniffFormat } from '../data/formats.ts';
import { promisedKind } from '../data/names.ts';
import { describeFailure } from '../data/sources/failure.ts';
import { openSource } from '../data/sources/open.ts';
import type { ImageSource, SourceItem } from '../data/sources/source.ts';
import type { Source } from '../storage/records.ts';

/** Where to look for pictures. */
export interface PictureInput {
  /** "picture": one file that is to be a picture. */
  kind: Source['kind'] | 'picture';
  /** Absolute. */
  path: string;
  /** What a picture's file is called in the answer; of a source, what stands before the path inside it. */
  name: string;
}

/** A picture that was found, or why something that is to be one cannot be looked at. */
export type FoundPicture =
  | {
      file: string;
      read: () => Promise<Buffer>;
      /** A file that turns out to be no picture is passed over: nobody has called it one. */
      unnamed: boolean;
    }
  /** One sentence. */
  | { file: string; reason: string };

/** One picture: its pixels, or why there are none. */
export type Picture =
  | { file: string; pixels: Uint8Array }
  /** One sentence. */
  | { file: string; reason: string };

/** All pictures of some inputs, in their order. Close it after use. */
export class FoundPictures {
  readonly pictures: FoundPicture[] = [];
  readonly #sources: ImageSource[] = [];

  /**
   * Look through inputs.
   * @throws UserError when a folder, zip or CSV file is gone, unreadable or damaged
   */
  static async find(inputs: readonly PictureInput[], signal: AbortSignal): Promise<FoundPictures> {
    const found = new FoundPictures();
    try {
      for (const input of inputs) {
        if (signal.aborted) break;
        await found.#look(input, signal);
      }
    } catch (error) {
      await found.close();
      throw error;
    }
    return found;
  }

  async #look({ kind, path, name }: PictureInput, signal: AbortSignal): Promise<void> {
    if (kind === 'picture') {
      this.pictures.push({ file: name, read: () => readSingle(path), unnamed: false });
      return;
    }
    const source = await openSource({ kind, path });
    this.#sources.push(source);
    for await (const item of source.list(signal)) {
      const picture = pictureOf(source, item, name);
      if (picture) this.pictures.push(picture);
    }
  }

  async close(): Promise<void> {
    for (const source of this.#sources) await source.close();
  }
}

/** What of a source is to be told of: pictures, what is called one, and what could not be looked at. */
function pictureOf(source: ImageSource, item: SourceItem, before: string): FoundPicture | undefined {
  if (item.type === 'folder') return undefined;
  if (item.type === 'problem') {
    const { severity, path, reason } = item.problem;
    return severity === 'note' ? undefined : { file: before + path, reason };
  }
  const { file } = item;
  const promised = promisedKind(file.path);
  if (promised === 'other') return undefined;
  return { file: before + file.path, read: () => source.read(file), unnamed: promised === 'unnamed' };
}

async function readSingle(path: string): Promise<Buffer> {
  if (!(await stat(path)).isFile()) throw new UserError('unreadable', 'it is not a file');
  return readFile(path);
}

/**
 * Read and decode one picture.
 * @param target as evaluation was shown pictures in training
 * @returns undefined for a file that nobody has called a picture and that is none
 */
export async function readPicture(found: FoundPicture, target: Target): Promise<Picture | undefined> {
  if ('reason' in found) return found;
  const { file, read, unnamed } = found;
  try {
    const bytes = await read();
    if (!sniffFormat(bytes)) {
      if (unnamed) return undefined;
      const other = otherFormat(bytes);
      return { file, reason: other ? `${other} pictures are not read.` : 'It is not a picture that can be read.' };
    }
    return { file, pixels: await decodeRgb(bytes, target) };
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof UserError)) throw error;
    const reason = describeFailure(error);
    return { file, reason: `${reason[0].toUpperCase()}${reason.slice(1).replace(/\.$/, '')}.` };
  }
}
