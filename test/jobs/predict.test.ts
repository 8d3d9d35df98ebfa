import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import * as tf from '@tensorflow/tfjs-core';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import { decodeRgb } from '../../core/data/decode.ts';
import { tidy } from '../../core/engine/tidy.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { encodeModelFile, type ModelFile } from '../../core/models/model-file.ts';
import { Network } from '../../core/models/network.ts';
import type { ModelUsed } from '../../core/predict/predict-job.ts';
import { pictureInputs } from '../../core/services/predict-inputs.ts';
import { predictPictures, type PredictOptions } from '../../core/services/predict.ts';
import { modelOfRun } from '../../core/services/run-model.ts';
import { openProject } from '../../core/storage/project.ts';
import type { NewRun } from '../../core/storage/records.ts';
import { CIFAR_NORMALISATION, Normaliser } from '../../core/training/preprocessing.ts';
import { sqliteStorage } from '../../db/index.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { patternPixels } from '../fixtures/images.ts';
import { runInProcess } from '../fixtures/in-process.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const SIDE = 32;
const CLASSES = ['cat', 'cow, brown', 'dog', 'eel', 'fox', 'gnu'];
const folder = temporaryFolder();
const modelFile = join(folder, 'model.safetensors');
const pictures = join(folder, 'pictures');
const network = new Network({ kind: 'resnet-cifar', blocks: 1 }, CLASSES.length);
let model: ModelFile;

/** Logits of both heads by the network itself. */
function logitsOf(
  { weights }: Pick<ModelFile, 'weights'>,
  pixels: Uint8Array,
): { uniform: Float32Array; balanced: Float32Array } {
  const logits = tidy(() => {
    const inference = network.inference({
      trunk: tf.tensor1d(weights.trunk),
      balanced: tf.tensor1d(weights.balanced),
      statistics: tf.tensor1d(weights.statistics),
    });
    const values = new Normaliser(CIFAR_NORMALISATION).apply(pixels);
    return inference.logits(inference.features(tf.tensor4d(values, [pixels.length / SIDE / SIDE / 3, SIDE, SIDE, 3])));
  });
  return {
    uniform: logits.uniform.dataSync<'float32'>().slice(),
    balanced: logits.balanced.dataSync<'float32'>().slice(),
  };
}

function put(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

const writeModel = (path: string, file: ModelFile): void => put(path, Buffer.concat(encodeModelFile(file)));

before(async () => {
  startTestEngine();
  const random = Random.stream(1, 'weights');
  const weights = {
    trunk: network.trunk.initialize(random),
    balanced: network.balanced.initialize(random),
    statistics: network.statistics.initialize(random),
  };
  const pixels = Uint8Array.from({ length: 4 * SIDE * SIDE * 3 }, () => random.below(256));
  model = {
    card: {
      format: 'contexture model 1',
      model: network.config,
      method: 'csa',
      head: 'balanced',
      classes: CLASSES,
      trainCounts: [6, 5, 4, 3, 2, 1],
      preprocessing: {
        inputSize: SIDE,
        resize: 'cover-crop',
        enlarge: 1,
        mean: [...CIFAR_NORMALISATION.mean],
        deviation: [...CIFAR_NORMALISATION.deviation],
      },
      datasetHash: '0'.repeat(64),
      seed: 1,
      epochs: 1,
      codeVersion: '0.0.0',
      variant: null,
    },
    weights,
    selfTest: { pixels, ...logitsOf({ weights }, pixels) },
  };
  writeModel(modelFile, model);

  const picture = async (name: string, width: number, height: number, seed: number): Promise<void> => {
    const { data } = patternPixels(width, height, seed);
    mkdirSync(dirname(join(pictures, name)), { recursive: true });
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(join(pictures, name));
  };
  await picture('a.png', 32, 32, 1);
  await picture('sub/b, wide.jpg', 90, 40, 2);
  await picture('sub/c.webp', 20, 50, 3);
  await picture('cut.png', 64, 64, 4);
  put(join(pictures, 'cut.png'), readFileSync(join(pictures, 'cut.png')).subarray(0, 400));
  put(join(pictures, 'empty.jpg'), '');
  put(join(pictures, 'note.txt'), 'not a picture');
  put(join(pictures, 'photo.heic'), Buffer.from('\0\0\0\x18ftypheic', 'latin1'));
  put(join(pictures, 'README'), 'no picture, and not called one');
});

const options = (fields: Partial<PredictOptions> = {}): PredictOptions => ({
  model: modelFile,
  inputs: [{ kind: 'folder', path: pictures, name: '' }],
  format: 'csv',
  out: () => {},
  ...fields,
});
const rejects = (work: Promise<unknown>, code: ErrorCode, text: RegExp): Promise<void> =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });

