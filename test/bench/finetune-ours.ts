/**
 * Times fine-tuning of EfficientNet-Lite0 by ours, alone in a process: `finetune-ours.ts
 * '{"part":"last","batch":32,"steps":10,"threads":2}'` prints pictures a second, and of `frozen` the mean of all
 * features, as one JSON line. Random pictures, made
 * once; the first steps, which trace, are left out. The backbone has to be here.
 */
import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { findPack } from '../../core/models/backbone-pack.ts';
import { networkOf } from '../../core/models/network.ts';
import { Evaluator } from '../../core/training/evaluator.ts';
import { ImageTensors } from '../../core/training/image-tensors.ts';
import { makeConfig, type PresetName } from '../../core/training/presets.ts';
import { normalisationOf } from '../../core/training/preprocessing.ts';
import { startingState } from '../../core/training/starting-state.ts';
import { BACKBONE, CLASSES, type FinetuneSpec } from './finetune.ts';
import { noiseTrainer } from './noise-trainer.ts';

const { part, batch, steps, threads } = JSON.parse(process.argv[2]) as FinetuneSpec;
const PRESETS_OF_PARTS = { frozen: 'photos-20', last: 'photos-200', all: 'photos-2000' } as const satisfies Record<
  FinetuneSpec['part'],
  PresetName
>;
const WARM_UP = 4;

startEngine(readEngineInstall());
const hash = findPack(BACKBONE)!.hash;
const config = makeConfig('ce', PRESETS_OF_PARTS[part], 224, {
  batchSize: batch,
  warmupEpochs: 0,
  threads,
  weights: { name: BACKBONE, hash },
});

let feature = 0;
const step = part === 'frozen' ? lookAtPictures() : trainStep();
let started = 0;
for (let at = -WARM_UP; at < steps; at++) {
  if (at === 0) started = performance.now();
  await step();
}
const rate = (1000 * batch * steps) / (performance.now() - started);
console.log(JSON.stringify({ rate, feature }));
process.exit(0);

/** A batch through the frozen backbone, as `training/features.ts` has it. */
function lookAtPictures(): () => Promise<void> {
  const network = networkOf(config, CLASSES);
  const state = startingState(network, config);
  const evaluator = new Evaluator(network);
  const tensors = new ImageTensors(normalisationOf(config));
  const { inputSize } = config;
  // The peer's pictures too.
  const pixels = Uint8Array.from(
    { length: batch * inputSize * inputSize * 3 },
    (_, i) => Math.imul(i, 2654435761) >>> 24,
  );
  return async () => {
    const pooled = tf.tidy(() => evaluator.pool(state, tensors.of(pixels, inputSize, inputSize)).dataSync<'float32'>());
    feature = pooled.reduce((sum, value) => sum + value, 0) / pooled.length;
    if (evaluator.untraceable !== null) throw new Error(`not traced: ${evaluator.untraceable}`);
  };
}

function trainStep(): () => Promise<void> {
  const trainer = noiseTrainer(config, 2 * batch);
  trainer.beginEpoch();
  return async () => {
    await trainer.runStep();
    if (trainer.untraceable !== null) throw new Error(`not traced: ${trainer.untraceable}`);
  };
}
