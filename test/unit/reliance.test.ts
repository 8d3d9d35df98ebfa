import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { DEFAULT_THRESHOLDS } from '../../core/data/groups.ts';
import { COMPOSITIONS, drawPartners, relianceFigures, type Composition } from '../../core/evaluation/reliance.ts';
import { compose, maskOf } from '../../core/predict/compositions.ts';
import { decodeReliance, encodeReliance } from '../../core/predict/reliance-file.ts';
import { encodeGrey } from '../../core/data/decode.ts';
import { BlobStore } from '../../core/storage/blob-store.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const close = (actual: number | undefined, expected: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

/** A head that is sure (0.9) of every picture but those whose composition it gets wrong (0.1). */
function answers(labels: readonly number[], isRight: (i: number, composition: Composition) => boolean | null) {
  const cells = labels.flatMap((_, i) => COMPOSITIONS.map((composition) => isRight(i, composition)));
  return {
    labels: Int32Array.from(labels),
    probability: Float32Array.from(cells, (cell) => (cell === null ? NaN : cell ? 0.9 : 0.1)),
    right: Uint8Array.from(cells, Number),
    thresholds: DEFAULT_THRESHOLDS,
    seed: 1,
  };
}

test('a model that goes by the background has a BG-Gap of 1, one that goes by the object of 0', () => {
  const labels = Array.from({ length: 60 }, (_, i) => (i < 40 ? 0 : 1));
  const byBackground = answers(labels, (_, composition) => composition !== 'only-fg' && composition !== 'mixed-rand');
  const trainCounts = [500, 5];
  const { bgGap, compositions } = relianceFigures({ ...byBackground, trainCounts });
  for (const gap of [bgGap.overall, bgGap.macroRecall, bgGap.groups.many, bgGap.groups.few, ...bgGap.classes]) {
    assert.deepEqual([gap?.value, gap?.a, gap?.b, gap?.verdict], [1, 0, 1, 'better']);
  }
  assert.equal(bgGap.groups.medium, null);
  close(compositions['no-fg'].confidence.macro?.value, 0.9);
  close(compositions['mixed-rand'].confidence.groups.few?.value, 0.1);
  assert.deepEqual([compositions.original.accuracy.all?.value, compositions['only-fg'].accuracy.all?.value], [1, 0]);
  const byObject = answers(labels, (_, composition) => composition !== 'no-fg');
  assert.equal(relianceFigures({ ...byObject, trainCounts }).bgGap.overall?.value, 0);
});

test('means by hand: classes count alike in a macro mean, and what cannot be made is left out', () => {
  // Class 0 has three pictures, class 1 a single one that has no other of its class to lend a background.
  const input = answers([0, 0, 0, 1], (i, composition) => (i === 3 && composition === 'mixed-same' ? null : i !== 0));
  const { compositions, bgGap } = relianceFigures({ ...input, trainCounts: [300, 30, 3] });
  const { accuracy, confidence } = compositions.original;
  close(accuracy.all?.value, 3 / 4);
  close(accuracy.macro?.value, (2 / 3 + 1) / 2);
  close(confidence.classes[0]?.value, (0.1 + 0.9 + 0.9) / 3);
  assert.ok(confidence.classes[0]!.low < 0.5 && confidence.classes[0]!.high > 0.8);
  assert.deepEqual([accuracy.classes[2], accuracy.groups.few], [null, null]);
  assert.equal(compositions['mixed-same'].accuracy.classes[1], null);
  assert.deepEqual([bgGap.images, bgGap.classes[1]], [3, null]);
  assert.throws(() => relianceFigures({ ...input, right: new Uint8Array(3), trainCounts: [1, 1] }), RangeError);
});

test('partners: of the class, and of any other class however large; the same for a seed', () => {
  const labels = Int32Array.from({ length: 300 }, (_, i) => i % 3);
  // Class 1 has no picture to lend; class 3, with a single one, is drawn as often as class 0 with seven.
  const lenders = Int32Array.from([0, 0, 0, 0, 0, 0, 0, 2, 2, 3]);
  const { same, rand } = drawPartners(labels, lenders, 7);
  for (const [i, label] of labels.entries()) {
    if (label === 1) assert.equal(same[i], -1);
    else assert.equal(lenders[same[i]], label);
    assert.ok(rand[i] >= 0 && lenders[rand[i]] !== label);
  }
  const third = [...labels.keys()].filter((i) => labels[i] === 1 && lenders[rand[i]] === 3).length;
  assert.ok(third > 18 && third < 50, `${third} of 100 are of the smallest of three classes`);
  assert.deepEqual(drawPartners(labels, lenders, 7), { same, rand });
  assert.deepEqual(drawPartners(Int32Array.of(0), Int32Array.of(0), 7), {
    same: Int32Array.of(0),
    rand: Int32Array.of(-1),
  });
});

test('compositions pixel by pixel: foreground and background change places, and no foreground is lent', () => {
  // Two pictures of two pixels: in each the first is foreground.
  const own = { pixels: Uint8Array.of(10, 11, 12, 20, 21, 22), mask: Uint8Array.of(0, 255) };
  const other = { pixels: Uint8Array.of(30, 31, 32, 40, 41, 42), mask: Uint8Array.of(0, 255) };
  const fill = [7, 8, 9] as const;
  const made = (composition: Composition, partner = other) => [...compose(composition, own, partner, fill)];
  assert.deepEqual(made('original'), [10, 11, 12, 20, 21, 22]);
  assert.deepEqual(made('no-fg'), [7, 8, 9, 20, 21, 22]);
  assert.deepEqual(made('only-fg'), [10, 11, 12, 7, 8, 9]);
  assert.deepEqual(made('mixed-rand'), [10, 11, 12, 40, 41, 42]);
  const turned = { ...other, mask: Uint8Array.of(255, 0) };
  assert.deepEqual(made('mixed-same', turned), [10, 11, 12, 7, 8, 9]);
  assert.throws(() => compose('mixed-same', own, null, fill), /needs another/);
});

test('the file comes back as it was written, and gives the masks that the pictures were taken apart by', async () => {
  const blobs = new BlobStore(temporaryFolder());
  const random = Random.stream(1, 'file');
  const reviewed = { width: 4, height: 4, data: Uint8Array.from({ length: 16 }, (_, i) => 16 * i) };
  const blob = blobs.put(await encodeGrey(reviewed));
  const labels = Int32Array.from([0, 1, 1]);
  const { probability, right } = answers([...labels], () => random.uniform() < 0.5);
  const file = {
    recipe: {
      inputSize: 4,
      enlarge: 1,
      fill: [1, 2, 3] as [number, number, number],
      threshold: 0.2,
      reviewed: { 12: blob },
    },
    imageIds: Int32Array.from([11, 12, 13, 14]),
    labels,
    partners: { same: Int32Array.of(3, -1, -1), rand: Int32Array.of(-1, 3, 3) },
    heads: { uniform: { probability, right }, balanced: null, mean: null },
    // No evidence at all, some that is never used, and evidence everywhere.
    saliency: { width: 1, height: 1, data: Uint8Array.of(0, 9, 255, 40) },
  };
  const bytes = Buffer.concat(encodeReliance(file));
  const read = decodeReliance(bytes, 'it');
  assert.deepEqual(read, file);
  const masks = await Promise.all([0, 1, 2].map((index) => maskOf(read, index, blobs)));
  assert.deepEqual(masks, [new Uint8Array(16).fill(255), reviewed.data, new Uint8Array(16)]);
  assert.throws(() => decodeReliance(bytes.subarray(0, 60), 'it'), /it is not a whole/);
});
