/** A short real training: the product's own loop on ten classes of drawn tiles that a small network learns at once. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { Network } from '../models/network.ts';
import { makeConfig } from '../training/presets.ts';
import { PackedPictures, type PictureSet } from '../training/pictures.ts';
import { Trainer } from '../training/trainer.ts';

/** What a trial of the engine showed. */
export interface TrainingTrial {
  /** Title of the network. */
  network: string;
  steps: number;
  /** Mean loss over the first and over the last `LOSS_STEPS` steps; log(10) = 2.30 is chance. */
  firstLoss: number;
  lastLoss: number;
  /** After the first steps, in which memory and kernels are made ready. */
  imagesPerSecond: number;
}

const SIZE = 32;
const CLASSES = 10;
const PICTURES = 640;
/** Steps that the loss is averaged over; twice as many are always made, however slow they are. */
const LOSS_STEPS = 5;
const WARM_UP_STEPS = 3;

/**
 * Train for some seconds. `startEngine` must have been called.
 * @param onStep told the images of the step and its loss
 * @throws UserError 'cancelled'
 */
export async function tryTraining(
  seconds: number,
  signal: AbortSignal,
  onStep: (images: number, loss: number) => void,
): Promise<TrainingTrial> {
  const config = makeConfig('ce', 'small', SIZE);
  const network = new Network(config.model, CLASSES);
  const { tiles, labels } = drawTiles();
  const pictures = new PackedPictures(tiles, config.augment);
  const admitted = Array.from({ length: CLASSES }, () => true);
  const trainer = new Trainer({ config, network, pictures, labels, admitted, curated: null });
  const losses: number[] = [];
  const end = performance.now() + seconds * 1000;
  let warmAt = 0;
  trainer.beginEpoch();
  while (performance.now() < end || losses.length < 2 * LOSS_STEPS) {
    if (signal.aborted) throw new UserError('cancelled', 'The trial was cancelled.');
    if (losses.length === WARM_UP_STEPS) warmAt = performance.now();
    await trainer.runStep();
    const loss = trainer.losses.uniform;
    losses.push(loss);
    onStep(config.batchSize, loss);
    // A step blocks the thread; messages are heard in between.
    await nextTurn();
  }
  const measured = (performance.now() - warmAt) / 1000;
  trainer.dispose();
  return {
    network: network.backbone.title,
    steps: losses.length,
    firstLoss: mean(losses.slice(0, LOSS_STEPS)),
    lastLoss: mean(losses.slice(-LOSS_STEPS)),
    imagesPerSecond: ((losses.length - WARM_UP_STEPS) * config.batchSize) / measured,
  };
}

/** Each class is a tile of 4 x 4 colours, each picture its class's tile with noise. */
function drawTiles(): { tiles: PictureSet; labels: Int32Array } {
  const random = Random.stream(1, 'doctor tiles');
  const tiles = Array.from({ length: CLASSES }, () => Array.from({ length: 4 * 4 * 3 }, () => 64 + random.below(128)));
  const labels = Int32Array.from({ length: PICTURES }, (_, index) => index % CLASSES);
  const pixels = Array.from(labels, (label) => {
    const picture = new Uint8Array(SIZE * SIZE * 3);
    for (let i = 0; i < picture.length; i++) {
      const [y, x, channel] = [Math.floor(i / (SIZE * 3)), Math.floor(i / 3) % SIZE, i % 3];
      const colour = tiles[label][(Math.floor(y / 8) * 4 + Math.floor(x / 8)) * 3 + channel];
      picture[i] = colour - 40 + random.below(80);
    }
    return picture;
  });
  return { tiles: { count: PICTURES, size: SIZE, read: (index) => pixels[index] }, labels };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
