/** No tensor is left behind by a step, of TensorFlow.js or of TensorFlow; what running out of memory is called. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../../core/engine/backend.ts';
import { UserError } from '../../core/base/errors.ts';
import { engineFailure } from '../../core/engine/failure.ts';
import { tidyRead } from '../../core/engine/tidy.ts';
import { METHODS } from '../../core/training/config.ts';
import { logitsOf } from '../../core/training/evaluate.ts';
import { Evaluator } from '../../core/training/evaluator.ts';
import { PackedPictures } from '../../core/training/pictures.ts';
import { normalisationOf } from '../../core/training/preprocessing.ts';
import type { Trainer } from '../../core/training/trainer.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { tinyTrainer } from '../fixtures/training.ts';

/** The count is compared after every single step, so that a short row shows as much as a long one. */
const STEPS = process.env.CONTEXTURE_LONG ? 2000 : 120;
/** An epoch and some: by then every part of the state has been used and so has its handle. */
const SETTLED = 30;

let engine: Engine;
before(() => {
  engine = startTestEngine();
});

const live = (): [handles: number, tensors: number] => [engine.backend.getNumOfTFTensors(), tf.memory().numTensors];

/** One step, over the ends of epochs; says whether it trained the balanced branch. */
async function step(trainer: Trainer): Promise<boolean> {
  if (trainer.step === trainer.stepsPerEpoch) trainer.endEpoch();
  if (trainer.step === 0) trainer.beginEpoch();
  const trained = trainer.sums.balancedSteps;
  await trainer.runStep();
  assert.ok(Number.isFinite(trainer.losses.uniform));
  return trainer.sums.balancedSteps > trained;
}

for (const method of METHODS) {
  test(`${method}: the number of live tensors is level over ${STEPS} steps, and all go with the trainer`, async () => {
    const atFirst = live();
    const trainer = tinyTrainer(method, { batchSize: 2, bankSize: 4, delta: 0.1 });
    for (let i = 0; i < SETTLED; i++) await step(trainer);
    const level = live();
    let balanced = 0;
    for (let i = SETTLED; i < STEPS; i++) {
      if (await step(trainer)) balanced++;
      assert.deepEqual(live(), level, `after step ${i + 1}`);
    }
    if (method === 'csa' || method === 'control') assert.ok(balanced > STEPS / 2, `${balanced} balanced steps`);
    else assert.equal(balanced, 0);
    trainer.dispose();
    assert.deepEqual(live(), atFirst);
  });
}

test('numbers that are read are not gone through, and what they were read from is freed', () => {
  const atFirst = live();
  // An array that tells when somebody asks for what is in it: tf.tidy does, for each number.
  const asked: (string | symbol)[] = [];
  const watched = (values: object): object =>
    new Proxy(values, { ownKeys: (target) => (asked.push('keys'), Reflect.ownKeys(target)) });
  tf.tidy(() => watched(tf.tensor1d([1, 2]).dataSync()) as tf.TensorContainer);
  assert.deepEqual(asked, ['keys']);
  const read = tidyRead(() => watched(tf.square(tf.tensor1d([3, 4])).dataSync()));
  assert.deepEqual(asked, ['keys']);
  assert.deepEqual([Reflect.get(read, 0), Reflect.get(read, 1)], [9, 16]);
  assert.throws(() => tidyRead(() => assert.fail(tf.tensor1d([1]).toString())), /Tensor/);
  assert.deepEqual(live(), atFirst);
});

test('saving, restoring and evaluating leave nothing behind', async () => {
  const trainer = tinyTrainer('control', { startBalanced: 0 });
  using evaluator = new Evaluator(trainer.network);
  await step(trainer);
  trainer.restore(trainer.save());
  await step(trainer);
  const level = live();
  for (let i = 0; i < 3; i++) {
    trainer.restore(trainer.save());
    await step(trainer);
    const grey = { count: 5, size: 32, read: () => new Uint8Array(32 * 32 * 3).fill(i) };
    const pictures = new PackedPictures(grey, trainer.config.augment);
    await logitsOf(evaluator, trainer.state, pictures, normalisationOf(trainer.config), async () => {});
    assert.deepEqual(live(), level);
  }
  trainer.dispose();
});

test('out of memory is told apart from every other failure', () => {
  for (const words of [
    'OOM when allocating tensor with shape[256,64,32,32] and type float on /job:localhost/replica:0/task:0/device:GPU:0',
    'Error: Resource exhausted: failed to allocate memory',
    'failed to allocate 2.00GiB from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory',
  ]) {
    const error = engineFailure(new Error(words), 'Choose a smaller batch.');
    assert.ok(error instanceof UserError && error.code === 'memory' && error.cause instanceof Error, words);
    assert.equal(error.message, 'Choose a smaller batch.');
  }
  const tooLong = engineFailure(new RangeError('Array buffer allocation failed'), 'm');
  assert.ok(tooLong instanceof UserError && tooLong.code === 'memory');
  const others = [
    new Error('ROOM 101 does not exist'),
    new RangeError('Invalid array length'),
    new UserError('no-space', 'The disk is out of memory.'),
    'a string',
  ];
  for (const other of others) assert.equal(engineFailure(other, 'm'), other);
});
