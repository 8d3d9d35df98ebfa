/** Batches that are made ahead of time: in order, repeatable, and the state is that of what was handed out. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import sharp from 'sharp';
import { UserError } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import type { DatasetSnapshot } from '../../core/data/snapshot.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { FilePictures } from '../../core/training/file-pictures.ts';
import { openPictures } from '../../core/training/open-pictures.ts';
import { PackedPictures, selectPictures, type Pictures } from '../../core/training/pictures.ts';
import { augmentFor } from '../../core/training/presets.ts';
import { ClassAwareSampler, UniformSampler } from '../../core/training/samplers.ts';
import { Stream, type StreamBatch } from '../../core/training/stream.ts';
import { patternPixels, rgbPng } from '../fixtures/images.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const SIZE = 16;
const COUNT = 10;
const LABELS = Int32Array.from({ length: COUNT }, (_, i) => i % 3);

/** Ten pictures, JPEG and PNG, larger than they are shown, and the snapshot of them. */
async function photos(): Promise<{ root: string; snapshot: DatasetSnapshot }> {
  const root = temporaryFolder();
  mkdirSync(join(root, 'a'));
  const images = await Promise.all(
    Array.from({ length: COUNT }, async (_, i) => {
      const pixels = patternPixels(40 + i, 30, i);
      const raw = { width: pixels.width, height: pixels.height, channels: 3 } as const;
      const jpeg = i % 2 === 0;
      const bytes = jpeg ? await sharp(pixels.data, { raw }).jpeg().toBuffer() : rgbPng(pixels);
      const path = `a/${i}.${jpeg ? 'jpg' : 'png'}`;
      writeFileSync(join(root, path), bytes);
      const { width, height } = pixels;
      const image = { id: i + 1, root: 0, path, hash: sha256(bytes), size: bytes.length, width, height };
      return { ...image, orientation: 1, label: LABELS[i], split: 'train' as const };
    }),
  );
  const roots = [{ kind: 'folder' as const, path: root }];
  const classes = ['a', 'b', 'c'];
  return { root, snapshot: { version: 1, classes, classIds: [1, 2, 3], roots, images, evaluation: null } };
}

const AUGMENT = augmentFor(128);
const augmentation = (): Random => Random.stream(1, 'augmentation');
const ALL = Array.from({ length: COUNT }, (_, i) => i);
const filePictures = (snapshot: DatasetSnapshot, threads: number): FilePictures =>
  new FilePictures({ snapshot, indices: ALL, size: SIZE, augment: AUGMENT, enlarge: 256 / 224, threads });

function uniformStream(pictures: Pictures): Stream {
  return new Stream({
    pictures,
    labels: LABELS,
    batchSize: 4,
    makeSampler: () => new UniformSampler(Random.stream(1, 'order'), COUNT),
    random: augmentation(),
  });
}

const refused = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === code && message.test(error.message);

async function take(stream: Stream, batches: number): Promise<StreamBatch[]> {
  const taken: StreamBatch[] = [];
  for (let i = 0; i < batches; i++) taken.push(await stream.next());
  return taken;
}

test('what a batch holds does not depend on how many threads make it, nor on which is ready first', async () => {
  const { snapshot } = await photos();
  await using one = filePictures(snapshot, 1);
  await using three = filePictures(snapshot, 3);
  // Odd batches are made at once, even ones late; none is made ahead.
  let asked = 0;
  const uneven: Pictures = {
    ...selectPictures(one, ALL),
    ahead: 0,
    augmented: async (indices, random) => {
      const made = one.augmented(indices, random);
      if (asked++ % 2 === 0) await wait(20);
      return made;
    },
  };
  const [a, b, c] = await Promise.all([one, three, uneven].map((pictures) => take(uniformStream(pictures), 7)));
  assert.deepEqual(b, a);
  assert.deepEqual(c, a);
  for (const { indices, labels, pixels } of a) {
    assert.deepEqual(
      labels,
      indices.map((index) => LABELS[index]),
    );
    assert.equal(pixels.length, 4 * SIZE * SIZE * 3);
  }
  assert.notDeepEqual(a[0].pixels, a[1].pixels);
});

test('a stream goes on from its state after any batch, however far ahead batches were made', async () => {
  const { snapshot } = await photos();
  await using pictures = filePictures(snapshot, 2);
  const makers = [
    () => new UniformSampler(Random.stream(1, 'order'), COUNT),
    () => new ClassAwareSampler(Random.stream(1, 'order'), LABELS, 3),
  ];
  for (const makeSampler of makers) {
    const make = (): Stream =>
      new Stream({ pictures, labels: LABELS, batchSize: 4, makeSampler, random: augmentation() });
    const whole = await take(make(), 8);
    for (const at of [0, 1, 3, 6]) {
      const before = make();
      await take(before, at);
      // As a checkpoint keeps it.
      const state = JSON.parse(JSON.stringify(before.state)) as Stream['state'];
      const after = make();
      // Wherever the other one stands.
      await take(after, 2);
      after.restore(state);
      assert.deepEqual(await take(after, 8 - at), whole.slice(at), `after ${at} batches`);
    }
  }
});

test('plain pictures are the same from a pack and from files, for every kind of crop', async () => {
  const { snapshot } = await photos();
  const port = { emit: () => {}, signal: new AbortController().signal };
  for (const augment of [augmentFor(32), augmentFor(128)]) {
    const config = { inputSize: SIZE, augment };
    const cache = temporaryFolder();
    await using packed = await openPictures(snapshot, ALL, config, 'evaluate', cache, port);
    await using files = await openPictures(snapshot, ALL, config, 'evaluate', cache, port, { mostPacked: 0 });
    assert.ok(packed instanceof PackedPictures && files instanceof FilePictures);
    const indices = Int32Array.of(3, 0, 9);
    assert.deepEqual(await files.plain(indices), await packed.plain(indices));
    await using training = await openPictures(snapshot, ALL, config, 'train', cache, port);
    assert.equal(training instanceof FilePictures, augment.crop === 'resized');
    if (training instanceof FilePictures) continue;
    assert.deepEqual(await files.augmented(indices, augmentation()), await training.augmented(indices, augmentation()));
  }
});

test('a file that has gone, changed or cannot be decoded is named, when its batch is due and not before', async () => {
  const { snapshot, root } = await photos();
  const broken = rgbPng(patternPixels(20, 20, 1)).subarray(0, 90);
  writeFileSync(join(root, 'a/5.png'), broken);
  snapshot.images[5].hash = sha256(broken);
  writeFileSync(join(root, 'a/3.png'), rgbPng(patternPixels(20, 20, 2)));
  rmSync(join(root, 'a/0.jpg'));
  await using pictures = filePictures(snapshot, 2);
  const cases = [
    [0, 'not-found', /Cannot read .*a\/0\.jpg/],
    [3, 'changed', /a\/3\.png is not the file that was imported/],
    [5, 'damaged', /a\/5\.png: .*Exclude it/],
  ] as const;
  for (const [index, code, message] of cases) {
    await assert.rejects(pictures.plain(Int32Array.of(1, index)), refused(code, message));
  }
  assert.equal((await pictures.plain(Int32Array.of(1))).length, SIZE * SIZE * 3, 'the others are still read');
  // Sampled in order: the bad ones come up within the first pass.
  const stream = uniformStream(pictures);
  await assert.rejects(take(stream, 3), UserError);
});
