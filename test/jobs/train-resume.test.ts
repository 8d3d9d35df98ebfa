/**
 * Runs whose process is killed at random moments, or that are stopped, and go on: every figure of every epoch, the model
 * and the stored logits are those of a run that nobody disturbed, digit for digit.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../core/base/random.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { resumeRun, showRun, startRun } from '../../core/services/runs.ts';
import type { RunRequest } from '../../core/services/training-plan.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { readCheckpoint } from '../../core/training/checkpoint.ts';
import { TrainConfig } from '../../core/training/config.ts';
import type { TrainOverrides } from '../../core/training/presets.ts';
import { CHECKPOINT_NAME } from '../../core/training/run-in-progress.ts';
import type { TrainEvent } from '../../core/training/train-job.ts';
import {
  acceptContexts,
  digitsOf,
  epochListener,
  killableJobs,
  makeTrainingProject,
  TINY,
  type Digits,
} from '../fixtures/training.ts';

const STEPS = 21;
const EPOCHS = 3;
/** A kill or a stop takes effect some steps after it was asked for; it must not come after the last one. */
const MARGIN = 12;

const random = Random.stream(2026, 'kills');
const { runJob: runKillable, kill } = killableJobs();

let project: Project;
before(async () => {
  ({ project } = await makeTrainingProject());
  await acceptContexts(project, 12);
});
after(() => project.close());

interface Outcome {
  epochs: Digits[];
  model: string;
  predictions: string;
}

function outcomeOf(run: Run): Outcome {
  assert.equal(run.state, 'finished', run.reason ?? '');
  const { epochs } = showRun(project, run.id);
  assert.deepEqual(
    epochs.map(({ epoch }) => epoch),
    [...Array(EPOCHS).keys()],
  );
  return {
    epochs: epochs.map(({ figures }) => digitsOf(figures)),
    model: run.modelBlob!,
    predictions: run.predictionsBlob!,
  };
}

/** Where a run's checkpoint is, in steps since its start; 0 without one. */
function checkpointAt(run: Run): { steps: number; midEpoch: boolean; contexts: number } {
  const path = join(project.runFolder(run.id), CHECKPOINT_NAME);
  if (!existsSync(path)) return { steps: 0, midEpoch: false, contexts: 0 };
  const { bank, progress } = readCheckpoint(path).state;
  return {
    steps: progress.epoch * STEPS + progress.step,
    midEpoch: progress.step > 0 && progress.step < STEPS,
    contexts: bank.labels.length,
  };
}

const newestRun = (): Run => project.store.runs.list()[0];

/** Call `act` once, some milliseconds after the checkpoint at `steps` or the first one thereafter. */
function atStep(steps: number, act: () => void): (event: TrainEvent) => void {
  let done = false;
  return (event) => {
    if (done || event.type !== 'checkpoint' || event.epoch * STEPS + event.step < steps) return;
    done = true;
    void sleep(random.below(25)).then(act);
  };
}

/** Every epoch told by any attempt, also by one that was killed later, has the undisturbed run's digits. */
function assertTold(told: readonly { epoch: number; digits: Digits }[], undisturbed: Outcome): void {
  for (const { epoch, digits } of told) assert.deepEqual(digits, undisturbed.epochs[epoch], `epoch ${epoch}`);
}

const CASES: { name: string; kills: number; overrides: TrainOverrides }[] = [
  { name: 'bank kept, one lambda a batch', kills: 4, overrides: { keepBank: true } },
  {
    name: 'bank emptied, half of the contexts curated, a lambda for each image',
    kills: 3,
    overrides: { keepBank: false, curatedShare: 0.5, lambda: { min: 0.1, max: 0.9, per: 'image' } },
  },
  {
    name: 'bank emptied, random regions, contexts of head classes, pictures decoded anew each time',
    kills: 3,
    overrides: {
      keepBank: false,
      mask: 'random',
      contextClasses: 'head',
      groups: { many: 20, few: 10 },
      augment: { crop: 'resized', jitter: 0.4 },
    },
  },
];

/** Kills so far, and those that left a checkpoint in the middle of an epoch with contexts in the bank. */
const kills = { all: 0, withBank: 0 };

