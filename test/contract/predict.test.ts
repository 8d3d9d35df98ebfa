import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Task } from '../../core/api/tasks.ts';
import { PredictionResult, SentPicture } from '../../core/api/predict.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { predictPictures } from '../../core/services/predict.ts';
import { modelOfRun } from '../../core/services/run-model.ts';
import { saveVariant } from '../../core/services/variants.ts';
import { runJob } from '../../core/jobs/runner.ts';
import type { Project } from '../../core/storage/project.ts';
import { patternPixels, rgbBmp, tinyPng } from '../fixtures/images.ts';
import { trainedProject } from '../fixtures/runs.ts';
import { startContract } from '../fixtures/contract.ts';

const served = startContract();
let project: Project;
let pictures: string;
let base: string;

before(async () => {
  const trained = await trainedProject();
  ({ pictures } = trained);
  trained.project.close();
  const opened = await served.service.openProject(trained.project.file, { create: false });
  ({ project } = opened);
  base = `/api/projects/${opened.id}`;
});

const send = async (upload: Uint8Array): Promise<SentPicture> =>
  SentPicture.parse(await served.get(`POST ${base}/pictures`, { upload }));

test('a sent picture and an image of the project get the answers that predict gives', async () => {
  const image = [...project.store.images.iterate({ split: 'test' })][0];
  const bytes = readFileSync(join(pictures, image.path));
  const sent = await send(bytes);
  assert.deepEqual(sent, { hash: sha256(bytes), width: image.width, height: image.height, format: image.format });
  const body = { run: 2, pictures: [{ hash: sent.hash }, { image: image.id }] };
  const task = await served.get<Task>(`POST ${base}/predictions`, { body });
  const ended = await served.ended(task);
  assert.deepEqual([ended.state, ended.error], ['done', null]);
  const { answers, judgedBy, run } = PredictionResult.parse(ended.result);
  assert.deepEqual([run, judgedBy], [2, 'balanced']);
  const [first, second] = answers;
  assert.deepEqual(first.heads, second.heads);
  assert.deepEqual(first.saliency, second.saliency);
  assert.deepEqual([first.picture, second.picture], [{ hash: sent.hash }, { image: image.id }]);
  assert.deepEqual(
    first.heads.map(({ head, guesses }) => [head, guesses.length]),
    [
      ['uniform', 5],
      ['balanced', 5],
      ['mean', 5],
    ],
  );
  let text = '';
  const options = {
    model: modelOfRun(project, 2, null).path,
    inputs: [{ kind: 'folder' as const, path: pictures, name: '' }],
    format: 'json',
    out: (part: string) => (text += part),
  };
  await predictPictures({ ...options, format: 'json', top: 5 }, runJob);
  const told = (JSON.parse(text) as { pictures: { file: string; classes: { class: string; probability: number }[] }[] })
    .pictures;
  const expected = told.find(({ file }) => file === image.path)!.classes;
  const guesses = first.heads[1].guesses;
  assert.deepEqual(
    guesses.map(({ name }) => name),
    expected.map((row) => row.class),
  );
  for (const [i, { probability }] of guesses.entries()) {
    assert.ok(Math.abs(probability - expected[i].probability) < 1e-5);
  }
  assert.equal(first.saliency!.label, guesses[0].label);
});

test('a variant is tried as predict uses it; the head that it is about answers, and no other', async () => {
  await saveVariant(project, 2, {
    name: 'to the tail',
    kind: 'logit-adjustment',
    tau: 2,
    calibration: 'group',
    head: 'balanced',
  });
  const images = [...project.store.images.iterate({ split: 'test' })].slice(0, 6);
  const asked = { run: 2, pictures: images.map(({ id }) => ({ image: id })) };
  const answersOf = async (body: Record<string, unknown>): Promise<PredictionResult> => {
    const task = await served.get<Task>(`POST ${base}/predictions`, { body });
    return PredictionResult.parse((await served.ended(task)).result);
  };
  const trained = await answersOf(asked);
  const varied = await answersOf({ ...asked, variant: 'to the tail' });
  assert.deepEqual([varied.run, varied.judgedBy], [2, 'balanced']);
  let text = '';
  await predictPictures(
    {
      model: modelOfRun(project, 2, 'to the tail').path,
      inputs: [{ kind: 'folder', path: pictures, name: '' }],
      format: 'json',
      out: (part: string) => (text += part),
    },
    runJob,
  );
  const told: { pictures: { file: string; classes: { class: string; probability: number }[] }[] } = JSON.parse(text);
  for (const [i, { heads }] of varied.answers.entries()) {
    assert.deepEqual(
      heads.map(({ head }) => head),
      ['balanced'],
    );
    const expected = told.pictures.find(({ file }) => file === images[i].path)!.classes;
    for (const [k, { name, probability }] of heads[0].guesses.entries()) {
      assert.equal(name, expected[k].class);
      assert.ok(Math.abs(probability - expected[k].probability) < 1e-5);
    }
  }
  assert.notDeepEqual(
    varied.answers.map(({ heads }) => heads[0].guesses),
    trained.answers.map(({ heads }) => heads.find(({ head }) => head === 'balanced')!.guesses),
  );
  const missing = await served.refused(`POST ${base}/predictions`, 'not-found', {
    body: { ...asked, variant: 'no such' },
  });
  assert.match(missing, /Run 2 has no variant "no such"\. It has "to the tail"\./);
});

