import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { groupsByCount } from '../../core/data/groups.ts';
import { ADJUSTMENTS } from '../../core/evaluation/adjustment.ts';
import { meanLogits } from '../../core/evaluation/predictions.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { decodeModelFile } from '../../core/models/model-file.ts';
import { Network } from '../../core/models/network.ts';
import { adjustmentCurve, adjustmentPoint } from '../../core/services/adjustment.ts';
import { predictPictures } from '../../core/services/predict.ts';
import { pictureInputs } from '../../core/services/predict-inputs.ts';
import { assignSplit } from '../../core/services/edits.ts';
import { modelCard } from '../../core/services/model-card.ts';
import { datasetOf } from '../../core/services/run-data.ts';
import { modelOfRun } from '../../core/services/run-model.ts';
import { emptyTrash, trashRuns } from '../../core/services/run-trash.ts';
import { predictionsOf, startRun } from '../../core/services/runs.ts';
import { cleanProject } from '../../core/services/storage-use.ts';
import { deleteVariant, findVariant, listVariants, renameVariant, saveVariant } from '../../core/services/variants.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { storedFigures } from '../../core/training/stored-figures.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';

let project: Project;
let pictures: string;
let run: Run;

before(async () => {
  ({ project, pictures } = await makeTrainingProject());
  run = await startRun(project, { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 2 } }, runJob);
});
after(() => project.close());

