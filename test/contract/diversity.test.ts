import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { before, test } from 'node:test';
import { BankSummary, DiversityReport, StoredDiversity } from '../../core/api/bank.ts';
import { Task } from '../../core/api/tasks.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { startRun } from '../../core/services/runs.ts';
import { run, type Result } from '../cli/command-line.ts';
import { startContract } from '../fixtures/contract.ts';
import { addMadeRun } from '../fixtures/runs.ts';
import { acceptContexts, makeTrainingProject, TINY } from '../fixtures/training.ts';

const served = startContract();
let base: string;
let printed: Result;

before(async () => {
  const { project } = await makeTrainingProject();
  // Run 1 was trained; run 2 has not finished.
  await startRun(project, { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 1 } }, runJob);
  addMadeRun(project, takeSnapshot(project.store), { finished: false, epochs: 1 });
  await acceptContexts(project, 6);
  project.close();
  printed = await run(['bank', 'diversity', '--twins-from', '0.5', '--limit', '2'], { cwd: dirname(project.file) });
  const { id } = await served.service.openProject(project.file, { create: false });
  base = `/api/projects/${id}`;
});

test('diversity is measured as a task, whose result is the report; the command line prints the same', async () => {
  const body = { twinsFrom: 0.5 };
  const task = Task.parse(await served.get(`POST ${base}/bank/diversity`, { body }));
  assert.deepEqual([task.kind, task.command], ['diversity', 'contexture bank diversity --run 1 --twins-from 0.5']);
  const ended = await served.ended(task);
  assert.equal(ended.state, 'done');
  const report = DiversityReport.parse(ended.result);
  assert.deepEqual([report.run, report.contexts, report.twinsFrom], [1, 6, 0.5]);
  assert.ok(report.effective > 1 && report.effective < 6);
  assert.ok(report.pairs >= 2, 'half alike is easily reached');

  const { code, stdout } = printed;
  assert.equal(code, 0);
  assert.ok(stdout.includes(`6 contexts come to ${report.effective.toFixed(1)} different ones.\n`), stdout);
  assert.ok(stdout.includes(`\n${report.pairs} pairs of near twins, cosine 0.5 or more.\n`), stdout);
  const [first, second, third] = report.twins.map(
    ({ a, b }) => new RegExp(`^context ${a.id} +context ${b.id} +0\\.\\d{3}$`, 'm'),
  );
  assert.match(stdout, first);
  assert.match(stdout, second);
  if (third) assert.doesNotMatch(stdout, third);
  assert.ok(stdout.trimEnd().endsWith(report.sentence), stdout);
});

test('the last report stays, whoever asked for it, and tells how many contexts have changed since', async () => {
  const last = async () => StoredDiversity.parse(await served.get(`GET ${base}/bank/diversity`));
  const { changed, measuredAt, ...report } = await last();
  assert.equal(changed, 0);
  assert.ok(Date.parse(measuredAt) > Date.now() - 3_600_000);
  assert.equal(DiversityReport.parse(report).contexts, 6);
  const { project } = served.service.projects.get(base.split('/').at(-1)!);
  const { id } = project.store.contexts.list({ state: 'accepted' })[0];
  await served.get(`POST ${base}/bank/retire`, { body: { select: { ids: [id] } } });
  await served.get(`POST ${base}/bank/reinstate`, { body: { select: { ids: [id] } } });
  assert.equal((await last()).changed, 1);
  const { diversity, next } = BankSummary.parse(await served.get(`GET ${base}/bank`));
  assert.deepEqual([diversity?.effective, diversity?.changed], [report.effective, 1]);
  assert.ok(next.sentence.length > 0);
});

test('what cannot be measured is refused before a task is made', async () => {
  const known = served.service.tasks.list().length;
  await served.refused(`POST ${base}/bank/diversity`, 'empty', { body: { run: 2 } });
  await served.refused(`POST ${base}/bank/diversity`, 'not-found', { body: { run: 99 } });
  for (const body of [{ run: 0 }, { twinsFrom: 0.4 }, { twinsFrom: 1.1 }, { other: 1 }, [], null]) {
    await served.refused(`POST ${base}/bank/diversity`, 'usage', { body });
  }
  assert.equal(served.service.tasks.list().length, known);
});
