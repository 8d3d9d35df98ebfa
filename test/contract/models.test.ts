/** The model of a run as files: what there is, the ONNX file that is made and checked, what is saved. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { OnnxFile, RunModel } from '../../core/api/models.ts';
import type { Task } from '../../core/api/tasks.ts';
import { decodeOnnx } from '../../core/onnx/onnx-file.ts';
import { modelOfRun } from '../../core/services/run-model.ts';
import { snapshotOf } from '../../core/services/runs.ts';
import { saveVariant } from '../../core/services/variants.ts';
import type { Project } from '../../core/storage/project.ts';
import { startContract } from '../fixtures/contract.ts';
import { addMadeRun, trainedProject } from '../fixtures/runs.ts';

const served = startContract();
let project: Project;
let base: string;

before(async () => {
  const trained = await trainedProject();
  trained.project.close();
  const opened = await served.service.openProject(trained.project.file, { create: false });
  ({ project } = opened);
  base = `/api/projects/${opened.id}`;
});

const view = async (run: number, query: Record<string, unknown> = {}): Promise<RunModel> =>
  RunModel.parse(await served.get(`GET ${base}/runs/${run}/model`, { query }));
const make = async (run: number, body: Record<string, unknown> = {}): Promise<Task> =>
  served.ended(await served.get<Task>(`POST ${base}/runs/${run}/model/onnx`, { body }));
const bytes = async (run: number, file: string, query: Record<string, unknown> = {}): Promise<Buffer> => {
  const response = await served.ask(`GET ${base}/runs/${run}/model/${file}`, { query });
  assert.equal(response.status, 200, file);
  assert.match(response.headers.get('content-disposition') ?? '', /^attachment; filename="[\w.]+"$/);
  return Buffer.from(await response.arrayBuffer());
};

test('a model is told of, made as ONNX, and saved', async () => {
  const fresh = await view(2);
  assert.deepEqual(
    [fresh.head, fresh.heads, fresh.classes, fresh.inputSize, fresh.onnx, fresh.variants],
    ['balanced', ['uniform', 'balanced', 'mean'], 10, 32, null, []],
  );
  assert.equal(fresh.command, 'contexture model export 2 --to FOLDER');
  assert.match(fresh.card, /^---\n/);
  assert.doesNotMatch(fresh.card, /model\.onnx/);
  await served.refused(`GET ${base}/runs/2/model/onnx`, 'not-found');

  const ended = await make(2);
  assert.deepEqual([ended.state, ended.error, ended.kind], ['done', null, 'onnx']);
  const made = OnnxFile.parse(ended.result);
  assert.ok(made.checked.pictures > 0 && made.checked.difference <= 1e-4);
  const after = await view(2);
  assert.deepEqual(after.onnx, made);
  assert.match(after.card, /model\.onnx/);

  const onnx = await bytes(2, 'onnx');
  assert.equal(onnx.length, made.bytes);
  assert.equal(decodeOnnx(onnx).graph.output.length, 2);
  assert.deepEqual(await bytes(2, 'safetensors'), readFileSync(modelOfRun(project, 2, null).path));
  assert.equal((await bytes(2, 'card')).toString(), after.card);
});

test('each choice is a file of its own, kept for a day', async () => {
  const choice = { head: 'mean', bothHeads: true, fold: true, batch: 2 };
  const changed = await view(2, choice);
  assert.deepEqual([changed.onnx, changed.head], [null, 'mean']);
  assert.equal(changed.command, 'contexture model export 2 --to FOLDER --head mean --both-heads --fold --batch 2');
  const made = OnnxFile.parse((await make(2, choice)).result);
  assert.deepEqual(
    made.outputs.map(({ name }) => name),
    ['logits', 'probabilities', 'uniform_logits', 'balanced_logits'],
  );
  const { graph } = decodeOnnx(await bytes(2, 'onnx', choice));
  assert.ok(!graph.node.some(({ opType }) => opType === 'BatchNormalization'));
  assert.ok((await view(2)).onnx !== null);
  const folder = join(project.cacheFolder, 'onnx');
  const old = new Date(Date.now() - 25 * 60 * 60 * 1000);
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), old, old);
  await make(2, { fold: true });
  assert.equal(readdirSync(folder).length, 2);
  assert.equal((await view(2)).onnx, null);
});

test('a variant has its own files; its head answers, and no other', async () => {
  await saveVariant(project, 2, {
    name: 'tail',
    kind: 'logit-adjustment',
    tau: 1,
    calibration: 'group',
    head: 'balanced',
  });
  const varied = await view(2, { variant: 'tail' });
  assert.deepEqual([varied.variants, varied.heads], [['tail'], ['balanced']]);
  assert.match(varied.card, /## Figures of the variant/);
  assert.match(varied.card, /logit adjustment .* with tau = 1/);
  const made = OnnxFile.parse((await make(2, { variant: 'tail' })).result);
  assert.ok(made.checked.difference <= 1e-4);
  const { metadataProps, graph } = decodeOnnx(await bytes(2, 'onnx', { variant: 'tail' }));
  assert.ok(metadataProps.some(({ key }) => key === 'variant'));
  assert.ok(graph.initializer.some(({ name }) => name === 'temperatures'));
  await served.refused(`GET ${base}/runs/2/model`, 'usage', { query: { variant: 'tail', head: 'uniform' } });
  await served.refused(`GET ${base}/runs/2/model`, 'not-found', { query: { variant: 'no such' } });
  assert.deepEqual(
    await bytes(2, 'safetensors', { variant: 'tail' }),
    readFileSync(modelOfRun(project, 2, 'tail').path),
  );
});

test('what is not there and choices that make no sense are refused before anything is queued', async () => {
  const post = `POST ${base}/runs/2/model/onnx`;
  await served.refused(`GET ${base}/runs/99/model`, 'not-found');
  await served.refused(`POST ${base}/runs/99/model/onnx`, 'not-found', { body: {} });
  const unfinished = addMadeRun(project, snapshotOf(project, project.store.runs.get(2)!), { finished: false });
  await served.refused(`GET ${base}/runs/${unfinished.id}/model`, 'empty');
  for (const bad of [
    { head: 'both' },
    { batch: 0 },
    { batch: 5000 },
    { fold: 'yes' },
    { variant: '' },
    { out: '/etc' },
  ]) {
    await served.refused(post, 'usage', { body: bad });
  }
  await served.refused(`GET ${base}/runs/2/model/onnx`, 'usage', { query: { file: '../../secret' } });
});

test('a model file that is gone is told in one sentence', async () => {
  const { path } = modelOfRun(project, 3, null);
  rmSync(path);
  assert.match(await served.refused(`GET ${base}/runs/3/model`, 'not-found'), /does not exist/);
  assert.deepEqual(served.log, []);
});
