import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { z } from 'zod';
import { RunDetail } from '../../core/api/runs.ts';
import { StudyReport, StudySummary } from '../../core/api/studies.ts';
import { Task } from '../../core/api/tasks.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { startContract } from '../fixtures/contract.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { makeTrainingProject } from '../fixtures/training.ts';

const served = startContract();
const Started = z.object({ study: StudyReport, tasks: z.array(Task) });
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
  assert.deepEqual(await served.get(`GET ${base}/studies/edits`), { bank: 20, edited: 0 });
  await served
    .get(`POST ${base}/contexts/morph`, { body: { select: { ids: edited.slice(0, 5) }, operation: 'grow', amount: 2 } })
    .then(async (task) => assert.equal((await served.ended(Task.parse(task))).state, 'done'));
  const made = Started.parse(await served.get(`POST ${base}/studies/edits`, { body }));
  assert.deepEqual([made.study.replaced, made.study.pairs, made.tasks.length], [5, 1, 2]);
  assert.deepEqual(
    made.study.runs.map(({ name }) => name),
    ['CSA without my edits, seed 7', 'CSA with my edits, seed 7'],
  );
  for (const task of made.tasks) assert.equal((await served.ended(task)).state, 'done');
  const path = `${base}/studies/${made.study.id}`;
  assert.deepEqual(await served.get(`GET ${base}/studies/edits`), { bank: 20, edited: 5 });
  const [without, edits] = made.study.runs;
  await served.refused(`GET ${base}/runs/${without.run}/request`, 'usage');
  await served.get(`GET ${base}/runs/${edits.run}/request`);
  assert.equal(RunDetail.parse(await served.get(`GET ${base}/runs/${edits.run}`)).study, made.study.id);
  const report = StudyReport.parse(await served.get(`GET ${path}`));
  assert.deepEqual([report.finished, report.bySeed.length, report.overSeeds?.classes.length], [1, 1, 10]);
  const [summary] = z.array(StudySummary).parse(await served.get(`GET ${base}/studies`));
  assert.equal(summary.sentence, report.sentence);

  const more = Started.parse(await served.get(`POST ${path}/seeds`, { body: { seeds: [8] } }));
  assert.deepEqual([more.study.seeds, more.study.pairs, more.tasks.length], [[7, 8], 2, 2]);
  for (const task of more.tasks) assert.equal((await served.ended(task)).state, 'done');
  const both = StudyReport.parse(await served.get(`GET ${path}`));
  assert.deepEqual([both.finished, both.overSeeds?.macroRecall?.seeds], [2, 2]);
  await served.refused(`POST ${path}/seeds`, 'usage', { body: { seeds: [8] } });
  await served.refused(`POST ${path}/seeds`, 'usage', { body: { seeds: [] } });
  await served.refused(`POST ${path}/seeds`, 'usage', { body: { seeds: [-1] } });
  await served.get(`DELETE ${path}`);
  await served.refused(`POST ${path}/seeds`, 'not-found', { body: { seeds: [9] } });
  await served.refused(`GET ${path}`, 'not-found');
  await served.refused(`DELETE ${path}`, 'not-found');
  assert.deepEqual(await served.get(`GET ${base}/studies`), []);
  // The runs stay, and those without edits are not made again on the bank with them, by whichever seed.
  const unedited = [...new Set(both.runs.filter(({ arm }) => arm === 'without').map(({ run }) => run))];
  assert.equal(unedited.length, 2);
  for (const run of unedited) {
    const sentence = await served.refused(`GET ${base}/runs/${run}/request`, 'usage');
    assert.match(sentence, /without your edits.*ask anew/);
  }
  await served.get(`GET ${base}/runs/${edits.run}/request`);
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
