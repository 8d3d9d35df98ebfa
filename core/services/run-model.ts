/** The model that a run has made, or that a variant of it is. */
import { statSync } from 'node:fs';
import { fileError, UserError } from '../base/errors.ts';
import { readMetadata } from '../base/safetensors.ts';
import { readCard, type ModelCard } from '../models/model-card.ts';
import type { Project } from '../storage/project.ts';
import type { Run, Variant } from '../storage/records.ts';
import { requireModel } from './explain.ts';
import { findRun } from './run-data.ts';
import { findVariant } from './variants.ts';

export interface RunModel {
  run: Run;
  /** Null: the model as it was trained. */
  variant: Variant | null;
  /** SHA-256 of its file. */
  blob: string;
  /** Absolute path of its file. */
  path: string;
}

/**
 * The model file of a finished run.
 * @param runId null for the newest finished run
 * @param variantName null for the model as it was trained
 * @throws UserError 'not-found' for no such run or variant, 'empty' when the run has no model yet
 */
export function modelOfRun(project: Project, runId: number | null, variantName: string | null): RunModel {
  const run = runId === null ? newestFinished(project) : findRun(project, runId);
  const trained = requireModel(run);
  const variant = variantName === null ? null : findVariant(project, run.id, variantName);
  const blob = variant?.blob ?? trained;
  return { run, variant, blob, path: project.blobs.path(blob) };
}

function newestFinished({ store }: Project): Run {
  const run = store.runs.list().find(({ modelBlob }) => modelBlob !== null);
  if (run) return run;
  throw new UserError('not-found', 'The project has no finished run. See `contexture runs`, or name a model file.');
}

/** What the file of a model says about itself. @throws UserError 'not-found', 'damaged' */
export async function cardOfModel({ path }: Pick<RunModel, 'path'>): Promise<ModelCard> {
  return readCard(await readMetadata(path), path);
}

/** Size of the file of a model, bytes. @throws UserError 'not-found' */
export function bytesOfModel({ path }: Pick<RunModel, 'path'>): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw fileError(error, 'read the model', path);
  }
}
