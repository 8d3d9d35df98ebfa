/** The doctor on the engine of this clone, and on ones that are broken. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import type { DoctorReport } from '../../core/engine/doctor.ts';
import { otherDevice } from '../../core/engine/doctor.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import type { RunJob } from '../../core/jobs/protocol.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { doctorLines, runDoctor } from '../../core/services/doctor.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const engineOfThisClone = process.env.CONTEXTURE_ENGINE;
afterEach(() => {
  if (engineOfThisClone === undefined) delete process.env.CONTEXTURE_ENGINE;
  else process.env.CONTEXTURE_ENGINE = engineOfThisClone;
});

/** Examine, training for no longer than it must. */
function examine(): Promise<DoctorReport> {
  return runDoctor(runJob, () => {}, new AbortController().signal, { seconds: 0, folder: temporaryFolder() });
}

/** Let the clone's engine be one with `changes`. */
function changeEngine(changes: Record<string, unknown>): void {
  const path = join(temporaryFolder(), 'engine.json');
  writeFileSync(path, JSON.stringify({ ...readEngineInstall(), ...changes }));
  process.env.CONTEXTURE_ENGINE = path;
}

/** What the runner says of a process that an unknown instruction has ended. */
const dyingJob: RunJob = () => Promise.reject(new Error('the doctor job ended by signal SIGILL'));

test('the engine that was set up trains: the loss falls', async () => {
  const events: string[] = [];
  const { signal } = new AbortController();
  const report = await runDoctor(runJob, (event) => events.push(event.stage), signal, { seconds: 0 });
  assert.deepEqual(report.problems, []);
  assert.equal(report.ok, true);
  assert.equal(report.engine?.tensorflow, '2.21.0');
  assert.equal(report.engine?.device, readEngineInstall().pack);
  assert.equal(report.node, process.versions.node);
  for (const version of Object.values(report.packages)) assert.match(version ?? 'none', /^\d+\.\d+/);
  assert.ok(report.training);
  assert.ok(report.training.lastLoss < report.training.firstLoss);
  assert.ok(report.training.imagesPerSecond > 0);
  assert.ok(report.disk.free > 0);
  assert.ok(events.includes('Training for proof'));
  const lines = doctorLines(report);
  assert.match(lines[0], /^Engine: TensorFlow 2\.21\.0 on /);
  assert.match(lines.at(-2) ?? '', /^Trained a ResNet-8 .* for 10 steps: loss .* images a second\.$/);
  assert.equal(lines.at(-1), 'All is well.');
});

test('the disk of a folder that is not made yet is the one that it will lie on', async () => {
  const folder = temporaryFolder();
  const { signal } = new AbortController();
  const report = await runDoctor(runJob, () => {}, signal, { seconds: 0, folder: join(folder, 'not', 'yet') });
  assert.equal(report.ok, true);
  assert.ok(report.disk.free > 0);
});

test('without set-up it says what to do, and still tells the rest', async () => {
  process.env.CONTEXTURE_ENGINE = join(temporaryFolder(), 'none.json');
  const report = await examine();
  assert.equal(report.ok, false);
  assert.equal(report.engine, null);
  assert.equal(report.training, null);
  assert.equal(report.problems.length, 1);
  assert.match(report.problems[0], /The engine is not set up: .* Run `npm run setup`\./);
  assert.notEqual(report.packages.sharp, null);
  const lines = doctorLines(report);
  assert.equal(lines[0], 'Engine: none.');
  assert.equal(lines.at(-1), report.problems[0]);
});

test('a binding that does not load is a problem, not a crash', async () => {
  const binding = join(temporaryFolder(), 'tfjs_binding.node');
  writeFileSync(binding, 'no library');
  changeEngine({ binding });
  const report = await examine();
  assert.equal(report.engine, null);
  assert.match(report.problems[0], /^TensorFlow does not start \(.*tfjs_binding\.node.*\)/);
});

test('a GPU pack that finds no GPU is a problem; the processor trains all the same', async (t) => {
  if (readEngineInstall().pack === 'gpu') return t.skip('this clone has the GPU pack');
  // The same libraries under the other name: what the GPU pack is on a machine without a driver.
  changeEngine({ pack: 'gpu' });
  const report = await examine();
  assert.equal(report.engine?.device, 'cpu');
  assert.match(report.problems[0], /^The GPU pack is chosen, but TensorFlow found no GPU\. /);
  assert.ok(report.training);
});

test('it can be cancelled', async () => {
  const cancel = new AbortController();
  const running = runDoctor(runJob, () => cancel.abort(), cancel.signal, { seconds: 600 });
  await assert.rejects(running, { name: 'UserError', code: 'cancelled' });
});

test('an engine that takes its process down is told in a sentence', async () => {
  await assert.rejects(
    runDoctor(dyingJob, () => {}, new AbortController().signal),
    {
      code: 'engine',
      message: /took its process down .*SIGILL.* Run `npm run setup -- --engine cpu`/,
    },
  );
});

test('why the other device is not used', () => {
  assert.match(otherDevice('gpu', 'gpu', undefined, 'T4'), /processor is not used .* --engine cpu/);
  assert.match(otherDevice('cpu', 'cpu', undefined, 'T4'), /^T4 is not used .* --engine gpu/);
  assert.equal(otherDevice('cpu', 'cpu', 'No driver here.', undefined), 'No driver here.');
  assert.match(otherDevice('cpu', 'gpu', undefined, 'T4'), /found no GPU/);
});
