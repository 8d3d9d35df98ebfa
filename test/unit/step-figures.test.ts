/** Figures of steps are read a few steps later: the same digits, few tensors that wait, divergence noticed in time. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { StepFigures, type ReadStep } from '../../core/training/step-figures.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { tinyTrainer } from '../fixtures/training.ts';

before(() => void startTestEngine(1));

/** Steps of a made-up run: loss n, then the losses of its two samples. */
function fill(figures: StepFigures, from: number, to: number): void {
  for (let n = from; n < to; n++) {
    figures.add({
      uniformLoss: tf.scalar(n),
      balancedLoss: n % 2 === 0 ? null : tf.scalar(10 * n),
      sampleLosses: tf.tensor1d([n, n + 0.5]),
      indices: [n, n + 1],
      mixed: n % 4 === 1,
    });
  }
}

/** Eleven steps of CSA. @param asks whether the losses are looked at after each */
async function elevenSteps(asks: boolean) {
  const trainer = tinyTrainer('csa', { startBalanced: 0, delta: 0, minSteps: 12 });
  trainer.beginEpoch();
  for (let step = 0; step < 11; step++) {
    await trainer.runStep();
    if (asks) assert.ok(trainer.losses.uniform > 0 && trainer.losses.balanced !== null);
  }
  const state = { ...trainer.save(), losses: trainer.losses, confidence: trainer.seenConfidence };
  trainer.dispose();
  return state;
}

test('each step is told once, in order; no more than eight wait, and none of their tensors stays', () => {
  const atFirst = tf.memory().numTensors;
  const seen: ReadStep[] = [];
  const figures = new StepFigures((step) => seen.push(step));
  fill(figures, 0, 7);
  assert.equal(seen.length, 0);
  fill(figures, 7, 9);
  assert.equal(seen.length, 8);
  figures.read();
  figures.read();
  assert.equal(tf.memory().numTensors, atFirst);
  assert.deepEqual(
    seen,
    Array.from({ length: 9 }, (_, n) => ({
      uniform: n,
      balanced: n % 2 === 0 ? null : 10 * n,
      sampleLosses: new Float32Array([n, n + 0.5]),
      indices: [n, n + 1],
      mixed: n % 4 === 1,
    })),
  );
  fill(figures, 9, 11);
  figures.dispose();
  assert.equal(tf.memory().numTensors, atFirst);
  assert.equal(seen.length, 9);
});

test('whoever asks after each step has the digits of one who asks at the end', async () => {
  const late = await elevenSteps(false);
  assert.equal(late.progress.sums.balancedSteps, 11);
  assert.deepEqual(late, await elevenSteps(true));
});

test('training that diverges is noticed without anybody asking for its losses', async () => {
  const trainer = tinyTrainer('ce', { minSteps: 40 });
  trainer.beginEpoch();
  const state = trainer.save();
  state.network.trunk.fill(NaN);
  trainer.restore(state);
  let steps = 0;
  while (!trainer.diverged && steps < 40) {
    await trainer.runStep();
    steps++;
  }
  assert.equal(steps, 8);
  assert.equal(trainer.sound, false);
  trainer.dispose();
});
