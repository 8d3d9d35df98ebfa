/** A run's model for the page: what there is, and files to be saved. ONNX files that were made are kept for a day. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OnnxFile, type ModelChoice, type RunModel } from '../api/models.ts';
import { commandLine } from '../base/command-line.ts';
import { writeDurably } from '../base/durable-file.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import { pruneFolder } from '../base/prune-folder.ts';
import { CODE_VERSION } from '../base/version.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { OnnxOptions } from '../onnx/onnx-model.ts';
import { answeringHead, headsOfModel } from '../predict/answers.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { Project } from '../storage/project.ts';
import { modelCard, type ModelFileKind } from './model-card.ts';
import { writeOnnx } from './model-export.ts';
import { bytesOfModel, cardOfModel, modelOfRun, type RunModel as FoundModel } from './run-model.ts';

/** ONNX files are kept this long, milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** What there is of a model. @throws UserError 'not-found', 'empty', 'damaged', 'usage' */
export async function viewModel(project: Project, runId: number, choice: ModelChoice): Promise<RunModel> {
  const model = find(project, runId, choice);
  const card = await cardOfModel(model);
  const head = answeringHead(card, choice.head ?? null);
  const onnx = await keptOnnx(project, model, choice);
  return {
    variants: project.store.variants.ofRun(runId).map(({ name }) => name),
    head,
    heads: [...headsOfModel(card)],
    classes: card.classes.length,
    inputSize: card.preprocessing.inputSize,
    bytes: bytesOfModel(model),
    onnx,
    card: await cardText(project, model, choice, onnx),
    command: exportCommand(runId, choice),
  };
}

/** Make and check the ONNX file of a choice, and keep it. @throws UserError as `onnxJob` */
export async function makeOnnx(
  project: Project,
  runId: number,
  choice: ModelChoice,
  runJob: RunJob,
  options: Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'>,
): Promise<OnnxFile> {
  const model = find(project, runId, choice);
  const { folder, file, facts } = placeOf(project, model, choice);
  try {
    await mkdir(folder, { recursive: true });
    await pruneFolder(folder, KEPT_MS);
  } catch (error) {
    throw fileError(error, 'keep the ONNX file', folder);
  }
  const target = { out: file, overwrite: true, options: onnxOptions(choice) };
  const made = OnnxFile.parse(await writeOnnx(model, target, runJob, options));
  writeDurably(facts, [Buffer.from(JSON.stringify(made))]);
  return made;
}

/** A file to be saved. @throws UserError 'not-found' for an ONNX file that is not kept; else as `viewModel` */
export async function modelFile(
  project: Project,
  runId: number,
  choice: ModelChoice,
  kind: ModelFileKind,
): Promise<Buffer> {
  const model = find(project, runId, choice);
  switch (kind) {
    case 'safetensors':
      return read(model.path);
    case 'card':
      return Buffer.from(await cardText(project, model, choice, await keptOnnx(project, model, choice)));
    case 'onnx':
      if ((await keptOnnx(project, model, choice)) !== null) return read(placeOf(project, model, choice).file);
      throw new UserError('not-found', 'The ONNX file is not kept any more: make it again.');
  }
}

const find = (project: Project, runId: number, { variant }: ModelChoice): FoundModel =>
  modelOfRun(project, runId, variant ?? null);

const onnxOptions = ({ head, bothHeads, fold, batch }: ModelChoice): OnnxOptions => ({
  head: head ?? null,
  bothHeads,
  fold,
  batch: batch ?? null,
});

/** Where the ONNX file of a choice is kept, named by all that it depends on, and what was found when it was made. */
function placeOf(
  { cacheFolder }: Project,
  { blob }: FoundModel,
  choice: ModelChoice,
): { folder: string; file: string; facts: string } {
  const folder = join(cacheFolder, 'onnx');
  const key = sha256(Buffer.from(canonicalJson({ blob, ...onnxOptions(choice), version: CODE_VERSION })));
  return { folder, file: join(folder, `${key}.onnx`), facts: join(folder, `${key}.json`) };
}

async function keptOnnx(project: Project, model: FoundModel, choice: ModelChoice): Promise<OnnxFile | null> {
  const { facts } = placeOf(project, model, choice);
  try {
    return OnnxFile.parse(JSON.parse(await readFile(facts, 'utf8')));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw fileError(error, 'read', facts);
  }
}

function cardText(
  project: Project,
  model: FoundModel,
  { bothHeads, fold }: ModelChoice,
  onnx: OnnxFile | null,
): Promise<string> {
  const files: ModelFileKind[] = [...(onnx ? ['onnx' as const] : []), 'safetensors', 'card'];
  return modelCard(project, model, files, onnx && { ...onnx, bothHeads, fold });
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileError(error, 'read the model', path);
  }
}

function exportCommand(runId: number, { variant, head, bothHeads, fold, batch }: ModelChoice): string {
  const words = ['contexture', 'model', 'export', String(runId), '--to', 'FOLDER'];
  if (variant !== undefined) words.push('--variant', variant);
  if (head !== undefined) words.push('--head', head);
  if (bothHeads) words.push('--both-heads');
  if (fold) words.push('--fold');
  if (batch !== undefined) words.push('--batch', String(batch));
  return commandLine(words);
}