test('pictures are tried while a run is training', async () => {
  const request = { preset: 'small', methods: ['ce'], seeds: [9], settings: { epochs: 500 } };
  const [training] = await served.get<Task[]>(`POST ${base}/runs`, { body: request });
  const image = [...project.store.images.iterate({ split: 'test' })][5];
  const body = { run: 2, pictures: [{ image: image.id }] };
  const tried = await served.ended(await served.get<Task>(`POST ${base}/predictions`, { body }));
  assert.equal(tried.state, 'done');
  assert.equal(served.service.tasks.get(training.id).state, 'running');
  await served.get(`POST /api/tasks/${training.id}/cancel`);
});

test('a picture of another shape is seen in its middle, and says so', async () => {
  const wide = rgbBmp(patternPixels(96, 48, 3));
  const { hash, width, height } = await send(wide);
  assert.deepEqual([width, height], [96, 48]);
  const task = await served.get<Task>(`POST ${base}/predictions`, { body: { run: 1, pictures: [{ hash }] } });
  const { answers } = PredictionResult.parse((await served.ended(task)).result);
  const { box } = answers[0].saliency!;
  assert.deepEqual(box, { left: 0.25, top: 0, width: 0.5, height: 1 });
});

test('what is no picture is refused when it is sent', async () => {
  const post = `POST ${base}/pictures`;
  await served.refused(post, 'damaged', { upload: Buffer.from('hello') });
  await served.refused(post, 'damaged', { upload: Buffer.alloc(0) });
  await served.refused(post, 'damaged', { upload: tinyPng(1).subarray(0, 40) });
  const svg = await served.refused(post, 'damaged', { upload: Buffer.from('<svg xmlns="x"/>') });
  assert.match(svg, /SVG pictures are not read/);
  await served.refused(post, 'usage', { upload: Buffer.alloc(64 * 2 ** 20 + 1) });
  await served.refused('POST /api/projects/none/pictures', 'not-found', { upload: tinyPng(1) });
});

test('a trial of what is not there is refused before it is queued', async () => {
  const post = `POST ${base}/predictions`;
  const { hash } = await send(tinyPng(4, 32));
  await served.refused(post, 'not-found', { body: { run: 99, pictures: [{ hash }] } });
  await served.refused(post, 'not-found', { body: { run: 1, pictures: [{ hash: 'f'.repeat(64) }] } });
  await served.refused(post, 'not-found', { body: { run: 1, pictures: [{ image: 99_999 }] } });
  for (const bad of [
    [],
    [{}],
    [{ hash: '../../secret' }],
    [{ hash: `${'f'.repeat(63)}/` }],
    [{ image: 0 }],
    [{ hash, path: '/etc/passwd' }],
    Array.from({ length: 101 }, () => ({ hash })),
  ]) {
    await served.refused(post, 'usage', { body: { run: 1, pictures: bad } });
  }
});

test('a picture that cannot be read in the middle of others has a problem, the others an answer', async () => {
  const [gone, stays] = [...project.store.images.iterate({ split: 'test' })].slice(1, 3);
  const task = await served.get<Task>(`POST ${base}/predictions`, {
    body: { run: 1, pictures: [{ image: gone.id }, { image: stays.id }] },
  });
  rmSync(join(pictures, gone.path));
  const { answers } = PredictionResult.parse((await served.ended(task)).result);
  assert.match(answers[0].problem ?? '', /Cannot read .*\.$/);
  assert.deepEqual([answers[0].heads, answers[0].saliency], [[], null]);
  assert.equal(answers[1].problem, null);
  assert.equal(answers[1].heads.length, 3);
  assert.deepEqual(served.log, []);
});
