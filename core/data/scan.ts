/** The tree of a source as a whole, and what a look at a file means for the project. */
import type { NewProblem, Split } from '../storage/records.ts';
import { classify, type LayoutDecision, type Placement } from './layout.ts';
import type { FileFacts, Look } from './look.ts';
import { promisedKind } from './names.ts';
import type { ImageSource, SourceItem } from './sources/source.ts';

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

/**
 * Say what a look at a file means.
 * @param known what was known of it before
 */
export function judge(
  item: SourceItem & { type: 'file' },
  look: Look,
  known: FileFacts | undefined,
  layout: LayoutDecision,
): Finding {
  switch (look.type) {
    case 'as-known':
      return place(item, known!, 'unchanged', [], layout);
    case 'refused':
      return refused(look.problem, known && (look.there ? 'changed' : 'missing'));
    case 'picture': {
      const status = !known ? 'added' : known.hash === look.facts.hash ? 'unchanged' : 'changed';
      return place(item, look.facts, status, look.notes, layout);
    }
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
