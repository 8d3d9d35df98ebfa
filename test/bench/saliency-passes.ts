/**
 * Both passes in one process, so that they have one engine: `saliency-passes.ts
 * '{"pairs":5,"images":5000,"blocks":5}'` prints the result of the bench `saliency` as one JSON line. CIFAR10-LT's
 * test pictures, ResNet, weights as they start.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../core/base/random.ts';
import { lookAt, PIXELS_A_BATCH, type Decoded } from '../../core/contexts/contexts-job.ts';
import { maskArea, maskFromSaliency } from '../../core/contexts/mask.ts';
import { toGrey } from '../../core/contexts/saliency-look.ts';
import { decodeRgb } from '../../core/data/decode.ts';
import { startEngine } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { Network } from '../../core/models/network.ts';
import { Evaluator } from '../../core/training/evaluator.ts';
import { ImageTensors } from '../../core/training/image-tensors.ts';
import { CIFAR_NORMALISATION } from '../../core/training/preprocessing.ts';
import { unpack } from './packs.ts';
import { runPairs } from './pairs.ts';
import { versions } from './programs.ts';

const { pairs, images, blocks } = JSON.parse(process.argv[2]) as { pairs: number; images: number; blocks: number };
const SIZE = { width: 32, height: 32 };
const BATCH = PIXELS_A_BATCH / (SIZE.width * SIZE.height);

const pack = unpack('cifar10-lt100');
const files = globSync(join(pack, 'test/*/*')).toSorted();
const classes = [...new Set(files.map((file) => basename(dirname(file))))];
// Spread over the split, so that all classes are there.
const chosen = Array.from(
  { length: Math.min(images, files.length) },
  (_, i, all = Math.min(images, files.length)) => files[Math.floor((i * files.length) / all)],
);
const pictures: Decoded[] = [];
for (const [id, path] of chosen.entries()) {
  const bytes = readFileSync(path);
  const label = classes.indexOf(basename(dirname(path)));
  const image = {
    id,
    root: 0,
    path,
    hash: '',
    size: bytes.length,
    ...SIZE,
    orientation: 1,
    label,
    split: 'test' as const,
  };
  pictures.push({ image, pixels: await decodeRgb(bytes, { ...SIZE, fit: 'fill' }, image) });
}
const batches = Array.from({ length: Math.ceil(pictures.length / BATCH) }, (_, i) =>
  pictures.slice(i * BATCH, (i + 1) * BATCH),
);

startEngine(readEngineInstall());
const network = new Network({ kind: 'resnet-cifar', blocks }, classes.length);
const state = network.initialize(Random.stream(1, 'weights'));
const tensors = new ImageTensors(CIFAR_NORMALISATION);
using evaluator = new Evaluator(network);

function lookAndMask(): void {
  for (const batch of batches) {
    for (const { saliency } of lookAt(evaluator, state, tensors, SIZE, batch, ({ label }) => label)) {
      maskArea(maskFromSaliency(toGrey(saliency), SIZE.width, SIZE.height, { form: 'soft' }));
    }
  }
}

function forward(): void {
  for (const batch of batches) {
    const pixels = new Uint8Array(Buffer.concat(batch.map((picture) => picture.pixels)));
    tf.tidy(() => {
      evaluator.classify(state, tensors.of(pixels, SIZE.height, SIZE.width)).uniform.dataSync();
    });
  }
}

/** Pictures a second of a pass. */
function rate(pass: () => void): number {
  const started = performance.now();
  pass();
  return (1000 * pictures.length) / (performance.now() - started);
}

// Twice each: the second pass traces.
for (let i = 0; i < 2; i++) for (const pass of [lookAndMask, forward]) pass();
const result = await runPairs({
  name: 'saliency',
  unit: 'images/s',
  greaterIsBetter: true,
  versions: versions(),
  pairs,
  ours: () => rate(lookAndMask),
  peer: () => rate(forward),
});
if (evaluator.untraceable !== null) throw new Error(`not traced: ${evaluator.untraceable}`);
console.log(JSON.stringify(result));
process.exit(0);
