/** A run's model, or a variant of it, as files for other programs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../base/durable-file.ts';
import { fileError, UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { OnnxResult, OnnxSpec } from '../onnx/onnx-job.ts';
import type { OnnxOptions } from '../onnx/onnx-model.ts';
import type { Project } from '../storage/project.ts';
import { modelCard, MODEL_FILES, type ModelFileKind } from './model-card.ts';
import { cardOfModel, type RunModel } from './run-model.ts';
import { answeringHead } from '../predict/answers.ts';

export interface ModelExportOptions {
  /** Absolute; made where it is missing. */
  folder: string;
  files: readonly ModelFileKind[];
  /** Of the ONNX file. */
  onnx: OnnxOptions;
  /** Whether files of these names that are there already may be replaced. */
  overwrite: boolean;
}

export interface ModelExportOutcome {
  folder: string;
  /** Absolute paths and sizes, in the order of writing. */
  files: { kind: ModelFileKind; path: string; bytes: number }[];
  /** Of the ONNX file; null without one. */
  onnx: OnnxResult | null;
}

/** Runs the job that writes and checks an ONNX file. @throws UserError as `onnxJob` */
export function writeOnnx(
  { path }: Pick<RunModel, 'path'>,
  target: Pick<OnnxSpec, 'out' | 'overwrite' | 'options'>,
  runJob: RunJob,
  options: Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'>,
): Promise<OnnxResult> {
  return runJob<OnnxSpec, Progress, OnnxResult>('onnx', { model: path, ...target }, options);
}

/**
 * Write a model's files into a folder. Each is either whole or not there; the ONNX file comes first, and when it fails its
 * check nothing is written.
 * @throws UserError 'exists' naming the file in the way; 'usage' for a head that the model does not answer by; 'damaged',
 *   'no-space', 'no-permission', 'cancelled'
 */
export async function exportModel(
  project: Project,
  model: RunModel,
  { folder, files, onnx: options, overwrite }: ModelExportOptions,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'> = {},
): Promise<ModelExportOutcome> {
  const pathOf = (kind: ModelFileKind): string => join(folder, MODEL_FILES[kind]);
  if (!overwrite) {
    for (const kind of files) refuseExisting(pathOf(kind));
  }
  answeringHead(await cardOfModel(model), options.head);
  const written: ModelExportOutcome['files'] = [];
  const write = (kind: ModelFileKind, bytes: Uint8Array): void => {
    writeDurably(pathOf(kind), [bytes]);
    written.push({ kind, path: pathOf(kind), bytes: bytes.length });
  };
  let onnx: OnnxResult | null = null;
  if (files.includes('onnx')) {
    const target = { out: pathOf('onnx'), overwrite, options };
    onnx = await writeOnnx(model, target, runJob, { ...(onEvent ? { onEvent } : {}), ...(signal ? { signal } : {}) });
    written.push({ kind: 'onnx', path: target.out, bytes: onnx.bytes });
  }
  if (files.includes('safetensors')) write('safetensors', bytesOf(model));
  if (files.includes('card')) {
    const facts = onnx && { ...options, head: onnx.head, checked: onnx.checked };
    write('card', Buffer.from(await modelCard(project, model, files, facts)));
  }
  return { folder, files: written, onnx };
}

function bytesOf({ path }: RunModel): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError(error, 'read the model', path);
  }
}

function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw new UserError('exists', `${path} is there already. Choose another folder, or allow to overwrite it.`);
}
