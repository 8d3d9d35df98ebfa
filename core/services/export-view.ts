/** What a person looks at around an export: where to start, what a recipe gives, what was written. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ExportDefaults, ExportDetail, ExportRow, Recipe } from '../api/exports.ts';
import { Recipe as RecipeSchema } from '../api/exports.ts';
import { UserError } from '../base/errors.ts';
import { putBank, takeBank } from '../contexts/bank.ts';
import { putSnapshot, takeSnapshot } from '../data/snapshot.ts';
import { isUnfinished } from '../export/folder-state.ts';
import { folderNames } from '../export/folder-names.ts';
import { readManifest, type ExportManifest } from '../export/manifest.ts';
import type { PreviewResult, PreviewSpec } from '../export/preview-job.ts';
import { DEFAULT_RECIPE } from '../export/recipe.ts';
import type { Progress } from '../base/progress.ts';
import type { RunJob } from '../jobs/protocol.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId, ExportRecord } from '../storage/records.ts';
import { classGroups } from './context-view.ts';
import { checkRecipe } from './export.ts';
import { pictureEnvironment } from './job-environment.ts';

/** The view in force as blobs, for jobs that only look. */
export interface FrozenView {
  snapshotBlob: BlobId;
  bankBlob: BlobId;
}

export function freezeView({ store, blobs }: Project): FrozenView {
  return {
    snapshotBlob: putSnapshot(blobs, takeSnapshot(store)),
    bankBlob: putBank(blobs, takeBank(store)),
  };
}

export interface PreviewOptions {
  recipe: Recipe;
  out: string | null;
  samples: number;
  seed: number;
}

/** What a recipe would give. @throws UserError 'usage' (the recipe), 'cancelled' */
export function previewExport(
  project: Project,
  view: FrozenView,
  options: PreviewOptions,
  runJob: RunJob,
  signal: AbortSignal,
): Promise<PreviewResult> {
  const spec = { ...options, ...view, recipe: checkRecipe(options.recipe), blobFolder: project.blobs.folder };
  return runJob<PreviewSpec, Progress, PreviewResult>('preview-export', spec, { signal, env: pictureEnvironment() });
}

/** Where a new export starts from. */
export function exportDefaults({ store, file }: Project): ExportDefaults {
  const classes = classGroups(store).filter(({ train }) => train > 0);
  const splits = { val: 0, test: 0 };
  for (const { split, excluded, state, count } of store.images.counts()) {
    if (state === 'ok' && !excluded && (split === 'val' || split === 'test')) splits[split] += count;
  }
  const last = store.exports.list().at(-1);
  const known = new Set(classes.map(({ name }) => name));
  return {
    recipe: (last && recipeOf(last, known)) ?? {
      ...DEFAULT_RECIPE,
      amount: { kind: 'fill', to: Math.max(1, classes[0]?.train ?? 1) },
    },
    folder: freeFolder(join(dirname(file), `${folderNames([store.info.name])[0]} augmented`)),
    classes: classes.map(({ name, train, group }) => ({ name, train, group })),
    ...splits,
    acceptedContexts: store.contexts.bankSize(),
  };
}

/** A stored recipe, if it still fits the classes. */
function recipeOf({ recipe }: ExportRecord, known: ReadonlySet<string>): Recipe | undefined {
  const parsed = RecipeSchema.safeParse(recipe);
  if (!parsed.success) return undefined;
  const named = [...(parsed.data.contextClasses ?? []), ...(parsed.data.perClass ?? []).map((row) => row.class)];
  return named.every((name) => known.has(name)) ? parsed.data : undefined;
}

function freeFolder(path: string): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? path : `${path} ${number}`;
    if (!existsSync(candidate)) return candidate;
  }
}

/** Whether a caller may look at a path; one that may not is told that nothing is there. */
export type MayLook = (path: string) => boolean;

/** Exports, newest first. */
export function listExports({ store }: Project, mayLook: MayLook): ExportRow[] {
  return store.exports
    .list()
    .toReversed()
    .map((record) => rowOf(record, mayLook));
}

function rowOf(record: ExportRecord, mayLook: MayLook): ExportRow {
  const { id, path, state, images, recipe, createdAt, endedAt } = record;
  const there = mayLook(path) && existsSync(path);
  const parsed = RecipeSchema.safeParse(recipe).data ?? null;
  return {
    id,
    path,
    state,
    images,
    recipe: parsed,
    createdAt,
    endedAt,
    there,
    unfinished: there && isUnfinished(path),
  };
}

/** An export with a summary of its lineage. @throws UserError 'not-found' */
export function exportDetail(project: Project, id: number, mayLook: MayLook): ExportDetail {
  const { store } = project;
  const record = store.exports.get(id);
  if (!record) throw new UserError('not-found', `There is no export ${id} in this project.`);
  const row = rowOf(record, mayLook);
  return {
    ...row,
    manifest: row.there ? manifestOf(record) : null,
    lineage: store.exports.lineage(id, { parts: LAMBDA_PARTS, most: MOST_USED }),
  };
}

function manifestOf({ path, manifestHash }: ExportRecord): ExportDetail['manifest'] {
  let manifest: ExportManifest;
  try {
    const found = readManifest(path);
    // Another export may lie there by now.
    if (manifestHash !== sha256(found.bytes)) return null;
    manifest = found.manifest;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
  return {
    version: manifest.producer.version,
    bytes: manifest.bytes,
    leftOut: manifest.leftOut.length,
    classes: manifest.classes.map(({ name, folder, originals, added, pictures }) => ({
      name,
      folder,
      originals,
      added,
      ...pictures,
    })),
  };
}

/** Contexts that are shown by name. */
const MOST_USED = 10;
/** Parts of the range of lambda. */
const LAMBDA_PARTS = 10;
