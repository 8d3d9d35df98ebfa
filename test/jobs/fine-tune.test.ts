/**
 * Runs that begin with a backbone's weights and train a part of it, on real pictures: stopped and resumed they have the
 * digits of undisturbed ones, what is frozen comes out as it went in, and the model file speaks for itself.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { asJson, type Json } from '../../core/base/json.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { backbonePath } from '../../core/models/backbone-pack.ts';
import { decodeModelFile } from '../../core/models/model-file.ts';
import { Network } from '../../core/models/network.ts';
import { assignSplit, undoEdit } from '../../core/services/edits.ts';
import { resumeRun, showRun, startRun } from '../../core/services/runs.ts';
import { planTraining, requestOf, tryTraining } from '../../core/services/training.ts';
import { trainingFacts, type RunRequest } from '../../core/services/training-plan.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { TrainConfig, type MethodName, type Tuning } from '../../core/training/config.ts';
import { CHECKPOINT_NAME } from '../../core/training/run-in-progress.ts';
import type { TrainEvent } from '../../core/training/train-job.ts';
import { writePack } from '../fixtures/backbones.ts';
import { digitsOf, makeTrainingProject, TINY, type Digits } from '../fixtures/training.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const EPOCHS = 2;
const KIND = 'efficientnet-lite0';

const cacheBefore = process.env.CONTEXTURE_CACHE;
let project: Project;
type Kind = typeof KIND | 'efficientnet-lite2';
let packs: Record<Kind, { name: string; tensors: Map<string, Float32Array> }>;
before(async () => {
  process.env.CONTEXTURE_CACHE = temporaryFolder();
  packs = {
    [KIND]: { name: 'some', tensors: writePack('some', KIND, 1) },
    'efficientnet-lite2': { name: 'larger', tensors: writePack('larger', 'efficientnet-lite2', 1) },
  };
  ({ project } = await makeTrainingProject());
});
after(() => {
  project.close();
  if (cacheBefore === undefined) delete process.env.CONTEXTURE_CACHE;
  else process.env.CONTEXTURE_CACHE = cacheBefore;
});

function request(method: MethodName, tune: Partial<Tuning>, kind: Kind = KIND): RunRequest {
  const { model: _, ...tiny } = TINY;
  const overrides = {
    ...tiny,
    epochs: EPOCHS,
    inputSize: 32,
    delta: 0.05,
    weights: { name: packs[kind].name },
    tune,
    minSteps: 6,
  };
  return { method, preset: 'small', overrides: { ...overrides, batchSize: 32, bankSize: 32 } };
}

interface Outcome {
  epochs: Digits[];
  model: string | null;
  predictions: string | null;
}

function outcomeOf(run: Run): Outcome {
  assert.equal(run.state, 'finished', run.reason ?? '');
  const { epochs } = showRun(project, run.id);
  assert.equal(epochs.length, EPOCHS);
  return {
    epochs: epochs.map(({ figures }) => digitsOf(figures)),
    model: run.modelBlob,
    predictions: run.predictionsBlob,
  };
}

/** Train until a step's checkpoint is written, and stop there. */
async function stoppedAt(wanted: RunRequest, step: number): Promise<Run> {
  const stop = new AbortController();
  let checkpoints = 0;
  const onEvent = (event: TrainEvent): void => {
    if (event.type === 'checkpoint' && ++checkpoints === step) stop.abort();
  };
  const run = await startRun(project, { ...wanted, checkpointSeconds: 0 }, runJob, { signal: stop.signal, onEvent });
  assert.equal(run.state, 'stopped');
  return run;
}

const FROZEN_STATISTICS = { stages: 2, rate: 0.1, batchNorm: 'frozen' } as const;
for (const [title, kind, method, tune, stop] of [
  ['the heads, cross entropy on kept features', KIND, 'ce', { stages: 0 }, 3],
  ['the heads, control on kept features', KIND, 'control', { stages: 0 }, 8],
  ['the heads, contexts through the frozen backbone', KIND, 'csa', { stages: 0 }, 8],
  ['the last two stages with frozen statistics', KIND, 'csa', FROZEN_STATISTICS, 8],
  ['everything, re-sampled', KIND, 'cbrs', { stages: 'all', rate: 0.5 }, 3],
  ['the heads of EfficientNet-Lite2, contexts', 'efficientnet-lite2', 'csa', { stages: 0 }, 8],
  ['the last two stages of EfficientNet-Lite2', 'efficientnet-lite2', 'csa', FROZEN_STATISTICS, 8],
  ['all of EfficientNet-Lite2', 'efficientnet-lite2', 'csa', { stages: 'all', rate: 0.1 }, 8],
] as const) {
  test(`${title}: stopped and resumed, the digits of an undisturbed run; what is frozen stays`, async () => {
    let previews = 0;
    const onEvent = ({ type }: TrainEvent): void => void (type === 'preview' && previews++);
    const whole = await startRun(project, request(method, tune, kind), runJob, { onEvent });
    // Of what the balanced branch sees, or re-sampling's only one.
    if (method !== 'ce') assert.ok(previews > 0, 'pictures were shown while it was at work');
    const { id } = await stoppedAt(request(method, tune, kind), stop);
    assert.deepEqual(outcomeOf(await resumeRun(project, id, runJob)), outcomeOf(whole));

    const { name: packName, tensors: pack } = packs[kind];
    const { card, weights } = decodeModelFile(project.blobs.get(whole.modelBlob!), 'model');
    assert.equal(card.model.kind, kind);
    assert.deepEqual(card.preprocessing.mean, [127 / 255, 127 / 255, 127 / 255]);
    const network = new Network(card.model, card.classes.length, 'float32', { batchNorm: 'batch', ...tune });
    const named = [
      ...network.trunk.views(weights.trunk).filter(({ name }) => !name.startsWith('uniform.')),
      ...network.statistics.views(weights.statistics),
    ];
    const frozen = new Set(
      [network.frozen.trunk, network.frozen.statistics].flatMap(({ specs }) => specs.map(({ name }) => name)),
    );
    const kept = 'batchNorm' in tune ? (name: string) => frozen.has(name) || name.includes('.running_') : null;
    for (const { name, values } of named) {
      const same = kept ? kept(name) : frozen.has(name);
      if (same) assert.deepEqual(values, pack.get(name), `${name} is as it was`);
      else assert.notDeepEqual(values, pack.get(name), `${name} is trained`);
    }
    const epochs = showRun(project, whole.id).epochs.map(({ figures }) => digitsOf(figures));
    if (method === 'csa') assert.ok(epochs.at(-1)!.mixedSteps > 0, 'contexts were laid on');
    const config = TrainConfig.parse(whole.config);
    assert.equal(config.weights?.name, packName);
    assert.equal(config.weights.hash?.length, 64);
  });
}

