/** The two looks that an import takes at a source: one at the tree as a whole, one at each file. */
import { systemCode, UserError } from '../base/errors.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { ImageRecord, NewProblem, Split } from '../storage/records.ts';
import type { ByteBudget } from './flow.ts';
import { otherFormat, SNIFF_LENGTH, sniffFormat } from './formats.ts';
import { endingMisleads, inspectImage, type ImageFacts } from './inspect.ts';
import { classify, type LayoutDecision, type Placement } from './layout.ts';
import { promisedKind } from './names.ts';
import { describeFailure } from './sources/failure.ts';
import { LARGEST_FILE, type FileRef, type FileStat, type ImageSource, type SourceItem } from './sources/source.ts';

/** What a file's content says, and when it was last looked at. Known ones of the same size and time are not read again. */
export type FileFacts = Pick<ImageRecord, 'size' | 'mtimeMs' | 'hash' | 'width' | 'height' | 'format' | 'orientation'>;

/** A picture that can be used. */
export interface FoundImage extends FileFacts {
  path: string;
  /** Base64 of the exact path where the text is not exact. */
  pathBytes?: string;
  className: string;
  split: Split | null;
}

/** What came of one file. */
export interface Finding {
  path: string;
  image?: FoundImage;
  /** How the picture compares to what was known of it. */
  status?: 'added' | 'unchanged' | 'changed';
  /** The class name as it is on disk. */
  spelling?: string;
  problems: NewProblem[];
  /** Known before and now of no use: its content, or that it is there at all, has changed. */
  lost?: 'changed' | 'missing';
}

/**
 * Count the files, and the likely pictures in each folder, by their names alone.
 * @param onFile called once a file
 */
export async function surveySource(
  source: ImageSource,
  onFile: () => void,
  signal: AbortSignal,
): Promise<{ folders: Map<string, number>; files: number }> {
  const folders = new Map<string, number>();
  let files = 0;
  for await (const item of source.list(signal)) {
    if (item.type !== 'file') continue;
    files += 1;
    onFile();
    const kind = promisedKind(item.file.path);
    if (kind === 'other' || kind === 'other-image') continue;
    const folder = item.file.path.slice(0, Math.max(0, item.file.path.lastIndexOf('/')));
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  return { folders, files };
}

export interface FileScan {
  source: ImageSource;
  layout: LayoutDecision;
  known: ReadonlyMap<string, FileFacts>;
  budget: ByteBudget;
}

/** Look at one file. Whatever is wrong with it becomes a problem; nothing about a file stops an import. */
export async function scanFile(item: SourceItem & { type: 'file' }, scan: FileScan): Promise<Finding> {
  const { file } = item;
  const known = scan.known.get(file.path);
  try {
    const stat = await scan.source.stat(file);
    if (known && known.size === stat.size && known.mtimeMs === stat.mtimeMs) {
      return place(item, known, 'unchanged', [], scan.layout);
    }
    const found = await readFacts(file, stat, scan);
    if ('problem' in found) return refused(found.problem, known && 'changed');
    const status = !known ? 'added' : known.hash === found.facts.hash ? 'unchanged' : 'changed';
    return place(item, found.facts, status, found.notes, scan.layout);
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof UserError)) throw error;
    const reason = `The file cannot be read: ${describeFailure(error)}.`;
    return refused({ path: file.path, kind: 'unreadable', severity: 'error', reason }, known && 'missing');
  }
}

const refused = (problem: NewProblem, lost: Finding['lost']): Finding => ({
  path: problem.path,
  problems: [problem],
  ...(lost ? { lost } : {}),
});

/** Give a picture its class and split. */
function place(
  { file, given }: SourceItem & { type: 'file' },
  { size, mtimeMs, hash, width, height, format, orientation }: FileFacts,
  status: NonNullable<Finding['status']>,
  problems: NewProblem[],
  layout: LayoutDecision,
): Finding {
  const placement: Placement | { problem: NewProblem } = given
    ? { ...given, spelling: given.className }
    : classify(file.path, layout);
  if ('problem' in placement) return refused(placement.problem, status === 'added' ? undefined : 'changed');
  if (status === 'changed') {
    const reason = 'The picture has another content than at the last import. The new content is used from now on.';
    problems.push({ path: file.path, kind: 'content-changed', severity: 'warning', reason });
  }
  const { className, split, spelling } = placement;
  const pathBytes = file.pathBytes ? { pathBytes: Buffer.from(file.pathBytes).toString('base64') } : {};
  const facts = { size, mtimeMs, hash, width, height, format, orientation };
  return {
    path: file.path,
    image: { path: file.path, ...pathBytes, ...facts, className, split },
    status,
    spelling,
    problems,
  };
}

/** Read a file and say what picture it is, or why it is none. */
async function readFacts(
  file: FileRef,
  stat: FileStat,
  { source, budget }: FileScan,
): Promise<{ facts: FileFacts; notes: NewProblem[] } | { problem: NewProblem }> {
  const promised = promisedKind(file.path);
  const refuse = (kind: string, severity: NewProblem['severity'], reason: string): { problem: NewProblem } => ({
    problem: { path: file.path, kind, severity, reason },
  });
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
      return { facts, notes: remarks(file.path, picture) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return refuse('damaged', 'error', `The picture cannot be used: ${error.message}.`);
    }
  });
}

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

function noPicture(file: FileRef, start: Buffer): { problem: NewProblem } {
  const { path } = file;
  const promised = promisedKind(path);
  const other = otherFormat(start);
  if (other !== undefined || promised === 'other-image') {
    const what = other === undefined ? 'a format' : `the ${other} format`;
    const reason = `The picture is in ${what} that is not read. Convert it to JPEG or PNG.`;
    return { problem: { path, kind: 'unsupported-format', severity: 'error', reason } };
  }
  return promised === 'image'
    ? { problem: { path, kind: 'damaged', severity: 'error', reason: 'The file is called a picture but holds none.' } }
    : { problem: { path, kind: 'not-an-image', severity: 'note', reason: 'The file is not a picture.' } };
}
