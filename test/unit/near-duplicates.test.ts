import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { ProgressMeter, type Progress } from '../../core/base/progress.ts';
import { UserError } from '../../core/base/errors.ts';
import { DisjointSets, SpanningForest, type Link } from '../../core/near/forest.ts';
import { nearGroups } from '../../core/near/near-groups.ts';
import { nearLinks, type Rows } from '../../core/near/neighbours.ts';
import { describePixels, PIXEL_EVEN, PIXEL_SIDE, PIXEL_WIDTH } from '../../core/near/pixel-descriptor.ts';
import { VectorFile } from '../../core/near/vector-file.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { Split } from '../../core/storage/records.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { scenePixels } from '../fixtures/near-copies.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

before(() => void startTestEngine());

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Groups that all links of at least a cosine make, by asking each pair. */
function groupsOf(links: readonly Link[], count: number, from: number): string {
  const sets = new DisjointSets(count);
  for (const { a, b, cosine } of links) if (cosine >= from) sets.join(a, b);
  return Array.from({ length: count }, (_, i) => sets.rootOf(i)).join(' ');
}

test('a forest says at every threshold what all links say, however few it holds at a time', () => {
  const random = Random.stream(1, 'links');
  const count = 40;
  for (const mostWaiting of [1, 30, 10_000]) {
    const forest = new SpanningForest(count, mostWaiting);
    const all: Link[] = [];
    for (let a = 0; a < count; a++) {
      for (let b = a + 1; b < count; b++) {
        // Few different values, so that many are equal.
        const link = { a, b, cosine: random.below(20) / 20 };
        if (random.uniform() < 0.3) all.push(link);
      }
    }
    for (const link of random.shuffle(all)) forest.offer(link);
    const kept = forest.links();
    assert.ok(kept.length < count, `${kept.length}`);
    for (let from = 0; from <= 1; from += 0.05) assert.equal(groupsOf(kept, count, from), groupsOf(all, count, from));
  }
});

test('links are those of all pairs in blocks of any size; with odd numbers, of mirror images too', async () => {
  const random = Random.stream(2, 'rows');
  const [count, width, even] = [23, 6, 4];
  const values = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const row = Float32Array.from({ length: width }, () => random.normal());
    const length = Math.sqrt(dot(row, row));
    values.set(
      row.map((value) => value / length),
      i * width,
    );
  }
  const row = (i: number): Float32Array => values.subarray(i * width, (i + 1) * width);
  const part = (a: number, b: number, from: number, to: number): number =>
    dot(row(a).subarray(from, to), row(b).subarray(from, to));
  for (const mirror of [false, true]) {
    const rows: Rows = {
      count,
      width,
      even: mirror ? even : width,
      read: (start, end) => values.slice(start * width, end * width),
    };
    const all: Link[] = [];
    for (let a = 0; a < count; a++) {
      for (let b = a + 1; b < count; b++) {
        const odd = part(a, b, even, width);
        const cosine = part(a, b, 0, even) + (mirror ? Math.abs(odd) : odd);
        if (cosine >= 0.5) all.push({ a, b, cosine });
      }
    }
    for (const block of [4, 100]) {
      const events: Progress[] = [];
      const options = { stage: 'Comparing', unit: 'pairs', total: null };
      const meter = new ProgressMeter((event) => events.push(event), options);
      const links = await nearLinks(rows, 0.5, meter, new AbortController().signal, block);
      assert.equal(meter.done, (count * (count - 1)) / 2);
      for (const from of [0.5, 0.7, 0.9]) assert.equal(groupsOf(links, count, from), groupsOf(all, count, from));
      for (const { a, b, cosine } of links) {
        const told = all.find((link) => link.a === a && link.b === b);
        assert.ok(told && Math.abs(told.cosine - cosine) < 1e-5, `${a} ${b}`);
      }
    }
    const meter = new ProgressMeter(() => {}, { stage: '', unit: '', total: null });
    await assert.rejects(nearLinks(rows, 0.5, meter, AbortSignal.abort(), 4), { code: 'cancelled' });
  }
});

