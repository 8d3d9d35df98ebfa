/** Import: bring a source's pictures into a project, and bring the project up to date with it later. */
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { writeDurably } from '../base/durable-file.ts';
import { systemCode, UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { ImportEvent, ImportResult, ImportSpec, KnownFile } from '../data/import-job.ts';
import { LAYOUTS, type Layout, type LayoutDecision } from '../data/layout.ts';
import type { FoundImage } from '../data/scan.ts';
import { openSource, sourceKind } from '../data/sources/open.ts';
import type { RunJob } from '../jobs/protocol.ts';
import { filesFolder, type Project } from '../storage/project.ts';
import type { ClassTable } from '../storage/project-store.ts';
import type { NewImage, Source } from '../storage/records.ts';
import { requireSource } from './require.ts';
import { locateSources, relativeToProject, workOn } from './sources.ts';
import { summariseProblems, type ProblemSummary } from './stats.ts';

export interface ImportOptions {
  /** How folders say class and split; "auto" decides by the whole tree, and a later scan keeps what was decided. */
  layout?: Layout | 'auto';
  onEvent?: (event: Progress) => void;
  signal?: AbortSignal;
  /** ISO 8601, when the import was asked for: a source that was removed after that stays out. */
  askedAt?: string;
}

export interface ImportSummary extends ImportResult {
  sourceId: number;
  kind: Source['kind'];
  /** Absolute. */
  path: string;
  /** What could not be used or wants a look, by kind; `store.problems` has every one. */
  problems: ProblemSummary[];
  /** Seconds. */
  seconds: number;
}

/**
 * Import a folder, zip or CSV file. One that was imported before is scanned again, and is back where it was removed; an
 * import that was cut short goes on where it was. Pictures are stored as they are read: what is there stays after a cancel.
 * @param path of the folder, .zip, .csv or .tsv file
 * @throws UserError 'not-found', 'usage' (not a source), 'no-permission', 'damaged', 'empty' (no usable picture),
 *   'cancelled'; 'usage' also when it was removed after `askedAt`
 */
export async function importSource(
  project: Project,
  { path, ...options }: ImportOptions & { path: string },
  runJob: RunJob,
): Promise<ImportSummary> {
  const { store } = project;
  const absolute = resolve(path);
  const kind = await sourceKind(absolute);
  locateSources(project);
  // A file that cannot be opened leaves no trace in the project.
  await (await openSource({ kind, path: absolute })).close();
  const source =
    knownSource(project, absolute) ??
    store.sources.add({
      kind,
      path: absolute,
      relativePath: relativeToProject(project, absolute),
      addedAt: new Date().toISOString(),
    });
  return scan(project, source, options, runJob);
}

/** The source at a path, where one was imported from there; one that was removed, too. @param path absolute */
export function knownSource({ store }: Project, path: string): Source | undefined {
  const real = realPath(path);
  return store.sources.all().find((source) => realPath(source.path) === real);
}

/**
 * Bring a project up to date with a source: new pictures come in, changed ones are taken as they are now, vanished ones
 * are kept as missing. Nothing a person did to a picture is lost. A source that was removed is back.
 * @throws UserError as `importSource`; 'not-found' also when the source has moved (see `relinkSource`)
 */
export async function rescanSource(
  project: Project,
  sourceId: number,
  options: ImportOptions,
  runJob: RunJob,
): Promise<ImportSummary> {
  locateSources(project);
  const source = requireSource(project.store, sourceId);
  if (!existsSync(source.path)) {
    throw new UserError('not-found', `${source.path} is not there. If it has moved, relink it to where it is now.`);
  }
  return scan(project, source, options, runJob);
}

/** Scan a source; one that was removed is brought back first, so that what is not reached is as it was. */
function scan(project: Project, source: Source, options: ImportOptions, runJob: RunJob): Promise<ImportSummary> {
  return workOn(project, source.id, () => {
    if (source.removedAt !== null) {
      if (options.askedAt !== undefined && source.removedAt > options.askedAt) throw removedSince(source);
      project.store.sources.restore(source.id);
    }
    return read(project, source, options, runJob);
  });
}

function removedSince({ path }: Source): UserError {
  return new UserError(
    'usage',
    `${path} was removed from the project after this import was asked for. Import it anew, or bring the source back.`,
  );
}

async function read(
  project: Project,
  source: Source,
  { layout = 'auto', onEvent = () => {}, signal }: ImportOptions,
  runJob: RunJob,
): Promise<ImportSummary> {
  const { store } = project;
  const started = performance.now();
  const knownFile = join(project.cacheFolder, `import-${source.id}.jsonl`);
  const spec: ImportSpec = {
    kind: source.kind,
    path: source.path,
    layout,
    decided: decidedLayout(project, source.id),
    exclude: [realPath(filesFolder(project.file))],
    knownFile,
  };
  writeDurably(knownFile, knownFiles(project, source.id));
  store.problems.clear(source.id);
  const classIds = new ClassIds(store.classes);
  const receive = (event: ImportEvent): void => {
    switch (event.type) {
      case 'progress':
        return onEvent(event);
      case 'layout':
        return store.settings.set(layoutSetting(source.id), { layout: event.layout, prefix: event.prefix });
      case 'images':
        return store.transaction(() =>
          store.images.upsert(event.images.map((image) => asRecord(image, source.id, classIds))),
        );
      case 'problems':
        return store.problems.add(source.id, event.problems);
      case 'lost':
        return store.transaction(() => {
          store.images.setState(event.missing, 'missing');
          store.images.setState(event.changed, 'changed');
        });
    }
  };
  let result: ImportResult;
  try {
    result = await runJob<ImportSpec, ImportEvent, ImportResult>('import', spec, {
      onEvent: receive,
      ...(signal ? { signal } : {}),
      // Reading, and decoding by libvips, run on Node's thread pool.
      env: { UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism() * 2)) },
    });
  } finally {
    rmSync(knownFile, { force: true });
  }
  store.sources.setScanned(source.id, new Date().toISOString());
  const problems = summariseProblems(store, source.id);
  if (result.images === 0) {
    const why = problems.length > 0 ? ` ${problems[0].example.reason}` : '';
    throw new UserError(
      'empty',
      `${source.path} holds no usable picture.${why} Put the pictures of each class into a folder of its own.`,
    );
  }
  const seconds = (performance.now() - started) / 1000;
  return { sourceId: source.id, kind: source.kind, path: source.path, ...result, problems, seconds };
}