const code = (wanted: ErrorCode, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === wanted && text.test(error.message);

const Answers = z.object({
  model: z.object({ head: z.string(), selfTest: z.number() }),
  pictures: z.array(
    z.object({ file: z.string(), classes: z.array(z.object({ class: z.string(), probability: z.number() })) }),
  ),
});

/** Probabilities of every class that the real engine gives for the run's test pictures, by image id. */
async function predicted(variant: string) {
  let text = '';
  const images = [...project.store.images.iterate({ split: 'test' })];
  const inputs = await pictureInputs(
    images.map(({ path }) => path),
    pictures,
    null,
  );
  const { path: model } = modelOfRun(project, run.id, variant);
  const write = (more: string): void => void (text += more);
  await predictPictures({ model, inputs, top: 10, format: 'json', out: write }, runJob);
  const answers = Answers.parse(JSON.parse(text));
  return { ...answers, byId: new Map(answers.pictures.map(({ classes }, i) => [images[i].id, classes])) };
}

/** Written out: what the variant should say of an image, from the run's stored logits and its model's weights. */
async function expected(kind: 'logit-adjustment' | 'tau-norm', head: 'uniform' | 'balanced' | 'mean', tau: number) {
  const { trainCounts } = await datasetOf(project, run);
  const { uniform, balanced, imageIds } = predictionsOf(project, run);
  const model = modelOfRun(project, run.id, null).path;
  const { card, weights } = decodeModelFile(readFileSync(model), model);
  const network = new Network(card.model, card.classes.length);
  const tensors = new Map(
    (['trunk', 'balanced'] as const).flatMap((part) =>
      network[part].views(weights[part]).map(({ name, values }) => [name, values] as const),
    ),
  );
  const total = trainCounts.reduce((a, b) => a + b, 0);
  const changed = (logits: Float32Array, name: string): Float32Array =>
    logits.map((logit, at) => {
      const k = at % 10;
      if (kind === 'logit-adjustment') return logit - tau * Math.log(trainCounts[k] / total);
      let squares = 0;
      for (let f = 0; f < network.features; f++) squares += tensors.get(`${name}.weight`)![f * 10 + k] ** 2;
      return logit / Math.sqrt(squares) ** tau;
    });
  const [u, b] = [changed(uniform, 'uniform'), changed(balanced!, 'balanced')];
  const logits = { uniform: u, balanced: b, mean: meanLogits(u, b) }[head];
  return { logits, imageIds, classes: card.classes };
}

test('the model file of a variant proves itself and gives the adjusted logits on the real engine', async () => {
  const { trainCounts } = await datasetOf(project, run);
  const groups = groupsByCount(trainCounts, { many: 100, few: 20 });
  for (const [kind, head, tau, calibration] of [
    ['logit-adjustment', 'balanced', 1.25, 'group'],
    ['tau-norm', 'uniform', 0.8, 'overall'],
    ['tau-norm', 'mean', 1.5, 'none'],
    ['logit-adjustment', 'mean', -0.5, 'none'],
  ] as const) {
    const name = `${kind} of ${head}`;
    const { temperatures } = await saveVariant(project, run.id, { name, kind, head, tau, calibration });
    const answers = await predicted(name);
    assert.equal(answers.model.head, head);
    assert.ok(answers.model.selfTest <= 1e-4, `${name}: self-test ${answers.model.selfTest}`);
    const { logits, imageIds, classes } = await expected(kind, head, tau);
    for (const [i, id] of imageIds.entries()) {
      const row = [...logits.subarray(i * 10, (i + 1) * 10)];
      const group = groups[row.indexOf(Math.max(...row))];
      const temperature = { none: 1, overall: temperatures.overall, group: temperatures.groups[group] }[calibration];
      const powers = row.map((logit) => Math.exp(logit / temperature));
      const sum = powers.reduce((a, b) => a + b, 0);
      for (const { class: label, probability } of answers.byId.get(id)!) {
        const wanted = powers[classes.indexOf(label)] / sum;
        assert.ok(
          Math.abs(probability - wanted) < 1e-3,
          `${name}: image ${id}, ${label}: ${probability}, not ${wanted}`,
        );
      }
    }
  }
});

test('tau 0 is the run itself, and the point agrees with the curve', async () => {
  for (const kind of ADJUSTMENTS) {
    const curve = await adjustmentCurve(project, run.id, { kind });
    assert.equal(curve.choosing + curve.reporting, predictionsOf(project, run).labels.length);
    const tau = curve.suggested;
    const point = await adjustmentPoint(project, run.id, { kind, tau });
    const figures = (at: number) => curve.points.find((each) => each.tau === at)!.figures;
    assert.deepEqual([point.before, point.after], [figures(0), figures(tau)]);
    const same = await adjustmentPoint(project, run.id, { kind, tau: 0 });
    assert.deepEqual(same.before, same.after);
    assert.equal(same.differences.overall?.gained, 0);
  }
});

test('with a val split beside test, val chooses and all of test reports, as in the summary', async () => {
  const { project: dealt } = await makeTrainingProject();
  try {
    assignSplit(dealt.store, { val: 0.25, test: 0, seed: 3 }, { author: 'test', at: '2026-01-01T00:00:00.000Z' });
    const moved = [...dealt.store.images.iterate({ split: 'val' })];
    assert.ok(moved.length > 20);
    const request = { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 2 } } as const;
    const judged = await startRun(dealt, request, runJob);
    assert.equal(judged.state, 'finished');
    const { val, labels, imageIds, split } = predictionsOf(dealt, judged);
    assert.deepEqual([split, labels.length, val!.labels.length], ['test', 100, moved.length]);
    assert.deepEqual(new Set(val!.imageIds), new Set(moved.map(({ id }) => id)));
    assert.ok(![...imageIds].some((id) => val!.imageIds.includes(id)));
    const { trainCounts } = await datasetOf(dealt, judged);
    const curve = await adjustmentCurve(dealt, judged.id, { kind: 'logit-adjustment' });
    assert.deepEqual([curve.chosenOn, curve.choosing, curve.reporting], ['val', moved.length, 100]);
    const own = storedFigures(judged.figures)!.evaluation!.heads.balanced!;
    const bare = curve.points.find(({ tau }) => tau === 0)!.figures;
    assert.deepEqual([bare.top1, bare.macroRecall, bare.groups], [own.top1, own.macroRecall, own.groups]);
    // Written out: recall on val of the adjusted answers, for every tau.
    const total = trainCounts.reduce((a, b) => a + b, 0);
    for (const { tau, chosenBy } of curve.points) {
      const [right, all] = [trainCounts.map(() => 0), trainCounts.map(() => 0)];
      for (const [i, label] of val!.labels.entries()) {
        const row = trainCounts.map((count, k) => val!.balanced![i * 10 + k] - tau * Math.log(count / total));
        all[label]++;
        if (row.indexOf(Math.max(...row)) === label) right[label]++;
      }
      const recalls = all.flatMap((count, label) => (count === 0 ? [] : [right[label] / count]));
      const macro = recalls.reduce((a, b) => a + b, 0) / recalls.length;
      assert.ok(Math.abs(chosenBy! - macro) < 1e-9, `tau ${tau}: ${chosenBy}, not ${macro}`);
    }
    const best = Math.max(...curve.points.map(({ chosenBy }) => chosenBy!));
    assert.equal(curve.points.find(({ tau }) => tau === curve.suggested)!.chosenBy, best);
    const point = await adjustmentPoint(dealt, judged.id, { kind: 'logit-adjustment', tau: curve.suggested });
    assert.equal(point.reliability.none.all.answers, 100);
    const kept = await saveVariant(dealt, judged.id, {
      kind: 'logit-adjustment',
      tau: curve.suggested,
      calibration: 'overall',
      name: 'by val',
    });
    assert.equal(kept.figures.chosenOn, 'val');
    const card = await modelCard(dealt, modelOfRun(dealt, judged.id, 'by val'), ['card'], null);
    assert.match(
      card,
      new RegExp(
        `On 100 images of test as found; tau and temperatures were chosen on the ${moved.length} images of val\\.`,
      ),
    );
  } finally {
    dealt.close();
  }
});

