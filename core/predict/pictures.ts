/** The pictures of a folder or zip file, decoded for a model; what cannot be read is told, not thrown. */
import { systemCode, UserError } from '../base/errors.ts';
import { decodeRgb, type Target } from '../data/decode.ts';
import { otherFormat, sniffFormat } from '../data/formats.ts';
import { promisedKind } from '../data/names.ts';
import { describeFailure } from '../data/sources/failure.ts';
import type { ImageSource, SourceItem } from '../data/sources/source.ts';

/** One file of the source: its pixels, or why there are none. */
export type Picture =
  | { file: string; pixels: Uint8Array }
  /** One sentence. */
  | { file: string; reason: string };

/** Whether an item of a source is to be told of at all: pictures, what is called one, and what could not be looked at. */
export function concernsPictures(item: SourceItem): boolean {
  if (item.type === 'problem') return item.problem.severity !== 'note';
  return item.type === 'file' && promisedKind(item.file.path) !== 'other';
}

/**
 * Read and decode one file.
 * @param target as evaluation was shown pictures in training
 * @returns undefined for a file without an ending that is no picture
 */
export async function readPicture(source: ImageSource, item: SourceItem, target: Target): Promise<Picture | undefined> {
  if (item.type === 'problem') return { file: item.problem.path, reason: item.problem.reason };
  if (item.type === 'folder') return undefined;
  const { path } = item.file;
  const promised = promisedKind(path);
  try {
    const bytes = await source.read(item.file);
    if (!sniffFormat(bytes)) {
      if (promised === 'unnamed') return undefined;
      const other = otherFormat(bytes);
      return {
        file: path,
        reason: other ? `${other} pictures are not read.` : 'It is not a picture that can be read.',
      };
    }
    return { file: path, pixels: await decodeRgb(bytes, target) };
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof UserError)) throw error;
    const reason = describeFailure(error);
    return { file: path, reason: `${reason[0].toUpperCase()}${reason.slice(1).replace(/\.$/, '')}.` };
  }
}