/** Ids of classes by name; a class is made when its first picture comes. */
class ClassIds {
  readonly #table: ClassTable;
  readonly #ids = new Map<string, number>();

  constructor(table: ClassTable) {
    this.#table = table;
  }

  of(name: string): number {
    const id = this.#ids.get(name) ?? this.#table.ensure(name).id;
    this.#ids.set(name, id);
    return id;
  }
}

function asRecord(
  { className, split, pathBytes, ...facts }: FoundImage,
  sourceId: number,
  classes: ClassIds,
): NewImage {
  return {
    ...facts,
    sourceId,
    pathBytes: pathBytes === undefined ? null : Buffer.from(pathBytes, 'base64'),
    foundClassId: classes.of(className),
    foundSplit: split,
  };
}

/** What the project knows of a source's pictures, a line each, for the job. */
function* knownFiles(project: Project, sourceId: number): Generator<Buffer> {
  for (const image of project.store.images.iterate({ sourceId })) {
    const { id, path, size, mtimeMs, hash, width, height, format, orientation } = image;
    const known: KnownFile = { id, path, size, mtimeMs, hash, width, height, format, orientation };
    yield Buffer.from(`${JSON.stringify(known)}\n`);
  }
}

const layoutSetting = (sourceId: number): string => `source.${sourceId}.layout`;

/** How the folders of a source were read at its first import; null before that. */
export function decidedLayout(project: Project, sourceId: number): LayoutDecision | null {
  const value = project.store.settings.get(layoutSetting(sourceId));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const layout = LAYOUTS.find((name) => name === value.layout);
  return layout && typeof value.prefix === 'string' ? { layout, prefix: value.prefix } : null;
}

/** The path with all links followed; the path itself where nothing is there. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return path;
  }
}
