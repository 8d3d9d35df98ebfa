import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { before, test } from 'node:test';
import { RelianceComparison, RelianceReport } from '../../core/api/reliance.ts';
import { StudyReport } from '../../core/api/studies.ts';
import { EXIT_CODES } from '../../core/base/errors.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { morphMasks } from '../../core/services/review-masks.ts';
import { startRun } from '../../core/services/runs.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';
import { lastJson, run, type Result } from './command-line.ts';

const ACT = { author: 'test', at: '2026-01-01T00:00:00.000Z' };

let cwd: string;
const contexture = (...args: string[]): Promise<Result> => run(args, { cwd });

before(async () => {
  const { project } = await makeTrainingProject();
  await startRun(project, { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 1 } }, runJob);
  await startRun(project, { method: 'ce', preset: 'small', overrides: { ...TINY, epochs: 1, seed: 2 } }, runJob);
  const images = [...project.store.images.iterate({ split: 'train' })].slice(0, 12).map(({ id }) => id);
  const contexts = await findSome(project, images);
  decideContexts(project, contexts, 'accepted', ACT);
  await morphMasks(project, contexts.slice(0, 4), { operation: 'grow', amount: 2 }, ACT);
  project.close();
  cwd = dirname(project.file);
});

test('reliance is measured once, told as tables, and by another head without measuring again', async () => {
  const first = await contexture('reliance', '1', '--json', '--quiet');
  assert.equal(first.code, 0, first.stderr);
  const report = RelianceReport.parse(lastJson(first.stdout).reliance);
  const told = await contexture('reliance', '1', '--head', 'uniform');
  assert.equal(told.code, 0, told.stderr);
  assert.match(
    told.stdout,
    /^Run 1, uniform head, on test as found: 100 pictures, .* background by the saliency of the run itself and \d+ accepted masks?\.$/m,
  );
  assert.match(told.stdout, /^mean p\(true class\) +macro mean +many +medium +few$/m);
  assert.match(told.stdout, /^background of another class +[\d.]+ %/m);
  assert.match(told.stdout, /^all pictures +[-+]?[\d.]+ +[-+]?[\d.]+ to [-+]?[\d.]+ +100$/m);
  const again = await contexture('reliance', '1', '--json', '--quiet');
  assert.deepEqual(lastJson(again.stdout).reliance, report);
  const anew = await contexture('reliance', '1', '--json', '--quiet', '--masks-of', '1');
  const { measuredAt, ...figures } = RelianceReport.parse(lastJson(anew.stdout).reliance);
  assert.notEqual(measuredAt, report.measuredAt);
  assert.deepEqual({ ...figures, measuredAt: report.measuredAt, masksOf: null }, report);
  const none = await contexture('reliance', '9');
  assert.deepEqual([none.code, /no run 9/.test(none.stderr)], [EXIT_CODES['not-found'], true]);
});

test('a run is compared with another, which is measured on the way', async () => {
  const { code, stdout, stderr } = await contexture('reliance', '2', '--against', '1', '--quiet');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Run 2 \(uniform head\) against run 1 \(balanced head\) on test as found: 100 pictures\.$/m);
  assert.match(stdout, /^Paired picture by picture/m);
  assert.match(stdout, /^BG-Gap +run 1 +run 2 +points +95 % interval +direction$/m);
  assert.match(stdout, /^background alone, few +/m);
  const told = await contexture('reliance', '2', '--against', '1', '--json', '--quiet');
  const comparison = RelianceComparison.parse(lastJson(told.stdout).comparison);
  assert.equal(comparison.unpaired, null);
  assert.match(comparison.masksOf[1] ?? '', /^run 1 /);
});

test('a study of edits is trained, shown again, listed and forgotten', async () => {
  const { code, stdout, stderr } = await contexture(
    'study',
    'edits',
    '--seeds',
    '1',
    '--preset',
    'small',
    '--epochs',
    '1',
  );
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^Study 1: did my edits help\? 4 edited masks of 12 in the bank, 100\.0 % of contexts from it\.$/m,
  );
  assert.match(stdout, /^seed 1: runs 3, 4 +without +with +points +95 % interval +verdict$/m);
  assert.match(stdout, /^From one pair of runs .*\.$/m);
  assert.equal((await contexture('study', 'show', '1')).stdout, stdout);
  const shown = await contexture('study', 'run', '1', '--json', '--quiet');
  assert.equal(StudyReport.parse(lastJson(shown.stdout).study).finished, 1);
  const wrong = await contexture('study', 'add', '1', '--seeds', '4-');
  assert.deepEqual([wrong.code, /Expected seeds/.test(wrong.stderr)], [EXIT_CODES.usage, true]);
  const taken = await contexture('study', 'add', '1', '--seeds', '1');
  assert.deepEqual([taken.code, /Seed 1 is in study 1 already/.test(taken.stderr)], [EXIT_CODES.usage, true]);
  const added = await contexture('study', 'add', '1', '--seeds', '5');
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /^Over 2 seeds .*\.$/m);
  assert.match((await contexture('study', 'list')).stdout, /^ *1 .* 2 of 2 +Over 2 seeds/m);
  assert.match((await contexture('study', 'delete', '1')).stdout, /its runs stay/);
  assert.equal((await contexture('study', 'show', '1')).code, EXIT_CODES['not-found']);
});
