import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { z } from 'zod';
import { StudyReport, StudySummary } from '../../core/api/studies.ts';
import { Task } from '../../core/api/tasks.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { startContract } from '../fixtures/contract.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { makeTrainingProject } from '../fixtures/training.ts';

const served = startContract();
const act = { author: 'test', at: '2026-01-01T00:00:00.000Z' };
let base: string;
let edited: number[];

before(async () => {
  const { project } = await makeTrainingProject();
  const images = [...project.store.images.iterate({ split: 'train' })].slice(0, 20).map(({ id }) => id);
  edited = await findSome(project, images);
  decideContexts(project, edited, 'accepted', act);
  project.close();
  const { id } = await served.service.openProject(project.file, { create: false });
  base = `/api/projects/${id}`;
});

const settings = { model: { kind: 'resnet-cifar', blocks: 1 }, epochs: 1, batchSize: 8, startBalanced: 0, threads: 2 };
const body = { preset: 'small', seeds: [7], settings };

test('a study is asked for, trained in the queue, opened again and forgotten', async () => {
  await served.refused(`POST ${base}/studies/edits`, 'empty', { body });
  await served
    .get(`POST ${base}/contexts/morph`, { body: { select: { ids: edited.slice(0, 5) }, operation: 'grow', amount: 2 } })
    .then(async (task) => assert.equal((await served.ended(Task.parse(task))).state, 'done'));
  const made = z
    .object({ study: StudyReport, tasks: z.array(Task) })
    .parse(await served.get(`POST ${base}/studies/edits`, { body }));
  assert.deepEqual([made.study.replaced, made.study.pairs, made.tasks.length], [5, 1, 2]);
  assert.deepEqual(
    made.study.runs.map(({ name }) => name),
    ['CSA without my edits, seed 7', 'CSA with my edits, seed 7'],
  );
  for (const task of made.tasks) assert.equal((await served.ended(task)).state, 'done');
  const path = `${base}/studies/${made.study.id}`;
  const report = StudyReport.parse(await served.get(`GET ${path}`));
  assert.deepEqual([report.finished, report.bySeed.length, report.overSeeds?.classes.length], [1, 1, 10]);
  const [summary] = z.array(StudySummary).parse(await served.get(`GET ${base}/studies`));
  assert.equal(summary.sentence, report.sentence);
  await served.get(`DELETE ${path}`);
  await served.refused(`GET ${path}`, 'not-found');
  await served.refused(`DELETE ${path}`, 'not-found');
  assert.deepEqual(await served.get(`GET ${base}/studies`), []);
});

test('what is no study is refused', async () => {
  for (const bad of [
    { ...body, seeds: [] },
    { ...body, seeds: [1, 1] },
    { ...body, seeds: Array.from({ length: 21 }, (_, i) => i) },
    { ...body, preset: 'best' },
    { ...body, method: 'ce' },
    { ...body, settings: { curatedShare: 2 } },
    { ...body, settings: { seed: 4 } },
    null,
  ]) {
    await served.refused(`POST ${base}/studies/edits`, 'usage', { body: bad });
  }
});