interface JsonDocument {
  model: ModelUsed;
  pictures: { file: string; problem?: string; classes?: { class: string; probability: number }[] }[];
}

/** Prediction as a JSON document. */
async function predictJson(fields: Partial<PredictOptions> = {}): Promise<JsonDocument> {
  let text = '';
  await predictPictures(options({ format: 'json', out: (piece) => (text += piece), ...fields }), runInProcess);
  return JSON.parse(text);
}

/** Probabilities of `a.png` in label order. */
function ofFirst(document: JsonDocument): number[] {
  const { classes } = document.pictures.find(({ file }) => file === 'a.png')!;
  return CLASSES.map((name) => classes!.find((entry) => entry.class === name)!.probability);
}

test('a folder becomes a table: the five most probable classes, and what cannot be read', async () => {
  const out = join(folder, 'predictions.csv');
  const stages = new Set<string>();
  const outcome = await predictPictures(options({ out }), runJob, { onEvent: ({ stage }) => stages.add(stage) });
  assert.deepEqual([outcome.predicted, outcome.unreadable], [3, 3]);
  assert.deepEqual(outcome.problems.map(({ file }) => file).toSorted(), ['cut.png', 'empty.jpg', 'photo.heic']);
  assert.match(outcome.problems.find(({ file }) => file === 'photo.heic')!.reason, /HEIC pictures are not read/);
  assert.deepEqual([outcome.model.head, outcome.model.classes, outcome.model.inputSize], ['balanced', CLASSES, SIDE]);
  assert.ok(outcome.model.selfTest < 1e-4 && stages.has('Predicting'));

  const rows: Record<string, string>[] = parse(readFileSync(out), { columns: true });
  assert.deepEqual(rows.map(({ file }) => file).toSorted(), [
    'a.png',
    'cut.png',
    'empty.jpg',
    'photo.heic',
    'sub/b, wide.jpg',
    'sub/c.webp',
  ]);
  assert.deepEqual(Object.keys(rows[0]).length, 1 + 2 * 5 + 1);
  for (const row of rows) {
    const probabilities = [1, 2, 3, 4, 5].map((number) => Number(row[`probability_${number}`]));
    if (row.problem) assert.ok(row.class_1 === '' && row.problem.endsWith('.'));
    else
      assert.deepEqual(
        probabilities,
        probabilities.toSorted((a, b) => b - a),
      );
  }
  assert.ok(rows.some((row) => CLASSES.includes(row.class_1)));
});

test('probabilities are the softmax of the head over the picture as training sees it', async () => {
  const { pictures: found } = await predictJson({ top: 99 });
  for (const { file, classes } of found) {
    if (!classes) continue;
    const pixels = await decodeRgb(readFileSync(join(pictures, file)), { width: SIDE, height: SIDE, fit: 'cover' });
    const powers = [...logitsOf(model, pixels).balanced].map((value) => Math.exp(value));
    const sum = powers.reduce((a, b) => a + b);
    assert.equal(classes.length, CLASSES.length);
    for (const { class: name, probability } of classes) {
      assert.ok(Math.abs(probability - powers[CLASSES.indexOf(name)] / sum) < 1e-5, `${file} ${name}`);
    }
  }
});

