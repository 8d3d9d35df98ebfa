import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Disagreements, PairComparison, RunComparison } from '../../core/api/compare.ts';
import { takeSnapshot, type DatasetSnapshot } from '../../core/data/snapshot.ts';
import { compareTwoRuns } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import { METHODS_BY_NAME } from '../../core/training/methods/index.ts';
import { addMadeRun } from '../fixtures/runs.ts';
import { startContract } from '../fixtures/contract.ts';
import { makeTrainingProject } from '../fixtures/training.ts';

const served = startContract();
let project: Project;
let snapshot: DatasetSnapshot;
let base: string;

before(async () => {
  const made = await makeTrainingProject();
  made.project.close();
  const opened = await served.service.openProject(made.project.file, { create: false });
  ({ project } = opened);
  base = `/api/projects/${opened.id}`;
  snapshot = takeSnapshot(project.store);
  // Runs 1 to 5.
  addMadeRun(project, snapshot, { method: 'csa', seed: 1, skill: 0.9 });
  addMadeRun(project, snapshot, { method: 'csa', seed: 2, skill: 0.9 });
  addMadeRun(project, snapshot, { method: 'control', seed: 1, skill: 0.5 });
  addMadeRun(project, snapshot, { method: 'control', seed: 2, skill: 0.5 });
  addMadeRun(project, snapshot, { method: 'ce', seed: 1, skill: 0.4 });
});

const side = async (query: Record<string, number | string | number[]>): Promise<RunComparison> =>
  RunComparison.parse(await served.get(`GET ${base}/comparison`, { query }));

test('only settings that differ are listed, with the value of each run', async () => {
  const { settings, baseline, runs: compared } = await side({ runs: [3, 1] });
  assert.equal(baseline, 3);
  assert.deepEqual(
    compared.map(({ run, head, unpaired }) => [run.id, head, unpaired]),
    [
      [3, 'balanced', null],
      [1, 'balanced', null],
    ],
  );
  assert.deepEqual(settings, [{ name: 'method', values: ['control', 'csa'] }]);
  const other = await side({ runs: [1, 2] });
  assert.deepEqual(other.settings, [{ name: 'seed', values: ['1', '2'] }]);
});

test('runs of the same settings form a group of seeds, paired by seed with that of the baseline', async () => {
  const { seedGroups, runs: compared } = await side({ runs: [1, 2, 3, 4, 5], baseline: 3 });
  assert.deepEqual(
    seedGroups.map(({ name, runs: members }) => [name, members.map(({ run }) => run)]),
    [
      [METHODS_BY_NAME.control.title, [3, 4]],
      [METHODS_BY_NAME.csa.title, [1, 2]],
      [METHODS_BY_NAME.ce.title, [5]],
    ],
  );
  const top1 = (id: number): number => compared.find(({ run }) => run.id === id)!.summary!.top1!.value;
  const csa = seedGroups[1];
  assert.ok(Math.abs(csa.figures.top1!.mean - (top1(1) + top1(2)) / 2) < 1e-12);
  assert.ok(csa.figures.top1!.deviation! >= 0);
  assert.equal(seedGroups[0].differences, null);
  const difference = csa.differences!.top1!;
  assert.equal(difference.seeds, 2);
  assert.ok(Math.abs(difference.value - (top1(1) + top1(2) - top1(3) - top1(4)) / 2) < 1e-12);
  // One shared seed: a difference, but no interval.
  assert.deepEqual([seedGroups[2].differences!.top1!.seeds, seedGroups[2].differences!.top1!.low], [1, null]);
});

test('a pair is compared as the command line compares it', async () => {
  const query = { baseline: 3, run: 1 };
  const pair = PairComparison.parse(await served.get(`GET ${base}/comparison/pair`, { query }));
  const { comparison, heads, split, classes } = await compareTwoRuns(project, 3, 1);
  assert.deepEqual(pair.overall, comparison.overall);
  assert.deepEqual(pair.macroRecall, comparison.macroRecall);
  assert.deepEqual(pair.groups, comparison.groups);
  assert.deepEqual(pair.ranges, comparison.ranges);
  assert.deepEqual(
    pair.classes.map(({ recall }) => recall),
    comparison.classes,
  );
  assert.deepEqual([pair.heads, pair.split], [heads, split]);
  assert.deepEqual(
    pair.classes.map(({ name }) => name),
    classes,
  );
  assert.equal(pair.overall!.verdict, 'better');
  const again = PairComparison.parse(await served.get(`GET ${base}/comparison/pair`, { query }));
  assert.deepEqual(again, pair);
});