const member = (hash: string, id: number, split: Split = 'train', classId = 1) => ({ hash, id, classId, split });

test('groups are made of contents; what is excluded still joins others, and equal bytes alone are no group', () => {
  const links = [
    { a: 'a', b: 'b', cosine: 0.95 },
    { a: 'b', b: 'c', cosine: 0.9 },
    { a: 'd', b: 'e', cosine: 0.99 },
    { a: 'f', b: 'g', cosine: 1 },
  ];
  // No image has content b any more; d is there twice, e not at all.
  const members = [
    member('c', 1),
    member('d', 2),
    member('d', 3, 'test', 2),
    member('g', 4),
    member('a', 5, 'test'),
    member('f', 6),
    member('f', 7, 'train', 2),
  ];
  assert.deepEqual(nearGroups(links, members), [
    { hash: 'c', imageIds: [1, 5], leak: true, conflict: false, weakest: 0.9 },
    { hash: 'g', imageIds: [4, 6, 7], leak: false, conflict: true, weakest: 1 },
  ]);
  assert.deepEqual(nearGroups([], []), []);
});

test('a description by pixels does not mind light; a mirror changes the sign of its last numbers and nothing else', () => {
  const { data } = scenePixels(1, PIXEL_SIDE, PIXEL_SIDE);
  const own = describePixels(data);
  assert.equal(own.length, PIXEL_WIDTH);
  assert.ok(Math.abs(dot(own, own) - 1) < 1e-6);
  const darker = describePixels(data.map((value) => 0.5 * value));
  assert.ok(dot(own, darker) > 0.999);
  const mirrored = new Uint8Array(data.length);
  for (let i = 0; i < PIXEL_SIDE * PIXEL_SIDE; i++) {
    const [x, y] = [i % PIXEL_SIDE, Math.floor(i / PIXEL_SIDE)];
    mirrored.set(data.subarray(3 * i, 3 * i + 3), 3 * (y * PIXEL_SIDE + PIXEL_SIDE - 1 - x));
  }
  const other = describePixels(mirrored);
  for (const [i, value] of own.entries()) {
    assert.ok(Math.abs(other[i] - (i < PIXEL_EVEN ? value : -value)) < 1e-6, `number ${i}`);
  }
  assert.ok(dot(own, describePixels(scenePixels(2, PIXEL_SIDE, PIXEL_SIDE).data)) < 0.8);
  assert.deepEqual(describePixels(new Uint8Array(data.length).fill(200)), new Float32Array(PIXEL_WIDTH));
});

test('descriptions are found again by content; damage and half a record are as if they were never there', () => {
  const path = join(temporaryFolder(), 'packed', 'a.vectors');
  const key = sha256('key');
  const hashes = ['x', 'y', 'z'].map((text) => sha256(text));
  const vectors = Float32Array.from({ length: 6 }, (_, i) => i / 3);
  const using = (work: (file: VectorFile) => void, itsKey = key): void => {
    const file = new VectorFile(path, itsKey, 2);
    work(file);
    file[Symbol.dispose]();
  };
  using((file) => {
    file.append(hashes, vectors);
    assert.deepEqual(
      file.read([hashes[2], hashes[0]]),
      Float32Array.of(vectors[4], vectors[5], vectors[0], vectors[1]),
    );
  });
  const size = statSync(path).size;
  appendFileSync(path, 'half a record');
  using((file) => assert.deepEqual(file.read(hashes), vectors));
  const bytes = readFileSync(path);
  bytes[bytes.length - 13 - 10] ^= 1;
  writeFileSync(path, bytes);
  using((file) => {
    assert.deepEqual(
      hashes.map((hash) => file.has(hash)),
      [true, true, false],
    );
    file.append([hashes[2]], vectors.slice(4));
    assert.deepEqual(file.read(hashes), vectors);
    truncateSync(path, size - 40);
    assert.throws(
      () => file.read(hashes),
      (error) => error instanceof UserError && error.code === 'damaged',
    );
  });
  using((file) => assert.ok(!file.has(hashes[0])), sha256('another key'));
});
