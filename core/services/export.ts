/** Export an augmented data set from a project, and check an export. */
import { resolve } from 'node:path';
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import { putBank, takeBank } from '../contexts/bank.ts';
import { datasetHash, putSnapshot, takeSnapshot } from '../data/snapshot.ts';
import type { ExportEvent, ExportResult, ExportSpec } from '../export/export-job.ts';
import { isUnfinished } from '../export/folder-state.ts';
import { readManifest } from '../export/manifest.ts';
import { ExportRecipe } from '../export/recipe.ts';
import type { VerifySpec } from '../export/verify-job.ts';
import { requireVerified, type VerifyReport } from '../export/verify-report.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { settleDrafts } from './drafts.ts';
import { pictureEnvironment } from './job-environment.ts';
import { locatedBank } from './located-files.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId, ExportRecord } from '../storage/records.ts';

export interface ExportOptions {
  /** Folder to write; new, empty, or an interrupted export of the same recipe, which then goes on. */
  out: string;
  recipe: ExportRecipe;
  /** Only plan and estimate: nothing is written. */
  dryRun?: boolean;
}

export interface ExportOutcome extends ExportResult {
  /** Absolute. */
  out: string;
  /** Check of the finished export; null when there is nothing to check. */
  report: VerifyReport | null;
}

type Running = Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'>;

/**
 * Export the data set in force with the accepted contexts, then read it all again. The same call goes on with an export
 * that was interrupted.
 * @throws UserError 'usage' (the recipe), 'empty', 'exists', 'no-space', 'no-permission'; 'not-found', 'changed',
 *   'unreadable' or 'damaged' naming a source file; VerifyError when the check fails
 */
export async function exportDataset(
  project: Project,
  options: ExportOptions,
  runJob: RunJob,
  { onEvent, signal }: Running = {},
): Promise<ExportOutcome> {
  const { store, blobs } = project;
  const out = resolve(options.out);
  const recipe = checkRecipe(options.recipe);
  await settleDrafts(project);
  const snapshot = takeSnapshot(store);
  const spec: ExportSpec = {
    out,
    dryRun: options.dryRun ?? false,
    recipe,
    projectId: store.info.id,
    blobFolder: project.blobs.folder,
    snapshotBlob: putSnapshot(blobs, snapshot),
    bankBlob: putBank(blobs, takeBank(store)),
  };
  const record = new Recorder(project, out, recipe, datasetHash(snapshot));
  const receive = (event: ExportEvent): void => {
    if (event.type === 'items') record.add(event.items);
    else onEvent?.(event);
  };
  let result: ExportResult;
  try {
    result = await runJob<ExportSpec, ExportEvent, ExportResult>('export', spec, {
      onEvent: receive,
      ...(signal ? { signal } : {}),
      env: pictureEnvironment(),
    });
  } catch (error) {
    record.end('failed');
    throw error;
  }
  if (result.state === 'stopped') record.end('stopped');
  if (result.state !== 'finished') return { ...result, out, report: null };
  record.end('finished', result.manifestHash);
  const report = await verifyExport(project, out, {}, runJob, {
    ...(onEvent ? { onEvent } : {}),
    ...(signal ? { signal } : {}),
  });
  return { ...result, out, report };
}

export interface VerifyOptions {
  /** Make every picture again and compare; needs the project and the version that exported. */
  rebuild?: boolean;
}

/**
 * Check an export: every file by its hash, nothing else there, counts, and, with the project, that only training images
 * were used.
 * @param project null checks what the folder alone can tell
 * @throws VerifyError with the whole report when anything is wrong; UserError 'not-found', 'damaged', 'newer', 'usage',
 *   'cancelled', or 'verify' when the export is not finished
 */
export async function verifyExport(
  project: Project | null,
  path: string,
  { rebuild = false }: VerifyOptions,
  runJob: RunJob,
  running: Running = {},
): Promise<VerifyReport> {
  if (rebuild && !project) {
    throw new UserError('usage', 'Rebuilding needs the project that was exported. Name it with --project.');
  }
  const out = resolve(path);
  const record = project?.store.exports.byPath(out);
  const spec: VerifySpec = {
    out,
    project: project && {
      id: project.store.info.id,
      blobFolder: project.blobs.folder,
      snapshotBlob: putSnapshot(project.blobs, takeSnapshot(project.store)),
      bankBlob: exportedBank(project, out),
      manifestHash: record?.manifestHash ?? null,
    },
    rebuild,
  };
  const report = await runJob<VerifySpec, Progress, VerifyReport>('verify', spec, {
    ...running,
    env: pictureEnvironment(),
  });
  if (record) project?.store.exports.update(record.id, { state: report.ok ? 'verified' : 'failed' });
  requireVerified(report);
  return report;
}

/** The bank that an export was made from; null where the project does not have it, or the folder does not name one. */
function exportedBank(project: Project, out: string): BlobId | null {
  // The job says so, better than that there is no manifest.
  if (isUnfinished(out)) return null;
  const { bank } = readManifest(out).manifest;
  return project.blobs.has(bank.blob) ? locatedBank(project, bank.blob) : null;
}

/** A recipe from outside. @throws UserError 'usage' naming the setting */
export function checkRecipe(recipe: unknown): ExportRecipe {
  const parsed = ExportRecipe.safeParse(recipe);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError('usage', `The recipe's setting "${path.join('.')}" is not valid: ${message}.`);
}

/** The project's memory of one export, made when its first picture is there. */
class Recorder {
  readonly #project: Project;
  readonly #out: string;
  readonly #recipe: ExportRecipe;
  readonly #datasetHash: string;
  #record: ExportRecord | undefined;
  #files = new Set<string>();

  constructor(project: Project, out: string, recipe: ExportRecipe, hash: string) {
    this.#project = project;
    this.#out = out;
    this.#recipe = recipe;
    this.#datasetHash = hash;
  }

  add(items: Extract<ExportEvent, { type: 'items' }>['items']): void {
    const { exports } = this.#project.store;
    const record = (this.#record ??= this.#begin());
    exports.addItems(items.map((item) => ({ ...item, exportId: record.id })));
    for (const { file } of items) this.#files.add(file);
  }

  end(state: ExportRecord['state'], manifestHash: string | null = null): void {
    if (!this.#record) return;
    this.#project.store.exports.update(this.#record.id, {
      state,
      manifestHash,
      images: this.#files.size,
      endedAt: new Date().toISOString(),
    });
  }

  /** Go on with the record of the interrupted export, or make a new one. */
  #begin(): ExportRecord {
    const { exports } = this.#project.store;
    const before = exports.byPath(this.#out);
    const isSame =
      before?.manifestHash === null &&
      before.datasetHash === this.#datasetHash &&
      canonicalJson(before.recipe) === canonicalJson(this.#recipe);
    if (before && isSame) {
      exports.update(before.id, { state: 'running', endedAt: null });
      return before;
    }
    return exports.add({
      path: this.#out,
      recipe: this.#recipe,
      state: 'running',
      datasetHash: this.#datasetHash,
      manifestHash: null,
      images: 0,
      createdAt: new Date().toISOString(),
      endedAt: null,
    });
  }
}
