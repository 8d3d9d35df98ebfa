/**
 * `soak-steps.ts '{"steps":100000}'`: CSA steps of a small network on small pictures by the trainer itself, traced;
 * tells live tensors and memory on the way to stderr, and those after 1,000 steps and at the end as one JSON line.
 */
import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { noiseTrainer } from './noise-trainer.ts';
import { THREADS, versions } from './programs.ts';

const { steps } = JSON.parse(process.argv[2]) as { steps: number };
const SIZE = 8;
const BATCH = 2;
/** By then the heap has grown to what the steps need. */
const SETTLED = Math.min(1000, Math.ceil(steps / 2));

const engine = startEngine(readEngineInstall());
const config = makeConfig('csa', 'small', 32, {
  batchSize: BATCH,
  bankSize: 8,
  learningRate: 0.001,
  startBalanced: 0,
  delta: 0,
  threads: THREADS,
});
const trainer = noiseTrainer({ ...config, inputSize: SIZE }, 64);

interface Level {
  step: number;
  /** Live tensors of TensorFlow and of TensorFlow.js. */
  handles: number;
  tensors: number;
  /** Resident memory, MiB. */
  rss: number;
}

function level(step: number): Level {
  // Figures that wait to be read are tensors too.
  void trainer.sums;
  return {
    step,
    handles: engine.backend.getNumOfTFTensors(),
    tensors: tf.memory().numTensors,
    rss: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
}

const started = performance.now();
let settled: Level | undefined;
for (let step = 1; step <= steps; step++) {
  if (trainer.step === trainer.stepsPerEpoch) trainer.endEpoch();
  if (trainer.step === 0) trainer.beginEpoch();
  await trainer.runStep();
  if (step === SETTLED) settled = level(step);
  if (step % Math.max(1, Math.floor(steps / 20)) === 0) console.error(JSON.stringify(level(step)));
}
if (trainer.untraceable !== null) throw new Error(`not traced: ${trainer.untraceable}`);
const milliseconds = (performance.now() - started) / steps;
console.log(JSON.stringify({ name: 'soak', milliseconds, settled, end: level(steps), versions: versions() }));
process.exit(0);
