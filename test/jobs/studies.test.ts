import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { bankHash, contextsOf, readBank, takeBank } from '../../core/contexts/bank.ts';
import { uneditedBank } from '../../core/contexts/unedited-bank.ts';
import { encodeGrey } from '../../core/data/decode.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { addMasks } from '../../core/services/mask-versions.ts';
import { comparePairOfRuns } from '../../core/services/run-compare.ts';
import { settleInterrupted } from '../../core/services/runs.ts';
import {
  addStudySeeds,
  deleteStudy,
  editsInBank,
  listStudies,
  performStudy,
  startEditStudy,
  studyReport,
} from '../../core/services/studies.ts';
import { requestOf } from '../../core/services/training.ts';
import type { Project } from '../../core/storage/project.ts';
import { TrainConfig } from '../../core/training/config.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { acceptContexts, makeTrainingProject } from '../fixtures/training.ts';

const ACT = { author: 'test', at: '2026-01-01T00:00:00.000Z' };
const SETTINGS = {
  model: { kind: 'resnet-cifar', blocks: 1 },
  epochs: 2,
  batchSize: 8,
  startBalanced: 0,
  threads: 2,
};

let project: Project;

before(async () => {
  ({ project } = await makeTrainingProject());
});
after(() => project.close());

const code = (wanted: ErrorCode, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === wanted && text.test(error.message);

/** Paint over the masks of contexts: all context but for the left half. */
async function edit(ids: readonly number[]): Promise<void> {
  const { store } = project;
  const masks = ids.map(async (contextId) => {
    const { width, height } = store.images.get(store.contexts.get(contextId)!.imageId)!;
    const data = Uint8Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? 0 : 255));
    const png = await encodeGrey({ width, height, data });
    return {
      contextId,
      png,
      width,
      height,
      area: 0.5,
      made: { origin: 'edit', saliencyId: null, params: null } as const,
    };
  });
  await addMasks(project, await Promise.all(masks), ACT, store.contexts.addStep({ kind: 'mask', ...ACT }));
}

test('without edits there is nothing to ask; wrong settings make no runs', async () => {
  const request = { preset: 'small', seeds: [1], settings: SETTINGS } as const;
  await assert.rejects(startEditStudy(project, request), code('empty', /nothing to compare/));
  // Masks from elsewhere, which no model made: they are a person's, and there is nothing to put in their place.
  await acceptContexts(project, 3);
  const brought = uneditedBank(project.store, takeBank(project.store));
  assert.deepEqual([brought.replaced, brought.unmatched], [0, 3]);
  assert.deepEqual(brought.bank, takeBank(project.store));
  await assert.rejects(startEditStudy(project, request), code('empty', /nothing to compare/));
  const images = [...project.store.images.iterate({ split: 'train' })].slice(3, 33).map(({ id }) => id);
  const found = await findSome(project, images);
  decideContexts(project, found, 'accepted', ACT);
  await edit(found.slice(0, 20));
  await edit(found.slice(0, 2));
  await assert.rejects(startEditStudy(project, { ...request, seeds: [1, 1] }), code('usage', /named twice/));
  const none = { ...SETTINGS, curatedShare: 0 };
  await assert.rejects(startEditStudy(project, { ...request, settings: none }), code('usage', /curatedShare is 0/));
  await assert.rejects(startEditStudy(project, { ...request, settings: { epochs: -1 } }), code('usage', /epochs/));
  assert.deepEqual([project.store.runs.list(), project.store.studies.list()], [[], []]);
});

test('pairs differ by the edited masks alone, and every edited mask is the one that the model made', async () => {
  const { id, runs } = await startEditStudy(project, { preset: 'small', seeds: [1, 2], settings: SETTINGS });
  assert.deepEqual(
    runs.map(({ arm, seed }) => `${arm} ${seed}`),
    ['without 1', 'with 1', 'without 2', 'with 2'],
  );
  const [without, edited] = runs.map(({ runId }) => project.store.runs.get(runId)!);
  assert.deepEqual(without.config, edited.config);
  assert.equal(TrainConfig.parse(edited.config).curatedShare, 1);
  assert.deepEqual([without.datasetHash, without.bankHash === edited.bankHash], [edited.datasetHash, false]);
  const banks = [without, edited].map(({ bankBlob }) => readBank(project.blobs, bankBlob!));
  assert.deepEqual(banks[1], takeBank(project.store));
  const origins = banks.map((bank) => contextsOf(bank).map(({ maskId }) => project.store.masks.get(maskId)!.origin));
  assert.deepEqual(origins[1].filter((origin) => origin === 'edit').length, 20);
  assert.deepEqual(
    [origins[0].filter((origin) => origin === 'edit').length, origins[0].filter((origin) => origin === 'soft').length],
    [0, 30],
  );
  const [first, second] = banks.map((bank) => contextsOf(bank).map(({ contextId }) => contextId));
  assert.deepEqual(first, second);
  const report = await studyReport(project, id);
  assert.deepEqual(
    [report.bank, report.replaced, report.unmatched, report.pairs, report.finished, report.overSeeds, report.bySeed],
    [33, 20, 3, 2, 0, null, []],
  );
  assert.match(report.sentence, /^No pair of runs has finished yet/);
  assert.deepEqual(editsInBank(project), { bank: 33, edited: 23 });
  // What a new run would have is another bank: the run says so instead of being made again with that one.
  assert.throws(() => requestOf(project.store, without), code('usage', /without your edits.* add seeds/));
  assert.deepEqual(requestOf(project.store, edited).seeds, [1]);
  assert.deepEqual(
    [without, edited].map((run) => project.store.runs.warnings(run.id).map(({ name }) => name)),
    [['unedited-bank'], []],
  );
});

