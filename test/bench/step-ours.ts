/**
 * Times training steps of our engine, alone in a process: `step-ours.ts '{"blocks":5,"batch":128,"steps":20,"both":false}'`
 * prints milliseconds a step as one JSON line. Random pictures; the first steps are left out.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../core/base/random.ts';
import { startEngine } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { Network } from '../../core/models/network.ts';
import { disposeState, extract, update, type Batch } from '../../core/training/step.ts';

const { blocks, batch, steps, both } = JSON.parse(process.argv[2]) as {
  blocks: number;
  batch: number;
  steps: number;
  /** Both streams and context extraction, as CSA does; else one stream. */
  both: boolean;
};
const WARM_UP = 3;
const CLASSES = 10;

startEngine(readEngineInstall());
const network = new Network({ kind: 'resnet-cifar', blocks }, CLASSES);
const random = Random.stream(1, 'bench');
const makeBatch = (): Batch => ({
  images: tf.tensor4d(
    Float32Array.from({ length: batch * 32 * 32 * 3 }, () => random.normal()),
    [batch, 32, 32, 3],
  ),
  labels: tf.tensor1d(
    Int32Array.from({ length: batch }, () => random.below(CLASSES)),
    'int32',
  ),
});
const uniform = makeBatch();
const balanced = makeBatch();
const optimiser = { rate: tf.scalar(0.01), momentum: 0.9, weightDecay: 2e-4 };
let state = network.initialize(random);
let started = 0;
for (let step = -WARM_UP; step < steps; step++) {
  if (step === 0) started = performance.now();
  if (both) {
    const { mask, probability } = extract(network, state, uniform);
    probability.dataSync();
    mask.dataSync();
    tf.dispose([mask, probability]);
  }
  const result = update(network, state, uniform, both ? balanced : null, null, optimiser);
  disposeState(state);
  state = result.state;
  result.uniformLoss.dataSync();
  tf.dispose([result.uniformLoss, result.sampleLosses]);
  result.balancedLoss?.dispose();
}
console.log(JSON.stringify({ milliseconds: (performance.now() - started) / steps }));
process.exit(0);
