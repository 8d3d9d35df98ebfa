/** A look at a folder, zip or CSV file before it is imported: how its tree would be read. */
import { resolve } from 'node:path';
import type { SourceLook } from '../api/sources.ts';
import { UserError } from '../base/errors.ts';
import { classify, decideLayout, type Layout, type LayoutDecision } from '../data/layout.ts';
import { promisedKind } from '../data/names.ts';
import { surveySource } from '../data/scan.ts';
import { openSource, sourceKind } from '../data/sources/open.ts';
import type { ImageSource } from '../data/sources/source.ts';
import { filesFolder, type Project } from '../storage/project.ts';
import { SPLITS, type Split } from '../storage/records.ts';
import { decidedLayout, knownSource } from './import.ts';

/** Where the look ends: files, and milliseconds. What lies behind is seen by the import. */
const MOST_FILES = 100_000;
const LONGEST_MS = 2500;

/** Classes that are named. */
const MOST_CLASSES = 500;

interface Placed {
  className: string;
  split: Split | null;
  /** Name of the split's folder, or in a list the split itself. */
  folder: string;
  files: number;
}

/**
 * Look at a source without importing it.
 * @param path absolute
 * @throws UserError as `importSource` for a source that cannot be opened; 'cancelled'
 */
export async function lookAtSource(
  project: Project,
  { path, layout }: { path: string; layout: Layout | 'auto' },
  signal: AbortSignal,
): Promise<SourceLook> {
  const absolute = resolve(path);
  const kind = await sourceKind(absolute);
  const known = knownSource(project, absolute);
  const source = await openSource({ kind, path: absolute }, [filesFolder(project.file)]);
  const limit = new Limit(signal);
  try {
    const decided = known && layout === 'auto' ? decidedLayout(project, known.id) : null;
    const read = kind === 'csv' ? await readList(source, limit) : await readTree(source, layout, decided, limit);
    if (signal.aborted) throw new UserError('cancelled', 'The look at the source was cancelled.');
    return {
      path: absolute,
      kind,
      known: known !== undefined,
      removed: known !== undefined && known.removedAt !== null,
      partial: limit.reached,
      ...read,
    };
  } finally {
    await source.close();
  }
}

/** Ends a listing when it has seen enough, or when nobody waits for it any more. */
class Limit {
  readonly #abort = new AbortController();
  readonly signal: AbortSignal;
  readonly #end = performance.now() + LONGEST_MS;
  #files = 0;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#abort.signal]);
  }

  get reached(): boolean {
    return this.#abort.signal.aborted;
  }

  count(): void {
    if (++this.#files >= MOST_FILES || performance.now() > this.#end) this.#abort.abort();
  }
}

type Reading = Omit<SourceLook, 'path' | 'kind' | 'known' | 'removed' | 'partial'>;

async function readTree(
  source: ImageSource,
  wanted: Layout | 'auto',
  decided: LayoutDecision | null,
  limit: Limit,
): Promise<Reading> {
  const { folders } = await surveySource(source, () => limit.count(), limit.signal);
  const decision = decideLayout(folders, wanted);
  const kept = decided ?? decision;
  const placed: Placed[] = [];
  let unplaced = 0;
  for (const [folder, files] of folders) {
    const placement = classify(folder === '' ? 'x' : `${folder}/x`, kept);
    if ('problem' in placement) {
      unplaced += files;
      continue;
    }
    const inside = folder.slice(kept.prefix === '' ? 0 : kept.prefix.length + 1);
    const { className, split } = placement;
    placed.push({ className, split, folder: split === null ? '' : inside.split('/')[0], files });
  }
  return summary(kept, placed, unplaced, decided ? [] : decision.problems.map(({ reason }) => reason));
}

async function readList(source: ImageSource, limit: Limit): Promise<Reading> {
  const placed: Placed[] = [];
  let unplaced = 0;
  const doubts: string[] = [];
  for await (const item of source.list(limit.signal)) {
    limit.count();
    if (item.type === 'problem') {
      unplaced += 1;
      if (doubts.length < 3) doubts.push(item.problem.reason);
    } else if (item.type === 'file' && item.given && isPicture(item.file.path)) {
      const { className, split } = item.given;
      placed.push({ className, split, folder: split ?? '', files: 1 });
    }
  }
  return summary({ layout: 'class', prefix: '' }, placed, unplaced, doubts);
}

const isPicture = (path: string): boolean => ['image', 'unnamed'].includes(promisedKind(path));

function summary(
  { layout, prefix }: LayoutDecision,
  placed: readonly Placed[],
  unplaced: number,
  doubts: string[],
): Reading {
  const classes = new Map<string, number>();
  const splits = new Map<Split, { folder: string; files: number }>();
  for (const { className, split, folder, files } of placed) {
    if (files === 0) continue;
    classes.set(className, (classes.get(className) ?? 0) + files);
    if (split !== null) splits.set(split, { folder, files: (splits.get(split)?.files ?? 0) + files });
  }
  const named = [...classes].map(([name, files]) => ({ name, files })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    layout,
    prefix,
    files: named.reduce((sum, { files }) => sum + files, unplaced),
    splits: SPLITS.flatMap((split) => {
      const found = splits.get(split);
      return found ? [{ split, ...found }] : [];
    }),
    classes: named.slice(0, MOST_CLASSES),
    classCount: named.length,
    unplaced,
    doubts,
  };
}