for (const { name, kills: wanted, overrides } of CASES) {
  test(`killed ${wanted} times and stopped once, CSA with ${name} ends as if undisturbed`, async () => {
    const request: RunRequest = {
      method: 'csa',
      preset: 'small',
      overrides: { ...TINY, epochs: EPOCHS, ...overrides },
    };
    const plain = await startRun(project, { ...request, checkpointSeconds: 3600 }, runJob);
    const { keepBank, threads } = TrainConfig.parse(plain.config);
    assert.deepEqual([keepBank, threads], [overrides.keepBank, TINY.threads], 'no rule for small sets comes between');
    const undisturbed = outcomeOf(plain);
    const last = undisturbed.epochs.at(-1)!;
    assert.equal(last.steps, STEPS);
    assert.ok(last.mixedSteps > 0 && last.bank!.count > 0, 'contexts are laid on');

    const { epochs: told, onEvent } = epochListener();
    const moments = Array.from({ length: wanted + 1 }, () => 1 + random.below(EPOCHS * STEPS - MARGIN));
    const stopIndex = random.below(wanted + 1);
    let run: Run | undefined;
    for (const [index, moment] of moments.toSorted((a, b) => a - b).entries()) {
      const stop = new AbortController();
      const stopping = index === stopIndex;
      const trigger = atStep(moment, stopping ? () => stop.abort() : kill);
      const running = {
        // After every step, or by time as users have it, so that steps are lost and made again.
        checkpointSeconds: index % 2 ? 0.1 : 0,
        signal: stop.signal,
        onEvent: (event: TrainEvent) => {
          onEvent(event);
          trigger(event);
        },
      };
      const from = run && checkpointAt(run).steps;
      const attempt = run
        ? resumeRun(project, run.id, runKillable, running)
        : startRun(project, { ...request, ...running }, runKillable, running);
      if (stopping) assert.equal((await attempt).state, 'stopped');
      else await assert.rejects(attempt, { code: 'memory' }, 'a killed job is taken for one out of memory');
      run = newestRun();
      assert.equal(run.state, stopping ? 'stopped' : 'failed');
      const { steps, midEpoch, contexts } = checkpointAt(run);
      assert.ok(steps >= moment && steps > (from ?? 0) - 1, `at ${steps}, from ${from}, asked for at ${moment}`);
      if (stopping) continue;
      kills.all++;
      if (midEpoch && contexts > 0) kills.withBank++;
    }
    const finished = await resumeRun(project, run!.id, runKillable, { onEvent, checkpointSeconds: 0 });
    assert.deepEqual(outcomeOf(finished), undisturbed);
    assertTold(told, undisturbed);
    assert.ok(told.length >= EPOCHS);
  });
}

test('ten kills were made, at least five of them in mid-epoch with contexts in the bank', () => {
  assert.equal(kills.all, 10);
  assert.ok(kills.withBank >= 5, `${kills.withBank} of ${kills.all}`);
});

test('a run that is killed before its first checkpoint begins anew, and one that was interrupted with its parent goes on', async () => {
  const request: RunRequest = { method: 'ce', preset: 'small', overrides: { ...TINY, epochs: 1 } };
  let killed = false;
  const onEvent = (event: TrainEvent): void => {
    if (event.type !== 'progress' || !event.stage.startsWith('Training') || killed) return;
    killed = true;
    kill();
  };
  await assert.rejects(startRun(project, { ...request, checkpointSeconds: 3600 }, runKillable, { onEvent }));
  const run = newestRun();
  assert.equal(checkpointAt(run).steps, 0);
  // What is left when the process that holds the project dies as well.
  project.store.runs.update(run.id, { state: 'running', reason: null });
  const { run: settled } = showRun(project, run.id);
  assert.deepEqual([settled.state, settled.reason], ['stopped', 'It was interrupted.']);
  const resumed = await resumeRun(project, run.id, runJob);
  const anew = await startRun(project, request, runJob);
  assert.deepEqual([resumed.modelBlob, resumed.predictionsBlob], [anew.modelBlob, anew.predictionsBlob]);
});
