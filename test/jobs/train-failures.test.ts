/** A run that cannot go on says why, is stored as failed, and keeps its last good checkpoint. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { excludeImages } from '../../core/services/edits.ts';
import { resumeRun, showRun, startRun } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { readCheckpoint, writeCheckpoint } from '../../core/training/checkpoint.ts';
import { PREVIEW_NAME } from '../../core/training/live-report.ts';
import { CHECKPOINT_NAME } from '../../core/training/run-in-progress.ts';
import type { TrainEvent } from '../../core/training/train-job.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { makeTrainingProject, noSmallDisks, SAMPLE, smallDiskJobs, TINY } from '../fixtures/training.ts';

let project: Project;
let pictures: string;
before(async () => {
  ({ project, pictures } = await makeTrainingProject({ ...SAMPLE, largest: 12, ratio: 4 }));
});
after(() => project.close());

const newestRun = (): Run => project.store.runs.list()[0];
const checkpointOf = (run: Run): string => join(project.runFolder(run.id), CHECKPOINT_NAME);

/** The work fails with this code and sentence, which is also what the newest run is stored with. */
async function fails(work: () => Promise<Run>, code: ErrorCode, sentence: RegExp): Promise<string> {
  let message = '';
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, sentence);
    ({ message } = error);
    return true;
  });
  const run = newestRun();
  assert.deepEqual([run.state, run.reason], ['failed', message]);
  assert.equal(run.modelBlob, null);
  return message;
}

/** Train with these settings, every step with a checkpoint, until `stopAt` steps where that is given. */
function train(overrides: typeof TINY, stopAt = Infinity, jobs = runJob): Promise<Run> {
  const stop = new AbortController();
  const onEvent = (event: TrainEvent): void => {
    if (event.type === 'checkpoint' && event.step >= stopAt) stop.abort();
  };
  const request = {
    method: 'ce',
    preset: 'small',
    overrides: { ...TINY, ...overrides },
    checkpointSeconds: 0,
  } as const;
  return startRun(project, request, jobs, { onEvent, signal: stop.signal });
}

const resume = (run: Run): Promise<Run> => resumeRun(project, run.id, runJob, { checkpointSeconds: 0 });

test('a loss that is no number ends the run, names the learning rate, and the checkpoint stays good', async () => {
  const wild = { learningRate: 10, momentum: 0.999, weightDecay: 0.1, warmupEpochs: 0, minSteps: 200 };
  const sentence = /the loss became infinite or not a number in epoch 1, step \d+\. Lower learningRate \(10\)/;
  const message = await fails(() => train(wild), 'diverged', sentence);
  const run = newestRun();
  const { state } = readCheckpoint(checkpointOf(run));
  assert.ok(state.progress.step > 0);
  for (const [name, values] of Object.entries(state.network)) {
    assert.ok(
      values.every((value) => Number.isFinite(value)),
      `${name} is spoilt`,
    );
  }
  // What went wrong once goes wrong again, in the very same step.
  assert.equal(await fails(() => resume(run), 'diverged', sentence), message);
  assert.ok(existsSync(checkpointOf(run)));
});

test('a damaged checkpoint, and one of another data set, are refused and left as they are', async () => {
  const run = await train({}, 3);
  assert.equal(run.state, 'stopped');
  const path = checkpointOf(run);
  const good = readFileSync(path);
  truncateSync(path, good.length - 1);
  await fails(() => resume(run), 'damaged', /checkpoint\.safetensors/);
  assert.equal(readFileSync(path).length, good.length - 1);

  const images = [...project.store.images.iterate({ split: 'train' })];
  excludeImages(project.store, [images[0].id], { author: 'test', at: '2026-01-01T00:00:00.000Z' });
  const other = await train({}, 3);
  writeFileSync(checkpointOf(other), good);
  await fails(() => resume(other), 'damaged', /belongs to another data set or bank\. Start the run anew\.$/);
  assert.deepEqual(readFileSync(checkpointOf(other)), good);

  // The first run goes on with its own, on the data set it began with.
  writeFileSync(path, good);
  const finished = await resume(run);
  assert.equal(finished.state, 'finished');
  assert.equal(showRun(project, run.id).epochs.length, TINY.epochs);
  assert.equal(existsSync(path), false, 'a finished run needs none');
  await assert.rejects(resume(run), { code: 'usage', message: /has finished; there is nothing to resume/ });
});