test('folders, pictures, patterns and names on stdin are answered in their order, each called as it was given', async () => {
  const stdin = 'pictures/a.png\0gone.png\0pictures/note.txt\0';
  const inputs = await pictureInputs(['pictures/sub/*', '-', 'pictures/a.png', 'pictures/sub/'], folder, stdin);
  const { pictures: found } = await predictJson({ inputs });
  assert.deepEqual(
    found.map(({ file, problem }) => [file, problem ?? null]),
    [
      ['pictures/sub/b, wide.jpg', null],
      ['pictures/sub/c.webp', null],
      ['pictures/a.png', null],
      ['gone.png', 'It is gone, or it is a link to nothing.'],
      ['pictures/note.txt', 'It is not a picture that can be read.'],
      ['pictures/a.png', null],
      ['pictures/sub/b, wide.jpg', null],
      ['pictures/sub/c.webp', null],
    ],
  );
  const whole = await predictJson();
  const first = whole.pictures.find(({ file }) => file === 'a.png')!;
  assert.deepEqual([found[2].classes, found[5].classes], [first.classes, first.classes]);
});

test('inputs that are not there are refused by name; a list on stdin may have lines of either kind', async () => {
  await rejects(pictureInputs(['nowhere'], folder, null), 'not-found', /nothing at .*nowhere/);
  await rejects(pictureInputs(['pictures/*.gif'], folder, null), 'not-found', /No picture fits pictures\/\*\.gif/);
  await rejects(pictureInputs(['-'], folder, '\r\n\n'), 'empty', /no names of pictures on stdin/);
  assert.deepEqual(
    (await pictureInputs(['-'], folder, 'pictures/a.png\r\npictures\n')).map(({ kind, name }) => [kind, name]),
    [
      ['picture', 'pictures/a.png'],
      ['folder', 'pictures/'],
    ],
  );
  put(join(folder, 'odd', 'a[1].png'), readFileSync(join(pictures, 'a.png')));
  assert.deepEqual(await pictureInputs(['odd/a[1].png'], folder, null), [
    { kind: 'picture', path: join(folder, 'odd', 'a[1].png'), name: 'odd/a[1].png' },
  ]);
  assert.deepEqual(
    (await pictureInputs(['pictures/**/*.{jpg,webp}'], folder, null)).map(({ name }) => name),
    ['pictures/empty.jpg', 'pictures/sub/b, wide.jpg', 'pictures/sub/c.webp'],
  );
});

test("a variant's head answers, at its temperatures; decisions stay", async () => {
  const varied = join(folder, 'variant.safetensors');
  const variant = { head: 'mean', kind: 'tau-norm', tau: 0.5, calibration: 'overall' } as const;
  const plain = ofFirst(await predictJson({ top: 6, head: 'mean' }));
  writeModel(varied, {
    ...model,
    card: { ...model.card, variant: { ...variant, temperatures: CLASSES.map(() => 2) } },
  });
  const document = await predictJson({ model: varied, top: 6 });
  assert.equal(document.model.head, 'mean');
  const softened = plain.map((value) => Math.sqrt(value));
  const sum = softened.reduce((a, b) => a + b);
  for (const [i, value] of ofFirst(document).entries()) assert.ok(Math.abs(value - softened[i] / sum) < 1e-4);
  await rejects(predictJson({ model: varied, head: 'uniform' }), 'usage', /This variant changes the head "mean"/);
});

test('another head can be asked, the mean of both too', async () => {
  const [uniform, balanced, mean] = [
    ofFirst(await predictJson({ top: 6, head: 'uniform' })),
    ofFirst(await predictJson({ top: 6, head: 'balanced' })),
    ofFirst(await predictJson({ top: 6, head: 'mean' })),
  ];
  assert.notDeepEqual(uniform, balanced);
  // The mean of logits is the normalised geometric mean of probabilities.
  const products = uniform.map((value, i) => Math.sqrt(value * balanced[i]));
  const sum = products.reduce((a, b) => a + b);
  for (const [i, product] of products.entries()) assert.ok(Math.abs(product / sum - mean[i]) < 1e-4);

  const single = join(folder, 'ce.safetensors');
  writeModel(single, { ...model, card: { ...model.card, method: 'ce', head: 'uniform' } });
  await rejects(predictJson({ model: single, head: 'mean' }), 'usage', /"ce" trains one head/);
  assert.equal((await predictJson({ model: single })).model.head, 'uniform');
});

