import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { COMPOSITIONS } from '../../core/evaluation/reliance.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { predictPictures } from '../../core/services/predict.ts';
import { pictureInputs } from '../../core/services/predict-inputs.ts';
import { composedPicture, measureReliance, relianceCases, relianceReport } from '../../core/services/reliance.ts';
import { modelOfRun } from '../../core/services/run-model.ts';
import { emptyTrash, trashRuns } from '../../core/services/run-trash.ts';
import { startRun } from '../../core/services/runs.ts';
import { cleanProject } from '../../core/services/storage-use.ts';
import type { Project } from '../../core/storage/project.ts';
import type { ImageRecord, Run } from '../../core/storage/records.ts';
import { TrainConfig } from '../../core/training/config.ts';
import { acceptMask } from '../fixtures/accept-mask.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';

let project: Project;
let pictures: string;
let two: Run;
let one: Run;

before(async () => {
  ({ project, pictures } = await makeTrainingProject());
  two = await startRun(project, { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 2 } }, runJob);
  one = await startRun(project, { method: 'ce', preset: 'small', overrides: { ...TINY, epochs: 1 } }, runJob);
});
after(() => project.close());

const code = (wanted: ErrorCode, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === wanted && text.test(error.message);
const changed = async (): Promise<Buffer> => Buffer.from('another file');
/** Images whose file was read: what they show may be kept. */
const seen = new Set<number>();
const read = async ({ id, path }: ImageRecord): Promise<Buffer> => {
  seen.add(id);
  return readFileSync(join(pictures, path));
};

test('what a run answered to parts and swaps is what its model answers to those pictures', async () => {
  const stages = new Set<string>();
  await measureReliance(project, two.id, null, runJob, { onEvent: ({ stage }) => void stages.add(stage) });
  assert.ok(stages.has('Finding foregrounds') && stages.has('Judging parts and swaps'));
  const report = await relianceReport(project, two.id);
  assert.deepEqual(
    [report?.head, report?.images, report?.split, report?.masksOf],
    ['balanced', 100, 'test as found', null],
  );
  assert.ok(report!.background > 0 && report!.background < 1, `${report!.background} of the pictures is background`);
  assert.equal(report!.bgGap.images, 100);
  const gap = report!.accuracy['mixed-same'].all!.value - report!.accuracy['mixed-rand'].all!.value;
  assert.ok(Math.abs(report!.bgGap.overall!.value - gap) < 1e-9);

  const { cases } = relianceCases(project, two.id, { order: 'swap', limit: 3 });
  const folder = temporaryFolder();
  const names: string[] = [];
  for (const { image } of cases) {
    for (const composition of COMPOSITIONS) {
      const name = `${image}-${composition}.png`;
      writeFileSync(join(folder, name), await composedPicture(project, two.id, image, composition, read));
      names.push(name);
    }
  }
  let text = '';
  const { path: model } = modelOfRun(project, two.id, null);
  const inputs = await pictureInputs(names, folder, null);
  await predictPictures({ model, inputs, top: 10, format: 'json', out: (more) => void (text += more) }, runJob);
  const said = z
    .object({
      pictures: z.array(z.object({ classes: z.array(z.object({ class: z.string(), probability: z.number() })) })),
    })
    .parse(JSON.parse(text));
  let at = 0;
  for (const { label, probability, right } of cases) {
    for (const composition of COMPOSITIONS) {
      const { classes } = said.pictures[at++];
      const { name } = report!.classes[label];
      const answer = classes.find((each) => each.class === name)!.probability;
      assert.ok(
        Math.abs(answer - probability[composition]!) < 1e-3,
        `${composition}: ${answer}, ${probability[composition]}`,
      );
      assert.equal(classes[0].class === name, right[composition], composition);
    }
  }
});

test('the figures on whole pictures are those of the run, and the worst cases come first', async () => {
  const report = await relianceReport(project, two.id, 'uniform');
  const figures = z
    .object({
      evaluation: z.object({ heads: z.object({ uniform: z.object({ top1: z.object({ value: z.number() }) }) }) }),
    })
    .parse(project.store.runs.get(two.id)!.figures);
  assert.equal(report?.accuracy.original.all?.value, figures.evaluation.heads.uniform.top1.value);
  const { cases } = relianceCases(project, two.id, { order: 'swap', limit: 100 });
  const losses = cases.map(({ probability }) => probability.original! - probability['mixed-rand']!);
  assert.deepEqual(
    losses,
    losses.toSorted((a, b) => b - a),
  );
  const ofClass = relianceCases(project, two.id, { order: 'background', truth: 3, limit: 100 });
  assert.equal(ofClass.cases.length, 10);
  assert.ok(ofClass.cases.every(({ label }) => label === 3));
  // Backgrounds are of training pictures, of the class that they should be of.
  const classOf = (id: number | null) => {
    const image = project.store.images.get(id!)!;
    return { split: image.split, name: project.store.classes.get(image.classId)!.name };
  };
  const { name } = report!.classes[3];
  for (const { same, rand } of ofClass.cases) {
    assert.deepEqual(classOf(same), { split: 'train', name });
    assert.equal(classOf(rand).split, 'train');
    assert.notEqual(classOf(rand).name, name);
  }
});

test('masks of another run, and those that a person accepted', async () => {
  const image = [...project.store.images.iterate({ split: 'test' })][0];
  const { width, height } = image;
  const act = { author: 'test', at: '2026-01-01T00:00:00.000Z' };
  const mask = { width, height, data: new Uint8Array(width * height).fill(255) };
  await acceptMask(project, { imageId: image.id, mask, probability: 1, act });
  await measureReliance(project, one.id, two.id, runJob);
  const report = await relianceReport(project, one.id, 'balanced');
  assert.deepEqual([report?.head, report?.reviewed, report?.masksOf], ['uniform', 1, `run ${two.id} (${two.name})`]);
  const [own, other] = await Promise.all(
    (['original', 'no-fg'] as const).map((composition) =>
      composedPicture(project, one.id, image.id, composition, read),
    ),
  );
  assert.deepEqual(own, other, 'all of it is background');
});

test('what cannot be measured or shown is refused in one sentence', async () => {
  await assert.rejects(measureReliance(project, 99, null, runJob), code('not-found', /no run 99/));
  await assert.rejects(
    composedPicture(project, two.id, 9999, 'original', read),
    code('not-found', /Image 9999 is none/),
  );
  const { cases } = relianceCases(project, two.id, { order: 'swap', limit: 100 });
  const { image } = cases.find((each) => !seen.has(each.image))!;
  await assert.rejects(composedPicture(project, two.id, image, 'no-fg', changed), code('changed', /not the file/));
  const config = TrainConfig.parse(two.config);
  project.store.runs.update(two.id, { config: { ...config, inputSize: 64 } as never });
  await assert.rejects(measureReliance(project, one.id, two.id, runJob), code('usage', /another input size/));
  project.store.runs.update(two.id, { config: two.config });
  const signal = AbortSignal.abort();
  await assert.rejects(
    measureReliance(project, one.id, null, runJob, { signal }),
    code('cancelled', /before it began/),
  );
  assert.equal((await relianceReport(project, one.id))?.reviewed, 1, 'what was measured before stays');
});

test('a clean-up spares what was measured; it goes with its run', async () => {
  const { blob } = project.store.reliance.ofRun(two.id)!;
  await cleanProject(project, ['unused'], () => {});
  assert.ok(project.blobs.has(blob));
  trashRuns(project, [two.id]);
  emptyTrash(project);
  assert.ok(!project.blobs.has(blob));
  await assert.rejects(relianceReport(project, two.id), code('not-found', /no run/));
});
