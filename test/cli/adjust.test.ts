import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { before, test } from 'node:test';
import { AdjustmentCurve, AdjustmentPoint, Variant } from '../../core/api/variants.ts';
import { EXIT_CODES } from '../../core/base/errors.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { startRun } from '../../core/services/runs.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';
import { run, runJson, type Result } from './command-line.ts';

let cwd: string;
const contexture = (...args: string[]): Promise<Result> => run(args, { cwd });
const json = (...args: string[]): Promise<Record<string, unknown>> => runJson(args, { cwd });

before(async () => {
  const { project } = await makeTrainingProject();
  await startRun(project, { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 1 } }, runJob);
  project.close();
  cwd = dirname(project.file);
});

test('the curve is a table, with the run itself and the suggested tau', async () => {
  const { code, stdout } = await contexture('adjust', '1');
  assert.equal(code, 0);
  assert.match(stdout, /^Run 1, balanced head, logit adjustment; on test as found, halved by class:$/m);
  assert.match(stdout, /^50 images choose tau and temperatures, 50 other images are reported on\.$/m);
  assert.match(stdout, /^ *0\.00 .*(the run itself|suggested)$/m);
  const { curve } = await json('adjust', '1', '--kind', 'tau-norm', '--head', 'mean');
  const { points, suggested } = AdjustmentCurve.parse(curve);
  assert.equal(points.length, 41);
  assert.ok(points.some(({ tau }) => tau === suggested));
});

test('a point is shown, also below 0, and kept; show lists it, predict takes it', async () => {
  const below = await contexture('adjust', '1', '--tau', '-0.5', '--calibration', 'overall');
  assert.match(below.stdout, /^ +before +tau -0\.5 +difference +verdict$/m);
  assert.match(below.stdout, /^calibration error +answers +before +one temperature +temperature$/m);
  const { point, variant } = await json('adjust', '1', '--best', '--save', 'tail');
  assert.equal(Variant.parse(variant).tau, AdjustmentPoint.parse(point).tau);
  const shown = await contexture('show', '1');
  assert.match(shown.stdout, /^tail +balanced +logit adjustment /m);
  const predicted = await contexture('predict', 'pictures/test', '--run', '1', '--variant', 'tail', '--top', '1');
  assert.equal(predicted.code, 0, predicted.stderr);
  assert.equal(predicted.stdout.trim().split('\n').length, 101);
});

test('variants are renamed and deleted by name; what cannot be is one sentence', async () => {
  await json('adjust', '1', '--tau', '1', '--save', 'other');
  const taken = await contexture('adjust', '1', '--rename', 'other', 'tail');
  assert.equal(taken.code, EXIT_CODES.exists);
  assert.match(taken.stderr, /has a variant "tail" already/);
  assert.equal((await contexture('adjust', '1', '--rename', 'other', 'second')).code, 0);
  assert.match((await contexture('adjust', '1', '--delete', 'second')).stdout, /Deleted the variant "second"/);
  const gone = await contexture('adjust', '1', '--delete', 'second');
  assert.equal(gone.code, EXIT_CODES['not-found']);
  assert.match(gone.stderr, /no variant "second"\. It has "tail"\./);
  for (const args of [
    ['--save', 'x'],
    ['--tau', '9'],
    ['--tau', '1', '--best'],
    ['--rename', 'tail'],
  ]) {
    assert.equal((await contexture('adjust', '1', ...args)).code, EXIT_CODES.usage, args.join(' '));
  }
});