test('a model that does not compute what it did fails its self-test', async () => {
  const bad = join(folder, 'bad.safetensors');
  const trunk = model.weights.trunk.slice();
  trunk[100] += 0.01;
  writeModel(bad, { ...model, weights: { ...model.weights, trunk } });
  await rejects(predictJson({ model: bad }), 'damaged', /fails its self-test: its answers are .* % off/);
  trunk[100] = Number.NaN;
  writeModel(bad, { ...model, weights: { ...model.weights, trunk } });
  await rejects(predictJson({ model: bad }), 'damaged', /no numbers/);
  const none = new Float32Array(0);
  writeModel(bad, { ...model, selfTest: { pixels: new Uint8Array(0), uniform: none, balanced: none } });
  await rejects(predictJson({ model: bad }), 'damaged', /has no self-test/);
});

test('a file that is no model, or not there, is refused by name', async () => {
  await rejects(predictJson({ model: join(pictures, 'a.png') }), 'damaged', /a\.png is not a whole safetensors file/);
  await rejects(predictJson({ model: join(folder, 'gone') }), 'not-found', /gone does not exist/);
  const inputs = [{ kind: 'folder', path: join(folder, 'nowhere'), name: '' }] as const;
  await rejects(predictJson({ inputs: [...inputs] }), 'not-found', /nowhere/);
});

test('a folder without pictures, a file in the way and a cancel leave nothing behind', async () => {
  const empty = join(folder, 'empty');
  put(join(empty, 'note.txt'), 'x');
  const out = join(folder, 'never.csv');
  await rejects(
    predictPictures(options({ inputs: [{ kind: 'folder', path: empty, name: '' }], out }), runInProcess),
    'empty',
    /holds no picture/,
  );
  const signal = AbortSignal.abort();
  await rejects(predictPictures(options({ out }), runInProcess, { signal }), 'cancelled', /cancelled/);
  assert.ok(!existsSync(out));
  put(out, 'mine');
  await rejects(predictPictures(options({ out }), runInProcess), 'exists', /is there already/);
  assert.equal(readFileSync(out, 'utf8'), 'mine');
  await rejects(predictPictures(options({ top: 0 }), runInProcess), 'usage', /"top" must be at least 1/);
});

test('a run stands for its model; without a number the newest finished one does', async () => {
  const project = openProject(sqliteStorage, join(folder, 'runs.contexture'), { create: true, program: 'test' });
  try {
    await assert.rejects(async () => modelOfRun(project, null, null), /has no finished run/);
    const blob = project.blobs.put(readFileSync(modelFile));
    const run: NewRun = {
      name: 'a run',
      method: 'csa',
      config: {},
      seed: 1,
      state: 'finished',
      reason: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      startedAt: null,
      endedAt: null,
      seconds: 1,
      datasetHash: '0'.repeat(64),
      datasetBlob: blob,
      bankHash: null,
      bankBlob: null,
      engine: null,
      codeVersion: '0.0.0',
      modelBlob: blob,
      predictionsBlob: null,
      figures: null,
    };
    const finished = project.store.runs.add(run);
    const stopped = project.store.runs.add({ ...run, state: 'stopped', modelBlob: null });
    assert.equal(modelOfRun(project, null, null).path, project.blobs.path(blob));
    assert.equal(modelOfRun(project, finished.id, null).path, project.blobs.path(blob));
    await assert.rejects(async () => modelOfRun(project, stopped.id, null), /has no model: it has not finished/);
    await assert.rejects(async () => modelOfRun(project, 99, null), /no run 99/);
    await assert.rejects(async () => modelOfRun(project, finished.id, 'tail'), /has no variant "tail"/);
    const other = project.blobs.put(Buffer.from('another file'));
    project.store.variants.add({
      runId: finished.id,
      name: 'tail',
      head: 'balanced',
      kind: 'tau-norm',
      tau: 1,
      calibration: 'none',
      temperatures: null,
      figures: null,
      blob: other,
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    assert.equal(modelOfRun(project, finished.id, 'tail').path, project.blobs.path(other));
    assert.equal((await predictJson({ model: modelOfRun(project, null, null).path })).pictures.length, 6);
  } finally {
    project.close();
  }
});
