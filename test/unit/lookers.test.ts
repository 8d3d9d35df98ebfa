/** Threads find in files what one thread finds. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Look, LookOrder } from '../../core/data/look.ts';
import { LocalLooker, ThreadedLooker } from '../../core/data/lookers.ts';
import { FileReader, type FilesOf } from '../../core/data/sources/file-reader.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import {
  animation,
  encoded,
  patternPixels,
  quarterPixels,
  rgbBmp,
  rgbPng,
  tiffPages,
  turnedFile,
} from '../fixtures/images.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const pixels = patternPixels(30, 20);

/** A folder of everything that can be met. */
async function zoo(): Promise<{ root: string; orders: LookOrder[]; jpeg: Buffer }> {
  const root = temporaryFolder();
  const jpeg = await encoded(pixels, 'jpeg');
  const files = {
    'a.jpg': jpeg,
    'b.png': rgbPng(pixels),
    'c.webp': await encoded(pixels, 'webp'),
    'd.gif': await animation('gif', [pixels, patternPixels(30, 20, 2)]),
    'e.tif': tiffPages([pixels]),
    'f.bmp': rgbBmp(pixels),
    'g.jpg': await turnedFile(quarterPixels(30, 20), 6, 'jpeg'),
    'h.jpg': rgbPng(pixels),
    'i.jpg': jpeg.subarray(0, 300),
    'j.png': '',
    'k.txt': 'words',
    bare: rgbPng(pixels),
    'm.jpg': 'no picture',
    'caf\u00e9.png': rgbPng(pixels),
  };
  writeTree(root, files);
  mkdirSync(join(root, 'folder.png'));
  const orders = [...Object.keys(files), 'folder.png', 'gone.png', 'cafe\u0301.png'].map((path) => ({
    file: { path },
  }));
  return { root, orders, jpeg };
}

/** What libvips says in brackets goes: all threads of a process write to one buffer, and now and then one takes another's. */
function inOurWords(look: Look): Look {
  if (look.type !== 'refused') return look;
  const { problem } = look;
  return { ...look, problem: { ...problem, reason: problem.reason.replace(/ \(.*\)/, '') } };
}

async function bothWays(source: FilesOf, orders: LookOrder[]): Promise<Look[]> {
  const threads = new ThreadedLooker(source, 2000);
  try {
    const here = await new LocalLooker(new FileReader(source)).look(orders);
    const expected = here.map(inOurWords);
    const batches = await Promise.all(Array.from({ length: 12 }, () => threads.look(orders)));
    for (const batch of batches) assert.deepEqual(batch.map(inOurWords), expected);
    return here;
  } finally {
    await threads.close();
  }
}

test('a folder: the same facts, notes and problems, in the same order', async () => {
  const { root, orders, jpeg } = await zoo();
  const looks = await bothWays({ kind: 'folder', path: root }, orders);
  const told = looks.map((look) => (look.type === 'refused' ? look.problem.kind : look.type));
  assert.deepEqual(
    told.slice(0, 8),
    Array.from({ length: 8 }, () => 'picture'),
  );
  const rest = ['damaged', 'empty-file', 'not-an-image', 'picture', 'damaged', 'picture', 'unreadable'];
  assert.deepEqual(told.slice(8), [...rest, 'unreadable', 'unreadable']);
  const [first] = looks;
  assert.ok(first.type === 'picture');
  const { mtimeMs, ...facts } = first.facts;
  const size = { size: jpeg.length, width: 30, height: 20 };
  assert.deepEqual(facts, { ...size, hash: sha256(jpeg), format: 'jpeg', orientation: 1 });
  const known = { size: jpeg.length, mtimeMs };
  const again = await bothWays({ kind: 'folder', path: root }, [{ file: { path: 'a.jpg' }, known }]);
  assert.deepEqual(again, [{ type: 'as-known' }]);
});

test('a CSV file: paths from where it lies or from the root, in either Unicode form', async () => {
  const { root, jpeg } = await zoo();
  const paths = ['a.jpg', join(root, 'b.png'), 'cafe\u0301.png', 'gone.png'];
  const looks = await bothWays(
    { kind: 'csv', path: join(root, 'list.csv') },
    paths.map((path) => ({ file: { path } })),
  );
  assert.deepEqual(
    looks.map(({ type }) => type),
    ['picture', 'picture', 'picture', 'refused'],
  );
  assert.ok(looks[0].type === 'picture' && looks[0].facts.hash === sha256(jpeg));
});

test('stopped threads look at nothing more', async () => {
  const { root, orders } = await zoo();
  const threads = new ThreadedLooker({ kind: 'folder', path: root }, 2000);
  threads.stop();
  assert.deepEqual(await threads.look(orders), []);
  await threads.close();
});