test('variants have names of their own; what cannot be kept is refused in one sentence', async () => {
  const request = { kind: 'logit-adjustment', tau: 1, calibration: 'none', name: 'tail' } as const;
  const kept = await saveVariant(project, run.id, request);
  await assert.rejects(saveVariant(project, run.id, request), code('exists', /has a variant "tail" already/));
  await assert.rejects(
    saveVariant(project, run.id, { ...request, name: 'far', tau: 9 }),
    code('usage', /between -1 and 3/),
  );
  await assert.rejects(saveVariant(project, 99, request), code('not-found', /no run 99/));
  const other = await saveVariant(project, run.id, { ...request, name: 'other' });
  assert.equal(findVariant(project, run.id, 'other').blob, findVariant(project, run.id, 'tail').blob);
  assert.throws(() => renameVariant(project, other.id, 'tail'), code('exists', /"tail" already/));
  assert.equal(renameVariant(project, other.id, 'other').name, 'other');
  assert.equal(renameVariant(project, other.id, 'second').name, 'second');
  deleteVariant(project, other.id);
  assert.throws(() => deleteVariant(project, other.id), code('not-found', /no variant/));
  assert.throws(
    () => findVariant(project, run.id, 'second'),
    code('not-found', /no variant "second". It has .*"tail"/),
  );
  assert.ok(listVariants(project, run.id).some(({ id }) => id === kept.id));
});

test('a clean-up spares the models of variants and takes those of deleted ones; the trash takes all', async () => {
  const request = { kind: 'tau-norm', tau: 1.1, calibration: 'none', name: 'for a while' } as const;
  const { id } = await saveVariant(project, run.id, request);
  const { blob } = findVariant(project, run.id, request.name);
  await cleanProject(project, ['unused'], () => {});
  assert.ok(project.blobs.has(blob));
  deleteVariant(project, id);
  await cleanProject(project, ['unused'], () => {});
  assert.ok(!project.blobs.has(blob));
  await saveVariant(project, run.id, request);
  assert.ok(project.blobs.has(blob), 'what a clean-up took is written anew');
  trashRuns(project, [run.id]);
  emptyTrash(project);
  assert.ok(!project.blobs.has(blob));
  assert.throws(() => listVariants(project, run.id), code('not-found', /no run/));
});
