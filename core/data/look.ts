/** One look at one file of a source, by whichever thread has time: is it a picture, which, and what is wrong with it. */
import { systemCode, UserError } from '../base/errors.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { ImageRecord, NewProblem } from '../storage/records.ts';
import { otherFormat, SNIFF_LENGTH, sniffFormat } from './formats.ts';
import { endingMisleads, inspectImage, type ImageFacts } from './inspect.ts';
import { promisedKind } from './names.ts';
import { describeFailure } from './sources/failure.ts';
import { LARGEST_FILE, type FileRef, type FileStat, type SourceFiles } from './sources/source.ts';

/** What a file's content says, and when it was last looked at. Known ones of the same size and time are not read again. */
export type FileFacts = Pick<ImageRecord, 'size' | 'mtimeMs' | 'hash' | 'width' | 'height' | 'format' | 'orientation'>;

/** A file to look at. */
export interface LookOrder {
  file: FileRef;
  /** Size and time at the last look, if there was one. */
  known?: FileStat;
}

/** What a look finds; plain JSON. */
export type Look =
  | { type: 'as-known' }
  | { type: 'picture'; facts: FileFacts; notes: NewProblem[] }
  /** @property there whether there is a file that can be read, of whatever content */
  | { type: 'refused'; problem: NewProblem; there: boolean };

/** File bytes in memory at once, of all threads together. */
export const LOOK_MEMORY = 512 * 2 ** 20;

/** Bounds the bytes that are in memory at once; see `flow.ts`. */
export interface Budget {
  with<T>(bytes: number, work: () => Promise<T>): Promise<T>;
}

/** Look at one file. Whatever is wrong with it becomes a problem; nothing about a file stops an import. */
export async function lookAtFile({ file, known }: LookOrder, source: SourceFiles, budget: Budget): Promise<Look> {
  try {
    const stat = await source.stat(file);
    if (known && known.size === stat.size && known.mtimeMs === stat.mtimeMs) return { type: 'as-known' };
    return await readFacts(file, stat, source, budget);
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof UserError)) throw error;
    const reason = `The file cannot be read: ${describeFailure(error)}.`;
    return {
      type: 'refused',
      problem: { path: file.path, kind: 'unreadable', severity: 'error', reason },
      there: false,
    };
  }
}

/** Read a file and say what picture it is, or why it is none. */
async function readFacts(file: FileRef, stat: FileStat, source: SourceFiles, budget: Budget): Promise<Look> {
  const promised = promisedKind(file.path);
  const refuse = (kind: string, severity: NewProblem['severity'], reason: string): Look =>
    refused({ path: file.path, kind, severity, reason });
  // Only what is called a picture is read whole before its first bytes are seen.
  if (promised !== 'image' && stat.size > 0) {
    const start = await source.read(file, SNIFF_LENGTH);
    if (!sniffFormat(start)) return noPicture(file, start);
  }
  if (stat.size === 0) {
    return promised === 'image'
      ? refuse('empty-file', 'error', 'The file is empty.')
      : noPicture(file, Buffer.alloc(0));
  }
  if (stat.size > LARGEST_FILE) return refuse('too-large', 'error', 'The file is larger than 1 GiB and is not read.');
  return budget.with(stat.size, async () => {
    const bytes = await source.read(file);
    if (bytes.length !== stat.size) {
      return refuse('changing', 'error', 'The file changed while it was read. Import again when it is complete.');
    }
    const format = sniffFormat(bytes);
    if (!format) return noPicture(file, bytes);
    try {
      const picture = await inspectImage(bytes, format);
      const { width, height, orientation } = picture;
      const facts = { ...stat, hash: sha256(bytes), width, height, format, orientation };
      return { type: 'picture', facts, notes: remarks(file.path, picture) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return refuse('damaged', 'error', `The picture cannot be used: ${error.message}.`);
    }
  });
}

const refused = (problem: NewProblem): Look => ({ type: 'refused', problem, there: true });

/** Nothing is wrong with these, but they are not quite what they seem. */
function remarks(path: string, { format, frames, plainDepth }: ImageFacts): NewProblem[] {
  const found: NewProblem[] = [];
  const remark = (severity: NewProblem['severity'], kind: string, reason: string): void =>
    void found.push({ path, kind, severity, reason });
  if (endingMisleads(path, format)) {
    const reason = `The file is a ${format.toUpperCase()} picture whatever its name says, and is used.`;
    remark('note', 'misleading-ending', reason);
  }
  if (frames > 1) remark('note', 'first-frame', `The file holds ${frames} frames or pages. The first one is used.`);
  if (!plainDepth) {
    const reason = 'The picture has neither 8 nor 16 bits a value and may come out black or white. Convert it if so.';
    remark('warning', 'unusual-depth', reason);
  }
  return found;
}

function noPicture(file: FileRef, start: Buffer): Look {
  const { path } = file;
  const promised = promisedKind(path);
  const other = otherFormat(start);
  if (other !== undefined || promised === 'other-image') {
    const what = other === undefined ? 'a format' : `the ${other} format`;
    const reason = `The picture is in ${what} that is not read. Convert it to JPEG or PNG.`;
    return refused({ path, kind: 'unsupported-format', severity: 'error', reason });
  }
  return promised === 'image'
    ? refused({ path, kind: 'damaged', severity: 'error', reason: 'The file is called a picture but holds none.' })
    : refused({ path, kind: 'not-an-image', severity: 'note', reason: 'The file is not a picture.' });
}