test('a study is trained, stopped between, gone on with, and says what its pairs say', async () => {
  const [{ id }] = project.store.studies.list();
  const stop = new AbortController();
  const finished = (): number => project.store.runs.list().filter(({ state }) => state === 'finished').length;
  const onEvent = (): void => {
    if (finished() === 2) stop.abort();
  };
  await assert.rejects(
    performStudy(project, id, runJob, { onEvent, signal: stop.signal }),
    code('cancelled', /stop|cancel/i),
  );
  assert.equal(finished(), 2);
  const half = await studyReport(project, id);
  assert.deepEqual([half.finished, half.bySeed.length], [1, 1]);
  assert.match(half.sentence, /^From one pair of runs .*over test images\)\./);

  const signal = new AbortController().signal;
  await performStudy(project, id, runJob, { onEvent: () => {}, signal });
  const report = await studyReport(project, id);
  assert.deepEqual(
    [report.finished, report.overSeeds?.macroRecall?.seeds, report.overSeeds?.classes.length],
    [2, 2, 10],
  );
  assert.match(report.sentence, /^Over 2 seeds .*macro recall .* over seeds\)/);
  for (const pair of report.bySeed) {
    const { overall, macroRecall, groups } = await comparePairOfRuns(project, pair.without, pair.with);
    assert.deepEqual(
      { overall, macroRecall, groups },
      { overall: pair.overall, macroRecall: pair.macroRecall, groups: pair.groups },
    );
  }
  const mean = (report.bySeed[0].macroRecall!.value + report.bySeed[1].macroRecall!.value) / 2;
  assert.ok(Math.abs(report.overSeeds!.macroRecall!.value - mean) < 1e-9);
});

test('seeds are added on the banks that were frozen, whatever was edited since', async () => {
  const [{ id }] = project.store.studies.list();
  const members = project.store.studies.get(id)!.runs;
  const frozen = members.map(({ runId }) => project.store.runs.get(runId)!);
  await edit(
    contextsOf(takeBank(project.store))
      .slice(20)
      .map(({ contextId }) => contextId),
  );
  assert.throws(() => addStudySeeds(project, id, [3, 3]), code('usage', /named twice/));
  assert.throws(() => addStudySeeds(project, id, [3, 2]), code('usage', /Seed 2 is in study/));
  assert.deepEqual(project.store.studies.get(id)!.runs, members);
  const made = addStudySeeds(project, id, [9]);
  assert.deepEqual(
    made.map(({ arm, seed }) => `${arm} ${seed}`),
    ['without 9', 'with 9'],
  );
  for (const [i, { runId }] of made.entries()) {
    const run = project.store.runs.get(runId)!;
    const { config, seed, name } = run;
    for (const part of ['datasetHash', 'bankHash', 'bankBlob'] as const) assert.equal(run[part], frozen[i][part]);
    assert.deepEqual([TrainConfig.parse(config), seed], [{ ...TrainConfig.parse(frozen[i].config), seed: 9 }, 9]);
    assert.match(name, /my edits, seed 9$/);
  }
  assert.notEqual(bankHash(takeBank(project.store)), frozen[1].bankHash);
  // What was known beforehand is said of both; what training said comes besides.
  const warnings = (run: number) => project.store.runs.warnings(run).map(({ name, message }) => `${name} ${message}`);
  const beforehand = warnings(made[0].runId);
  assert.ok(beforehand.some((warning) => warning.startsWith('unedited-bank')));
  assert.deepEqual(
    warnings(frozen[0].id).filter((warning) => beforehand.includes(warning)),
    beforehand,
  );
  await performStudy(project, id, runJob, { onEvent: () => {}, signal: new AbortController().signal });
  const report = await studyReport(project, id);
  assert.deepEqual([report.seeds, report.pairs, report.finished], [[1, 2, 9], 3, 3]);
  // A pair that lost a run gets that one again, without the other side.
  project.store.runs.remove([made[1].runId]);
  assert.deepEqual(
    addStudySeeds(project, id, [9]).map(({ arm }) => arm),
    ['with'],
  );
  settleInterrupted(project);
});

test('a study outlives its runs, and its runs outlive it', async () => {
  const [{ id }] = await listStudies(project);
  const { runs } = await studyReport(project, id);
  project.store.runs.remove([runs[0].run]);
  const left = await studyReport(project, id);
  assert.deepEqual([left.runs.length, left.pairs, left.finished], [5, 2, 1]);
  const edited = left.runs.filter(({ arm }) => arm === 'with').map(({ run }) => run);
  project.store.runs.remove(edited);
  assert.throws(() => addStudySeeds(project, id, [12]), code('empty', /Every run with your edits .* was deleted/));
  deleteStudy(project, id);
  assert.deepEqual([await listStudies(project), project.store.runs.list().length], [[], 2]);
  await assert.rejects(studyReport(project, id), code('not-found', /no study/));
  assert.throws(() => deleteStudy(project, id), code('not-found', /no study/));
});
