import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StartingWeights } from '../../core/training/config.ts';
import { Random } from '../../core/base/random.ts';
import {
  CIFAR_NORMALISATION,
  cropInto,
  drawCrop,
  IMAGENET_NORMALISATION,
  normalisationOf,
  Normaliser,
  padding,
} from '../../core/training/preprocessing.ts';

/** Pad with zeros, cut, mirror: pixel by pixel, the plain way. */
function naiveCrop(
  source: Uint8Array,
  size: number,
  channels: number,
  pad: number,
  { dy, dx, flip }: { dy: number; dx: number; flip: boolean },
): number[] {
  const result: number[] = [];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [fromY, fromX] = [y + dy - pad, (flip ? size - 1 - x : x) + dx - pad];
      const inside = fromY >= 0 && fromY < size && fromX >= 0 && fromX < size;
      for (let c = 0; c < channels; c++) result.push(inside ? source[(fromY * size + fromX) * channels + c] : 0);
    }
  }
  return result;
}

test('a crop is what padding, cutting and mirroring give, at every place', () => {
  const size = 5;
  for (const channels of [1, 3]) {
    const source = Uint8Array.from({ length: size * size * channels }, (_, i) => i + 1);
    for (const pad of [0, 2, 5]) {
      for (let dy = 0; dy <= 2 * pad; dy++) {
        for (let dx = 0; dx <= 2 * pad; dx++) {
          for (const flip of [false, true]) {
            const target = new Uint8Array(source.length).fill(99);
            cropInto(source, target, size, channels, pad, { dy, dx, flip });
            assert.deepEqual([...target], naiveCrop(source, size, channels, pad, { dy, dx, flip }));
          }
        }
      }
    }
  }
});

test('crops are drawn over the whole range, evenly, and flips only where they are allowed', () => {
  const random = Random.stream(1, 'crops');
  const size = 32;
  const augment = { pad: 0.125, flip: true };
  assert.equal(padding(augment, size), 4);
  const crops = Array.from({ length: 9 * 9 * 40 }, () => drawCrop(random, augment, size));
  const counts = new Map<string, number>();
  for (const { dy, dx } of crops) counts.set(`${dy},${dx}`, (counts.get(`${dy},${dx}`) ?? 0) + 1);
  assert.equal(counts.size, 81);
  assert.ok(
    [...counts.values()].every((count) => count > 10 && count < 80),
    'each of 81 places about 40 times',
  );
  const flips = crops.filter(({ flip }) => flip).length / crops.length;
  assert.ok(flips > 0.46 && flips < 0.54, `${flips} are flipped`);
});

test('settings do not put streams out of step: a draw is as long whatever they are', () => {
  const [plain, flipping] = [false, true].map((flip) => {
    const random = Random.stream(1, 'crops');
    drawCrop(random, { pad: 0, flip }, 32);
    return random.state;
  });
  assert.deepEqual(plain, flipping);
  const none = Array.from({ length: 50 }, (_, seed) =>
    drawCrop(Random.stream(seed, 'crops'), { pad: 0, flip: false }, 32),
  );
  assert.ok(none.every(({ dy, dx, flip }) => dy === 0 && dx === 0 && !flip));
});

test('normalising is (value / 255 - mean) / deviation of each channel, in a fresh array', () => {
  const pixels = Uint8Array.from({ length: 256 * 3 }, (_, i) => (i * 31) & 255);
  for (const normalisation of [CIFAR_NORMALISATION, IMAGENET_NORMALISATION]) {
    const normaliser = new Normaliser(normalisation);
    const values = normaliser.apply(pixels);
    for (const [i, value] of values.entries()) {
      const expected = (pixels[i] / 255 - normalisation.mean[i % 3]) / normalisation.deviation[i % 3];
      assert.ok(Math.abs(value - expected) < 1e-6, `value ${i}`);
    }
    assert.notEqual(normaliser.apply(pixels).buffer, values.buffer);
  }
  assert.deepEqual(CIFAR_NORMALISATION, { mean: [0.4914, 0.4822, 0.4465], deviation: [0.2023, 0.1994, 0.201] });
});

test("a run's pictures are normalised as its weights expect them, else by their size", () => {
  const weights: StartingWeights | null = null;
  const [resnet, lite0] = [{ kind: 'resnet18' }, { kind: 'efficientnet-lite0' }] as const;
  assert.deepEqual(normalisationOf({ model: resnet, weights, inputSize: 64 }), CIFAR_NORMALISATION);
  assert.deepEqual(normalisationOf({ model: resnet, weights, inputSize: 96 }), IMAGENET_NORMALISATION);
  const lite = normalisationOf({ model: lite0, weights, inputSize: 64 });
  assert.deepEqual([127 / 255 - lite.mean[0], (1 - lite.mean[1]) / lite.deviation[1]], [0, 1]);
  const own: NonNullable<StartingWeights['normalisation']> = { mean: [0.1, 0.2, 0.3], deviation: [1, 2, 3] };
  const named = { name: 'own', hash: null, normalisation: own };
  assert.deepEqual(normalisationOf({ model: lite0, weights: named, inputSize: 64 }), own);
});
