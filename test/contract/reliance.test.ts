import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { RelianceCases, RelianceComparison, RelianceReport } from '../../core/api/reliance.ts';
import { Task } from '../../core/api/tasks.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { startRun } from '../../core/services/runs.ts';
import { startContract } from '../fixtures/contract.ts';
import { addMadeRun } from '../fixtures/runs.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';

const served = startContract();
let base: string;

before(async () => {
  const { project } = await makeTrainingProject();
  // Runs 1 and 3 were trained; run 2 has not finished.
  await startRun(project, { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 1 } }, runJob);
  addMadeRun(project, takeSnapshot(project.store), { finished: false, epochs: 1 });
  await startRun(project, { method: 'ce', preset: 'small', overrides: { ...TINY, epochs: 1, seed: 2 } }, runJob);
  project.close();
  const { id } = await served.service.openProject(project.file, { create: false });
  base = `/api/projects/${id}`;
});

test('reliance is measured as a task, then there are figures, cases and their pictures', async () => {
  const path = `${base}/runs/1/reliance`;
  assert.equal(await served.get(`GET ${path}`), null);
  await served.refused(`GET ${path}/cases`, 'empty');
  await served.refused(`GET ${path}/images/1`, 'empty', { query: { composition: 'no-fg' } });
  served.takeTopics();
  const task = Task.parse(await served.get(`POST ${path}`, { body: {} }));
  assert.deepEqual([task.kind, task.command], ['reliance', 'contexture reliance 1 --again']);
  assert.equal((await served.ended(task)).state, 'done');
  assert.deepEqual(served.takeTopics(), ['runs']);

  const report = RelianceReport.parse(await served.get(`GET ${path}`, { query: { head: 'mean' } }));
  assert.deepEqual([report.run, report.head, report.images, report.classes.length], [1, 'mean', 100, 10]);
  const { cases } = RelianceCases.parse(await served.get(`GET ${path}/cases`, { query: { limit: 2, truth: 4 } }));
  assert.deepEqual(
    cases.map(({ label }) => label),
    [4, 4],
  );
  const pictures = new Set<string>();
  for (const composition of ['original', 'no-fg', 'only-fg', 'mixed-same', 'mixed-rand']) {
    const response = await served.ask(`GET ${path}/images/${cases[0].image}`, { query: { composition } });
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'image/png']);
    pictures.add(Buffer.from(await response.arrayBuffer()).toString('base64'));
  }
  assert.equal(pictures.size, 5);

  await served.refused(`GET ${path}/images/9999`, 'not-found', { query: { composition: 'original' } });
  await served.refused(`GET ${path}/images/${cases[0].image}`, 'usage', { query: { composition: 'half' } });
  for (const query of [{ limit: 0 }, { limit: 1001 }, { order: 'best' }, { truth: -1 }, { head: 'third' }]) {
    await served.refused(`GET ${path}/cases`, 'usage', { query });
  }
});

test('what cannot be measured is refused before a task is made', async () => {
  const known = served.service.tasks.list().length;
  await served.refused(`POST ${base}/runs/2/reliance`, 'empty', { body: {} });
  await served.refused(`POST ${base}/runs/99/reliance`, 'not-found', { body: {} });
  await served.refused(`POST ${base}/runs/1/reliance`, 'not-found', { body: { masksOf: 99 } });
  await served.refused(`POST ${base}/runs/1/reliance`, 'empty', { body: { masksOf: 2 } });
  for (const body of [{ masksOf: 0 }, { masksOf: 'x' }, { other: 1 }, [], null]) {
    await served.refused(`POST ${base}/runs/1/reliance`, 'usage', { body });
  }
  await served.refused(`GET ${base}/runs/99/reliance`, 'not-found');
  assert.equal(served.service.tasks.list().length, known);
});

test('two runs are compared, picture by picture once both were shown the same', async () => {
  const path = `${base}/comparison/reliance`;
  const query = { baseline: 1, run: 3 };
  await served.refused(`GET ${path}`, 'empty', { query });
  const measure = async (body: object): Promise<void> => {
    const task = Task.parse(await served.get(`POST ${base}/runs/3/reliance`, { body }));
    assert.equal((await served.ended(task)).state, 'done');
  };
  await measure({});
  const own = RelianceComparison.parse(await served.get(`GET ${path}`, { query }));
  assert.match(own.unpaired ?? '', /told by different models \(run 1 itself; run 3 itself\)/);
  await measure({ masksOf: 1 });
  const both = RelianceComparison.parse(await served.get(`GET ${path}`, { query }));
  assert.deepEqual([both.unpaired, both.heads, both.images], [null, ['balanced', 'uniform'], 100]);
  const reports = await Promise.all(
    [1, 3].map(async (run) => RelianceReport.parse(await served.get(`GET ${base}/runs/${run}/reliance`))),
  );
  const [a, b] = reports.map(({ bgGap }) => bgGap.macro!.value);
  const { macro } = both.bgGap;
  for (const [is, expected] of [
    [macro!.a, a],
    [macro!.b, b],
    [macro!.value, b - a],
    [both.classes[4].confidence['no-fg']!.b, reports[1].classes[4].confidence['no-fg']!.value],
  ]) {
    assert.ok(Math.abs(is - expected) < 1e-6, `${is} is not ${expected}`);
  }
  assert.ok(macro!.low <= macro!.value && macro!.value <= macro!.high);
  await served.refused(`GET ${path}`, 'empty', { query: { baseline: 1, run: 2 } });
  await served.refused(`GET ${path}`, 'not-found', { query: { baseline: 99, run: 1 } });
  for (const wrong of [{ baseline: 1 }, { baseline: 0, run: 1 }, { ...query, head: 'third' }]) {
    await served.refused(`GET ${path}`, 'usage', { query: wrong });
  }
});
