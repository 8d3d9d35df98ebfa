/**
 * Times training steps of ours, alone in a process: `step-ours.ts
 * '{"method":"csa","precision":"float32","blocks":5,"batch":128,"steps":20,"threads":2}'` prints milliseconds a step
 * as one JSON line. Random pictures, made once; every sample enters the bank (delta 0), so that each CSA step lays
 * contexts on. The first steps, which trace, are left out.
 */
import { startEngine } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { noiseTrainer } from './noise-trainer.ts';

const { method, precision, blocks, batch, steps, threads } = JSON.parse(process.argv[2]) as {
  method: 'ce' | 'csa';
  precision: 'float32' | 'bfloat16';
  blocks: number;
  batch: number;
  steps: number;
  threads: number;
};
const WARM_UP = 4;

startEngine(readEngineInstall());
const config = makeConfig(method, 'quick', 32, {
  model: { kind: 'resnet-cifar', blocks },
  batchSize: batch,
  bankSize: batch,
  learningRate: 0.01,
  warmupEpochs: 0,
  startBalanced: 0,
  delta: 0,
  precision,
  threads,
});
const trainer = noiseTrainer(config, 4 * batch);
trainer.beginEpoch();
let started = 0;
for (let step = -WARM_UP; step < steps; step++) {
  if (step === 0) started = performance.now();
  await trainer.runStep();
}
const milliseconds = (performance.now() - started) / steps;
if (trainer.untraceable !== null) throw new Error(`not traced: ${trainer.untraceable}`);
if (method === 'csa' && trainer.sums.mixedSteps < steps) throw new Error('not every step laid contexts on');
console.log(JSON.stringify({ milliseconds }));
process.exit(0);
