/**
 * Trains ResNet-18 on photographs from disk, alone in a process: `photos-ours.ts
 * '{"folder":"/photos","batch":64,"images":640}'` prints images a second of training, and of the input alone, as one JSON
 * line. The first steps are left out.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { mapOrdered } from '../../core/data/flow.ts';
import type { DatasetSnapshot } from '../../core/data/snapshot.ts';
import { startEngine } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { Network } from '../../core/models/network.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { openPictures } from '../../core/training/open-pictures.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { Trainer } from '../../core/training/trainer.ts';

const { folder, batch, images } = JSON.parse(process.argv[2]) as { folder: string; batch: number; images: number };
const SIZE = 128;
const WARM_UP = 2;

async function snapshotOf(root: string): Promise<DatasetSnapshot> {
  const paths = globSync('*/*.jpg', { cwd: root }).toSorted();
  const classes = [...new Set(paths.map((path) => dirname(path)))];
  const look = async (path: string): Promise<DatasetSnapshot['images'][number]> => {
    const bytes = readFileSync(join(root, path));
    const { width, height } = await sharp(bytes).metadata();
    const label = classes.indexOf(dirname(path));
    const image = { id: 0, root: 0, path, hash: sha256(bytes), size: bytes.length, width, height, orientation: 1 };
    return { ...image, label, split: 'train' };
  };
  const found: DatasetSnapshot['images'] = [];
  for await (const image of mapOrdered(paths, 8, look)) found.push(image);
  const roots = [{ kind: 'folder' as const, path: root }];
  return { version: 1, classes, classIds: [...classes.keys()], roots, images: found, evaluation: null };
}

const snapshot = await snapshotOf(folder);
const indices = [...snapshot.images.keys()];
const config = makeConfig('ce', 'small', SIZE, { batchSize: batch, learningRate: 0.01, seed: 1 });
const port = { emit: () => {}, signal: new AbortController().signal };
const pictures = await openPictures(snapshot, indices, config, 'train', '', port);

const random = Random.stream(1, 'input alone');
const drawn = Array.from({ length: Math.ceil(images / batch) + WARM_UP }, (_, i) =>
  Int32Array.from({ length: batch }, (__, j) => (i * batch + j) % indices.length),
);
let inputStarted = 0;
let batches = -WARM_UP;
for await (const _ of mapOrdered(drawn, pictures.ahead + 1, (some) => pictures.augmented(some, random))) {
  if (++batches === 0) inputStarted = performance.now();
}
const input = (1000 * batches * batch) / (performance.now() - inputStarted);

startEngine(readEngineInstall());
const network = new Network(config.model, snapshot.classes.length);
const labels = Int32Array.from(snapshot.images, ({ label }) => label);
const admitted = snapshot.classes.map(() => true);
const trainer = new Trainer({ config, network, pictures, labels, admitted, curated: null });
trainer.beginEpoch();
for (let step = 0; step < WARM_UP; step++) await trainer.runStep();
const steps = Math.ceil(images / batch);
const waitedBefore = trainer.inputSeconds;
const started = performance.now();
for (let step = 0; step < steps; step++) await trainer.runStep();
const seconds = (performance.now() - started) / 1000;
console.log(
  JSON.stringify({
    imagesPerSecond: (steps * batch) / seconds,
    input,
    inputShare: (trainer.inputSeconds - waitedBefore) / seconds,
  }),
);
process.exit(0);
