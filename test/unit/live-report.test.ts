/** What a run tells between its epochs: right, and without any effect on what it computes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import type { MethodName } from '../../core/training/config.ts';
import { LiveReport, PREVIEW_NAME, type PreviewEvent, type StepEvent } from '../../core/training/live-report.ts';
import { makePreview, mixedPixels, type Preview } from '../../core/training/preview.ts';
import { Normaliser, normalisationOf } from '../../core/training/preprocessing.ts';
import { mixContexts } from '../../core/training/step.ts';
import type { TrainerState } from '../../core/training/trainer.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { tinyTrainer } from '../fixtures/training.ts';

before(() => void startTestEngine(1));

const OVERRIDES = { startBalanced: 0, delta: 0, minSteps: 4 };

/** A few steps, looked at after each or not. */
async function steps(method: MethodName, look: boolean): Promise<TrainerState> {
  const trainer = tinyTrainer(method, OVERRIDES);
  const report = new LiveReport(trainer, temporaryFolder(), () => {});
  trainer.beginEpoch();
  for (let step = 0; step < 4; step++) {
    await trainer.runStep();
    if (!look) continue;
    await report.afterStep(0.1);
    if (trainer.shown) await makePreview(trainer.shown, 32, { epoch: 0, step });
  }
  const state = trainer.save();
  trainer.dispose();
  return state;
}

for (const method of ['csa', 'control', 'cbrs', 'ce'] as const) {
  test(`${method}: whether it is looked at changes no digit and no draw`, async () => {
    assert.deepEqual(await steps(method, true), await steps(method, false));
  });
}

test('a preview has the very pictures that the balanced branch is trained on', async () => {
  const trainer = tinyTrainer('csa', { ...OVERRIDES, lambda: { min: 0.2, max: 0.9, per: 'image' } });
  trainer.beginEpoch();
  await trainer.runStep();
  const { batch, mix } = trainer.shown!;
  assert.ok(mix);
  const count = batch.labels.length;
  const normaliser = new Normaliser(normalisationOf(trainer.config));
  const tensor = (pixels: Uint8Array): tf.Tensor4D => tf.tensor4d(normaliser.apply(pixels), [count, 32, 32, 3]);
  const shown = tf.tidy(() =>
    mixContexts(tensor(batch.pixels), {
      contexts: tensor(mix.pixels),
      masks: tf.tensor4d(mix.masks, [count, 32, 32, 1]),
      lambda: tf.tensor4d(mix.lambda, [count, 1, 1, 1]),
    }).dataSync<'float32'>(),
  );
  const length = 32 * 32 * 3;
  let changed = 0;
  for (let i = 0; i < count; i++) {
    const pixels = mixedPixels({ batch, mix }, i, 32);
    const expected = shown.subarray(i * length, (i + 1) * length);
    for (const [j, value] of normaliser.apply(pixels).entries()) {
      // Half a step of 8 bits at the smallest deviation.
      assert.ok(Math.abs(value - expected[j]) < 0.5 / 255 / 0.199 + 1e-4);
      if (pixels[j] !== batch.pixels[i * length + j]) changed++;
    }
  }
  assert.ok(changed > 1000, 'contexts are laid on');
  trainer.dispose();
});

test('events: losses of both branches, a preview in the run folder with a tile for each picture', async () => {
  const trainer = tinyTrainer('csa', OVERRIDES);
  const folder = join(temporaryFolder(), 'run');
  const events: (StepEvent | PreviewEvent)[] = [];
  const report = new LiveReport(trainer, folder, (event) => events.push(event));
  trainer.beginEpoch();
  await trainer.runStep();
  await report.afterStep(0.5);
  await report.afterStep(0.5);
  const { uniform, balanced } = trainer.losses;
  assert.deepEqual(events, [
    {
      type: 'step',
      epoch: 0,
      step: 1,
      uniformLoss: uniform,
      balancedLoss: balanced,
      learningRate: trainer.rate,
      imagesPerSecond: null,
    },
    { type: 'preview', epoch: 0, step: 1 },
  ]);
  assert.ok(uniform > 0 && balanced !== null && balanced > 0);
  const preview = JSON.parse(readFileSync(join(folder, PREVIEW_NAME), 'utf8')) as Preview;
  const { batch, mix } = trainer.shown!;
  assert.deepEqual(
    preview.tiles.map(({ label, contextLabel, lambda }) => [label, contextLabel, lambda]),
    Array.from(batch.labels, (label, i) => [label, mix!.labels[i], mix!.lambda[i]]),
  );
  const { width, height, format } = await sharp(Buffer.from(preview.sheet, 'base64')).metadata();
  assert.deepEqual([width, height, format], [6 * 32, 2 * 32, 'webp']);
  trainer.dispose();
});

test('at most five step events a second, with images a second over all steps in between', async () => {
  const trainer = tinyTrainer('ce');
  const events: (StepEvent | PreviewEvent)[] = [];
  const report = new LiveReport(trainer, temporaryFolder(), (event) => events.push(event));
  trainer.beginEpoch();
  const end = performance.now() + 650;
  while (performance.now() < end) {
    await report.afterStep(0.25);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(events.length >= 2 && events.length <= 4, `${events.length} events`);
  assert.ok(
    events.every((event) => event.type === 'step'),
    'plain training has no balanced branch to look at',
  );
  assert.deepEqual(
    events.map((event) => event.type === 'step' && event.imagesPerSecond).slice(1),
    Array.from({ length: events.length - 1 }, () => 8 / 0.25),
  );
  trainer.dispose();
});
