/** The same seed gives the same digits in every process, and what must be equal between methods is. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { putSnapshot, takeSnapshot } from '../../core/data/snapshot.ts';
import { engineEnvironment, readEngineInstall } from '../../core/engine/install.ts';
import { runJob } from '../../core/jobs/runner.ts';
import type { Project } from '../../core/storage/project.ts';
import { METHODS, type MethodName } from '../../core/training/config.ts';
import { METHODS_BY_NAME } from '../../core/training/methods/index.ts';
import { makeConfig, type TrainOverrides } from '../../core/training/presets.ts';
import type { TrainEvent, TrainResult, TrainSpec } from '../../core/training/train-job.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { epochListener, makeTrainingProject, TINY, type Digits } from '../fixtures/training.ts';

const OVERRIDES: TrainOverrides = { ...TINY, epochs: 2 };

let project: Project;
let snapshotBlob: string;
before(async () => {
  ({ project } = await makeTrainingProject());
  snapshotBlob = putSnapshot(project.blobs, takeSnapshot(project.store));
});
after(() => project.close());

interface Outcome {
  epochs: Digits[];
  model: string;
  predictions: string;
}

/** A whole run in a process of its own. */
async function train(
  method: MethodName,
  overrides: TrainOverrides = {},
  atOnce: number = METHODS_BY_NAME[method].heads.length,
): Promise<Outcome> {
  const config = makeConfig(method, 'small', 32, { ...OVERRIDES, ...overrides });
  const spec: TrainSpec = {
    config,
    snapshotBlob,
    bankBlob: null,
    bankHash: null,
    blobFolder: project.blobs.folder,
    cacheFolder: project.cacheFolder,
    runFolder: join(temporaryFolder(), 'run'),
    resume: false,
    checkpointSeconds: 3600,
    codeVersion: 'test',
  };
  const { epochs, onEvent } = epochListener();
  const env = engineEnvironment(readEngineInstall(), { threads: config.threads, atOnce });
  const { modelBlob, predictionsBlob } = await runJob<TrainSpec, TrainEvent, TrainResult>('train', spec, {
    onEvent,
    env,
  });
  return { epochs: epochs.map(({ digits }) => digits), model: modelBlob!, predictions: predictionsBlob! };
}

const first = new Map<MethodName, Outcome>();

for (const method of METHODS) {
  test(`${method}: two processes, one seed, the same digits`, async () => {
    // Side by side, so that they also get in each other's way.
    const [a, b] = await Promise.all([train(method), train(method)]);
    assert.equal(a.epochs.length, OVERRIDES.epochs);
    assert.deepEqual(a, b);
    first.set(method, a);
  });
}

test('operations side by side, or one after the other: the same digits', async () => {
  assert.deepEqual(await train('csa', {}, 1), first.get('csa'));
});

test('another seed, and another method, gives other digits', async () => {
  const other = await train('ce', { seed: 2 });
  const ce = first.get('ce')!;
  assert.notEqual(other.model, ce.model);
  assert.notEqual(other.predictions, ce.predictions);
  for (const [epoch, { uniformLoss }] of other.epochs.entries()) {
    assert.notEqual(uniformLoss, ce.epochs[epoch].uniformLoss);
  }
  assert.equal(new Set([...first.values()].map(({ predictions }) => predictions)).size, METHODS.length);
});

test('until the balanced branch starts, CE, control and CSA are one and the same; then they part', () => {
  const [ce, control, csa] = (['ce', 'control', 'csa'] as const).map((method) => first.get(method)!.epochs);
  assert.equal(ce[0].uniformLoss, control[0].uniformLoss);
  assert.equal(ce[0].uniformLoss, csa[0].uniformLoss);
  assert.deepEqual(ce[0].evaluation!.heads.uniform, csa[0].evaluation!.heads.uniform);
  assert.deepEqual([control[0].balancedLoss, csa[0].balancedLoss], [null, null]);
  assert.deepEqual([csa[0].mixedSteps, csa[1].mixedSteps > 0], [0, true]);
  assert.equal(new Set([ce, control, csa].map((epochs) => epochs[1].uniformLoss)).size, 3);
});

test('CSA with lambda 0 and a bank that is always full is the control, digit for digit', async () => {
  const zero = await train('csa', { lambda: { min: 0, max: 0, per: 'batch' }, delta: 0, startBalanced: 0 });
  const control = await train('control', { startBalanced: 0 });
  for (const [epoch, expected] of control.epochs.entries()) {
    const { uniformLoss, balancedLoss, evaluation, mixedSteps, steps } = zero.epochs[epoch];
    assert.equal(mixedSteps, steps);
    assert.deepEqual(
      { uniformLoss, balancedLoss, evaluation },
      { uniformLoss: expected.uniformLoss, balancedLoss: expected.balancedLoss, evaluation: expected.evaluation },
    );
  }
  assert.equal(zero.predictions, control.predictions);
});
