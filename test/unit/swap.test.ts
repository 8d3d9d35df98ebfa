import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { decodeRgb, encodeGrey, resizeGrey, type Target } from '../../core/data/decode.ts';
import { coverCrop, type Size } from '../../core/data/geometry.ts';
import type { SnapshotImage } from '../../core/data/snapshot.ts';
import { LocalMaker } from '../../core/export/render.ts';
import { swapAnswers, swapPixels, type SwapMask } from '../../core/predict/swap.ts';
import { BlobStore, sha256 } from '../../core/storage/blob-store.ts';
import { ImageTensors } from '../../core/training/image-tensors.ts';
import { IMAGENET_NORMALISATION } from '../../core/training/preprocessing.ts';
import { mixContexts } from '../../core/training/step.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const random = Random.stream(3, 'swap');
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256));

const MASKS: readonly SwapMask[] = [{ kind: 'soft' }, { kind: 'binary', threshold: 0.4 }];
const LAMBDAS = [0, 0.3, 0.75, 1] as const;

test('a preview is, byte for byte, the picture that an export of that size writes', async () => {
  const folder = temporaryFolder();
  const picture = async (id: number, size: Size): Promise<SnapshotImage> => {
    const path = `${id}.png`;
    const raw = { raw: { ...size, channels: 3 as const } };
    const bytes = await sharp(noise(size.width * size.height * 3), raw)
      .png()
      .toBuffer();
    writeFileSync(join(folder, path), bytes);
    const rest = { orientation: 1, label: 0, split: 'train' as const, size: bytes.length, hash: sha256(bytes) };
    return { id, root: 0, path, ...size, ...rest };
  };
  const [source, lent] = await Promise.all([
    picture(1, { width: 70, height: 50 }),
    picture(2, { width: 45, height: 60 }),
  ]);
  const blobs = new BlobStore(temporaryFolder());
  const mask = { width: 45, height: 60, data: noise(45 * 60) };
  const blob = blobs.put(await encodeGrey(mask));
  const read = ({ path }: SnapshotImage): Buffer => readFileSync(join(folder, path));
  // As a model that is shown pictures with a margin sees them: the middle of an export that is so much larger.
  for (const [size, enlarge] of [
    [32, 1],
    [28, 32 / 28],
  ] as const) {
    const target: Target = { width: size, height: size, fit: 'cover', enlarge };
    const own = await decodeRgb(read(source), target, source);
    const context = { pixels: await decodeRgb(read(lent), target, lent), mask: await resizeGrey(mask, target) };
    for (const form of MASKS) {
      const settings = { roots: [{ kind: 'folder' as const, path: folder }], blobFolder: blobs.folder, mask: form };
      const maker = new LocalMaker({ ...settings, format: { kind: 'png' } }, 1e6);
      for (const lambda of LAMBDAS) {
        const path = join(folder, 'made.png');
        const output = { width: 32, height: 32 };
        const item = {
          file: 'made.png',
          split: 'train' as const,
          class: 'cat',
          kind: 'mixed' as const,
          source,
          crop: coverCrop(source, output),
          ...output,
          context: {
            id: 1,
            image: lent,
            mask: { kind: 'version' as const, id: 1, blob },
            crop: coverCrop(lent, output),
            lambda,
          },
        };
        await maker.make({ item, source, context: lent, path });
        const margin = (32 - size) / 2;
        const made = await sharp(path)
          .extract({ left: margin, top: margin, width: size, height: size })
          .raw()
          .toBuffer();
        assert.deepEqual(Buffer.from(swapPixels(own, context, lambda, form)), made, `${size} ${form.kind} ${lambda}`);
      }
      await maker.close();
    }
  }
});

test('training mixes the same numbers, without rounding to whole grey levels', () => {
  startTestEngine();
  const size = 16;
  const tensors = new ImageTensors(IMAGENET_NORMALISATION);
  const own = noise(size * size * 3);
  const context = { pixels: noise(size * size * 3), mask: noise(size * size) };
  const { mean, deviation } = IMAGENET_NORMALISATION;
  for (const lambda of LAMBDAS) {
    const trained = tf.tidy(() =>
      mixContexts(tensors.of(own, size, size), {
        contexts: tensors.of(context.pixels, size, size),
        masks: tf.tensor4d(
          Float32Array.from(context.mask, (value) => value / 255),
          [1, size, size, 1],
        ),
        lambda: tf.tensor4d([lambda], [1, 1, 1, 1]),
      }).dataSync<'float32'>(),
    );
    const shown = swapPixels(own, context, lambda, { kind: 'soft' });
    for (const [i, value] of trained.entries()) {
      const grey = 255 * (value * deviation[i % 3] + mean[i % 3]);
      assert.ok(Math.abs(grey - shown[i]) <= 0.501, `lambda ${lambda}: ${grey} is shown as ${shown[i]}`);
    }
  }
});

test('answers say what is named, how sure the true class is, and whether the answer is another one', () => {
  const probabilities = Float32Array.of(0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.625, 0.125, 0.25);
  assert.deepEqual(swapAnswers(probabilities, 3, 2), [
    { label: 0, probability: 0.5, truth: 0.25, changed: false },
    { label: 1, probability: 0.5, truth: 0.25, changed: true },
    { label: 0, probability: 0.625, truth: 0.25, changed: false },
  ]);
  assert.equal(swapAnswers(probabilities, 3, null)[1].truth, null);
});
