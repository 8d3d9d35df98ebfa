import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { heldOutProbabilities } from '../../core/contexts/held-out.ts';
import type { DatasetSnapshot } from '../../core/data/snapshot.ts';
import { Network } from '../../core/models/network.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { logitsOf } from '../../core/training/evaluate.ts';
import { Evaluator } from '../../core/training/evaluator.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { PackedPictures } from '../../core/training/pictures.ts';
import { normalisationOf } from '../../core/training/preprocessing.ts';
import { Trainer } from '../../core/training/trainer.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { rgbPng } from '../fixtures/images.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { TINY } from '../fixtures/training.ts';

const CLASSES = 4;
const IMAGES = 20;
const SIZE = 32;
const CONFIG = makeConfig('ce', 'small', SIZE, {
  ...TINY,
  epochs: 2,
  augment: { pad: 0, flip: false },
});

before(() => {
  startTestEngine();
});

/** Noise with labels that mean nothing: who knows an answer has seen it. */
function noise(): { snapshot: DatasetSnapshot; pixels: Uint8Array[]; labels: Int32Array } {
  const root = temporaryFolder();
  mkdirSync(join(root, 'x'));
  const random = Random.stream(1, 'noise');
  const labels = Int32Array.from({ length: IMAGES }, (_, i) => i % CLASSES);
  const pixels = Array.from({ length: IMAGES }, () =>
    Uint8Array.from({ length: SIZE * SIZE * 3 }, () => random.below(256)),
  );
  const images = pixels.map((data, i) => {
    const bytes = rgbPng({ width: SIZE, height: SIZE, data });
    const path = `x/${i}.png`;
    writeFileSync(join(root, path), bytes);
    return {
      id: 100 + i,
      root: 0,
      path,
      hash: sha256(bytes),
      size: bytes.length,
      width: SIZE,
      height: SIZE,
      orientation: 1,
      label: labels[i],
      // The last ones belong to the test split and must not be judged.
      split: i < IMAGES - CLASSES ? ('train' as const) : ('test' as const),
    };
  });
  const classes = ['a', 'b', 'c', 'd'];
  const roots = [{ kind: 'folder' as const, path: root }];
  return {
    snapshot: { version: 1, classes, classIds: [1, 2, 3, 4], roots, images, evaluation: null },
    pixels,
    labels,
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('every training image is judged by a model that has not seen it', async () => {
  const { snapshot, pixels, labels } = noise();
  const cache = temporaryFolder();
  const port = { emit: () => {}, signal: new AbortController().signal };
  const held = await heldOutProbabilities(snapshot, CONFIG, 2, cache, port);
  const trained = IMAGES - CLASSES;
  assert.deepEqual(
    [...held.keys()].toSorted((a, b) => a - b),
    Array.from({ length: trained }, (_, i) => 100 + i),
  );
  assert.ok([...held.values()].every((p) => p >= 0 && p <= 1));
  const unseen = meanOf([...held.values()]);

  // The same training with all of them: it learns the noise by heart.
  const network = new Network(CONFIG.model, CLASSES);
  const pictures = new PackedPictures(
    { count: trained, size: SIZE, read: (index: number) => pixels[index] },
    CONFIG.augment,
  );
  const admitted = Array.from({ length: CLASSES }, () => true);
  const trainer = new Trainer({
    config: CONFIG,
    network,
    pictures,
    labels: labels.subarray(0, trained),
    admitted,
    curated: null,
  });
  for (; !trainer.finished; trainer.endEpoch()) {
    trainer.beginEpoch();
    while (trainer.step < trainer.stepsPerEpoch) await trainer.runStep();
  }
  using evaluator = new Evaluator(network);
  const { uniform } = await logitsOf(evaluator, trainer.state, pictures, normalisationOf(CONFIG), async () => {});
  const seen = meanOf(
    pixels.slice(0, trained).map((_, i) => {
      const row = [...uniform.subarray(i * CLASSES, (i + 1) * CLASSES)].map(Math.exp);
      return row[labels[i]] / row.reduce((sum, value) => sum + value, 0);
    }),
  );
  assert.ok(seen > 0.8 && unseen < 0.5, `${seen} when seen, ${unseen} when not; chance is ${1 / CLASSES}`);
});

test('folds of a frozen backbone: pictures go through it once, and the heads of a fold have not seen it', async () => {
  const { snapshot } = noise();
  const cache = temporaryFolder();
  const stages: string[] = [];
  const port = {
    emit: (event: { type: string; stage?: string }) => void stages.push(event.stage ?? ''),
    signal: new AbortController().signal,
  };
  // The noise is told apart by its features, so heads that had seen a fold would know its labels.
  const config = {
    ...CONFIG,
    learningRate: 0.5,
    epochs: 10,
    tune: { stages: 0, rate: 1, batchNorm: 'batch' as const },
  };
  const held = await heldOutProbabilities(snapshot, config, 2, cache, port);
  assert.equal(held.size, IMAGES - CLASSES);
  const unseen = meanOf([...held.values()]);
  assert.ok(unseen < 0.6, `${unseen} when not seen; chance is ${1 / CLASSES}`);
  const kept = readdirSync(join(cache, 'packed')).filter((name) => name.endsWith('.features'));
  assert.equal(kept.length, 1, 'one pack serves all folds');
  const looks = new Set(stages.filter((stage) => stage.startsWith('Looking at pictures')));
  assert.equal(looks.size, 1);
  // The same again: nothing is looked at, and the digits are the same.
  stages.length = 0;
  assert.deepEqual(await heldOutProbabilities(snapshot, config, 2, cache, port), held);
  assert.ok(!stages.some((stage) => stage.startsWith('Looking at pictures')));
});

test('a cancel is obeyed between two steps', async () => {
  const { snapshot } = noise();
  const stop = new AbortController();
  let steps = 0;
  const emit = (event: { type: string }): void => {
    if ('unit' in event && event.unit === 'steps') steps++;
    if (steps > 0) stop.abort();
  };
  await assert.rejects(heldOutProbabilities(snapshot, CONFIG, 2, temporaryFolder(), { emit, signal: stop.signal }), {
    code: 'cancelled',
  });
  assert.equal(steps, 1);
});