test('a method with one head answers by it whatever head is asked for', async () => {
  const query = { baseline: 5, run: 1, head: 'mean' };
  const pair = PairComparison.parse(await served.get(`GET ${base}/comparison/pair`, { query }));
  assert.deepEqual(pair.heads, ['uniform', 'mean']);
});

test('the images that one run has right and the other wrong add up to what was gained and lost', async () => {
  const pair = PairComparison.parse(
    await served.get(`GET ${base}/comparison/pair`, { query: { baseline: 3, run: 1 } }),
  );
  for (const kind of ['gained', 'lost'] as const) {
    const query = { baseline: 3, run: 1, kind };
    const found = Disagreements.parse(await served.get(`GET ${base}/comparison/disagreements`, { query }));
    assert.equal(found.images.length, pair.overall![kind]);
    const rightColumn = kind === 'gained' ? found.run : found.baseline;
    const wrongColumn = kind === 'gained' ? found.baseline : found.run;
    assert.deepEqual(rightColumn, found.truth);
    assert.ok(wrongColumn.every((label, i) => label !== found.truth[i]));
    const surest = kind === 'gained' ? found.runConfidence : found.baselineConfidence;
    assert.deepEqual(
      surest,
      surest.toSorted((a, b) => b - a),
    );
    const labels = new Map(snapshot.images.map(({ id, label }) => [id, label]));
    assert.ok(found.images.every((id, i) => labels.get(id) === found.truth[i]));
    const truth = pair.classes.find(({ recall }) => recall![kind] > 0)!.label;
    const one = Disagreements.parse(
      await served.get(`GET ${base}/comparison/disagreements`, { query: { ...query, truth } }),
    );
    assert.equal(one.images.length, pair.classes[truth].recall![kind]);
  }
});

test('runs that cannot be paired say why and are shown all the same', async () => {
  const unfinished = addMadeRun(project, snapshot, { finished: false });
  const fewer = addMadeRun(project, { ...snapshot, classes: [...snapshot.classes.slice(0, -1), 'zebra'] });
  const { runs: compared } = await side({ runs: [1, unfinished.id, fewer.id] });
  assert.match(compared[1].unpaired!, /has not finished/);
  assert.match(compared[2].unpaired!, /trained on different classes/);
  const pair = `GET ${base}/comparison/pair`;
  await served.refused(pair, 'empty', { query: { baseline: 1, run: unfinished.id } });
  await served.refused(pair, 'usage', { query: { baseline: 1, run: fewer.id } });
  project.store.runs.remove([unfinished.id, fewer.id]);
});

test('bad comparisons are refused in one sentence', async () => {
  const comparison = `GET ${base}/comparison`;
  await served.refused(comparison, 'usage', { query: { runs: [1] } });
  await served.refused(comparison, 'usage', { query: {} });
  await served.refused(comparison, 'usage', { query: { runs: [1, 1] } });
  await served.refused(comparison, 'usage', { query: { runs: [1, 2], baseline: 3 } });
  await served.refused(comparison, 'usage', { query: { runs: [1, 'x'] } });
  await served.refused(comparison, 'usage', { query: { runs: Array.from({ length: 21 }, (_, i) => i + 1) } });
  await served.refused(comparison, 'not-found', { query: { runs: [1, 999] } });
  await served.refused(`GET ${base}/comparison/pair`, 'usage', { query: { baseline: 1 } });
  await served.refused(`GET ${base}/comparison/pair`, 'not-found', { query: { baseline: 1, run: 999 } });
  const query = { baseline: 1, run: 2, kind: 'won' };
  await served.refused(`GET ${base}/comparison/disagreements`, 'usage', { query });
  assert.deepEqual(served.log, []);
});