test(
  'a full disk ends the run with the checkpoint before it, from which the run goes on',
  { skip: noSmallDisks() },
  async () => {
    const undisturbed = await train({});
    const keep = temporaryFolder();
    const runFolder = project.runFolder(undisturbed.id + 1);
    // A checkpoint has 0.65 MB: the second one, written beside the first, does not fit on 1 MB.
    const jobs = smallDiskJobs(runFolder, keep);
    await fails(
      () => train({}, Infinity, jobs),
      'no-space',
      /checkpoint\.safetensors is full\. Free some space and go on\.$/,
    );
    const run = newestRun();
    assert.equal(run.id, undisturbed.id + 1);
    // A picture of what it sees may lie beside it.
    const left = readdirSync(keep).filter((name) => name !== PREVIEW_NAME);
    assert.deepEqual(left, [CHECKPOINT_NAME], 'nothing half written is left');
    cpSync(keep, runFolder, { recursive: true });
    assert.deepEqual(readCheckpoint(checkpointOf(run)).state.progress.step, 1);
    const finished = await resume(run);
    assert.deepEqual([finished.state, finished.modelBlob], ['finished', undisturbed.modelBlob]);
  },
);

test('a picture that was deleted or changed since the import is named', async () => {
  const [image] = project.store.images.iterate({ split: 'train', excluded: false });
  const path = join(pictures, image.path);
  const bytes = readFileSync(path);
  const ready = join(project.cacheFolder, 'packed');
  const anew = (): void => rmSync(ready, { recursive: true });

  anew();
  renameSync(path, `${path}.away`);
  await fails(() => train({}), 'not-found', new RegExp(`1 picture is of no use.*${image.path}`));
  renameSync(`${path}.away`, path);

  // Still a good picture, but not the one that was imported.
  writeFileSync(path, Buffer.concat([bytes, Buffer.from('x')]));
  await fails(() => train({}), 'changed', new RegExp(`${image.path} is not the file that was imported`));
  const failed = newestRun();
  writeFileSync(path, bytes);
  assert.equal((await resume(failed)).state, 'finished', 'with the file back, the run goes on');
});

test('a run that goes on with another engine says that its digits may differ, and how', async () => {
  const run = await train({ epochs: 1 }, 3);
  const { state, info } = readCheckpoint(checkpointOf(run));
  writeCheckpoint(checkpointOf(run), state, { ...info, engine: { ...info.engine, tensorflow: '2.20.0', threads: 64 } });
  assert.equal((await resume(run)).state, 'finished');
  const warning = showRun(project, run.id).warnings.find(({ name }) => name === 'not-exact');
  assert.match(warning!.message, /not digit for digit: tensorflow was 2\.20\.0 and is .*; threads was 64 and is 2\.$/);
});

test('a project without training or test images is refused before a run is made', async () => {
  const runs = project.store.runs.list().length;
  for (const split of ['test', 'train'] as const) {
    const ids = [...project.store.images.iterate({ split, excluded: false })].map(({ id }) => id);
    excludeImages(project.store, ids, { author: 'test', at: '2026-01-01T00:00:00.000Z' });
    await assert.rejects(train({}), { code: 'empty', message: /no (test|training) images/ });
  }
  await assert.rejects(resumeRun(project, 999, runJob), { code: 'not-found' });
  assert.equal(project.store.runs.list().length, runs);
});