test('a trial measures heads on kept features; the estimate counts the looks through the backbone; the request comes back', async () => {
  const { overrides } = request('control', { stages: 0 });
  const { weights, tune, epochs, inputSize, batchSize, bankSize } = overrides!;
  const settings = asJson({ weights, tune, epochs, inputSize, batchSize, bankSize }) as Record<string, Json>;
  const wanted = { preset: 'small' as const, methods: ['control' as const], seeds: [1], settings };
  assert.equal(planTraining(project, wanted).estimates[0].source, 'none');
  const { signal } = new AbortController();
  const { measures } = await tryTraining(project, wanted, runJob, { onEvent: () => {}, signal });
  assert.ok(measures[0].secondsPerLook! > 0);
  const { secondsPerLook, secondsPerEvaluatedImage } = measures[0];
  /** What an estimate has beside its epochs, and the looks and answers that are due. */
  const besideEpochs = (): { told: number; due: number; val: number } => {
    const [{ source, seconds, secondsPerEpoch }] = planTraining(project, wanted).estimates;
    assert.equal(source, 'trial');
    const { trainImages, evaluation, besideTest } = trainingFacts(project.store);
    const looks = 2 * trainImages + evaluation!.images + besideTest;
    const due = looks * secondsPerLook! + besideTest * secondsPerEvaluatedImage;
    return { told: seconds! - EPOCHS * secondsPerEpoch!, due, val: besideTest };
  };
  const { told, due, val } = besideEpochs();
  assert.equal(val, 0);
  assert.ok(Math.abs(told - due) < 1e-6 * due, `${told} s, not ${due}`);
  const at = new Date().toISOString();
  assignSplit(project.store, { val: 0.2, test: 0, seed: 1 }, { author: 'test', at });
  const withVal = besideEpochs();
  undoEdit(project.store, at);
  assert.ok(withVal.val > 0, 'images of val are looked at and answered once');
  assert.ok(Math.abs(withVal.told - withVal.due) < 1e-6 * withVal.due, `${withVal.told} s, not ${withVal.due}`);
  const plan = planTraining(project, wanted);
  assert.match(plan.commands[0], /--backbone some .*--tune heads/);

  const run = await startRun(project, { method: 'control', preset: 'small', overrides: settings }, runJob);
  const again = requestOf(project.store, run);
  assert.deepEqual(planTraining(project, again).config, TrainConfig.parse(run.config));
});

const refused = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === code && text.test(error.message);

test('a checkpoint holds all weights: where the pack is gone or another, a run goes on with the digits of an undisturbed one', async () => {
  for (const tune of [{ stages: 0 }, { stages: 'all' }] as const) {
    const whole = await startRun(project, request('ce', tune), runJob);
    const first = await stoppedAt(request('ce', tune), 4);
    const second = await stoppedAt(request('ce', tune), 4);
    writePack('some', KIND, 2);
    assert.deepEqual(outcomeOf(await resumeRun(project, first.id, runJob)), outcomeOf(whole));
    rmSync(backbonePath('some'));
    assert.deepEqual(outcomeOf(await resumeRun(project, second.id, runJob)), outcomeOf(whole));
    writePack('some', KIND, 1);
  }
});

test('a run that has no checkpoint asks for its backbone: none, another one of the same name or of another network is refused', async () => {
  const wanted = request('ce', { stages: 'all' });
  const run = await stoppedAt(wanted, 1);
  rmSync(join(project.runFolder(run.id), CHECKPOINT_NAME));
  writePack('some', KIND, 2);
  await assert.rejects(resumeRun(project, run.id, runJob), refused('changed', /backbone some is not the one/));
  rmSync(backbonePath('some'));
  await assert.rejects(resumeRun(project, run.id, runJob), refused('not-found', /backbone some is not here/));
  await assert.rejects(startRun(project, wanted, runJob), refused('not-found', /backbone some is not here/));
  writePack('some', KIND, 1);
  assert.equal((await resumeRun(project, run.id, runJob)).state, 'finished');
  const other = { ...wanted, overrides: { ...wanted.overrides, model: { kind: 'resnet18' as const } } };
  await assert.rejects(startRun(project, other, runJob), refused('usage', /some is EfficientNet-Lite0/));
});
