/** The import job by itself: a zoo of files, layouts, cancel, memory. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { UserError } from '../../core/base/errors.ts';
import type { Progress } from '../../core/base/progress.ts';
import { importJob, type ImportEvent, type ImportResult, type ImportSpec } from '../../core/data/import-job.ts';
import type { FoundImage } from '../../core/data/scan.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { NewProblem } from '../../core/storage/records.ts';
import {
  animation,
  encoded,
  patternPixels,
  quarterPixels,
  rgbBmp,
  rgbPng,
  tiffPages,
  tinyPng,
  turnedFile,
} from '../fixtures/images.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { zipFile } from '../fixtures/zip-file.ts';

interface Outcome {
  result: ImportResult;
  images: FoundImage[];
  problems: NewProblem[];
  progress: Progress[];
  lost: { missing: number[]; changed: number[] };
}

const specOf = (path: string, extra: Partial<ImportSpec> = {}): ImportSpec => ({
  kind: path.endsWith('.zip') ? 'zip' : path.endsWith('.csv') ? 'csv' : 'folder',
  path,
  layout: 'auto',
  decided: null,
  exclude: [],
  knownFile: null,
  ...extra,
});

async function run(path: string, extra: Partial<ImportSpec> = {}): Promise<Outcome> {
  const outcome: Omit<Outcome, 'result'> = {
    images: [],
    problems: [],
    progress: [],
    lost: { missing: [], changed: [] },
  };
  const emit = (event: ImportEvent): void => {
    if (event.type === 'images') outcome.images.push(...event.images);
    else if (event.type === 'problems') outcome.problems.push(...event.problems);
    else if (event.type === 'progress') outcome.progress.push(event);
    else if (event.type === 'lost') outcome.lost = event;
  };
  const result = await importJob(specOf(path, extra), {
    emit,
    signal: new AbortController().signal,
    drained: () => Promise.resolve(),
  });
  return { ...outcome, result };
}

/** "kind path" of each problem, sorted. */
const listed = (problems: readonly NewProblem[]): string[] =>
  problems.map(({ kind, path }) => `${kind} ${path}`).toSorted();
/** Images as "path class split". */
const placed = (images: readonly FoundImage[]): string[] =>
  images.map(({ path, className, split }) => `${path} ${className} ${split}`);

/** Enough pictures that a class is not listed as small. */
function fill(root: string, folder: string, count = 5, first = 0): void {
  for (let i = first; i < first + count; i++) writeTree(root, { [`${folder}/${i}.png`]: tinyPng(i) });
}

test('a zoo of files: what is a picture is used, everything else is listed with its reason', async () => {
  const root = temporaryFolder();
  const pixels = patternPixels(30, 20);
  const frames = [1, 2].map((seed) => patternPixels(12, 9, seed));
  const photo = await sharp({ create: { width: 5472, height: 3648, channels: 3, background: '#678' } })
    .jpeg()
    .toBuffer();
  const jpeg = await encoded(pixels, 'jpeg');
  writeTree(root, {
    'zoo/01 jpeg.JPG': jpeg,
    'zoo/02 png.png': rgbPng(pixels),
    'zoo/03 webp.webp': await encoded(pixels, 'webp'),
    'zoo/04 gif.gif': await animation('gif', frames),
    'zoo/05 tiff.tif': tiffPages([pixels, pixels]),
    'zoo/06 bmp.bmp': rgbBmp(pixels),
    'zoo/07 exif.jpg': await turnedFile(quarterPixels(30, 20), 6, 'jpeg'),
    'zoo/08 photo.jpg': photo,
    'zoo/09 wrong.jpg': rgbPng(patternPixels(30, 20, 9)),
    'zoo/10 bare': rgbPng(patternPixels(30, 20, 10)),
    'zoo/11 text.txt': rgbPng(patternPixels(30, 20, 11)),
    'zoo/20 cut.jpg': jpeg.subarray(0, jpeg.length - 20),
    'zoo/21 cut.png': rgbPng(pixels).subarray(0, 100),
    'zoo/22 empty.png': '',
    'zoo/23 words.jpg': 'not a picture at all',
    'zoo/24 phone.heic': '\0\0\0\x18ftypheic',
    'zoo/25 drawing.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'zoo/26 notes.txt': 'notes',
    'zoo/27 nothing.txt': '',
    'zoo/28 lies.png': '\0\0\0\x18ftypavif',
    'zoo/.hidden.png': rgbPng(pixels),
    'zoo/Thumbs.db': 'x',
    'stray.png': rgbPng(pixels),
    'readme.md': 'read me',
    'hollow/deep/nothing.txt': 'x',
    'void/': '',
  });
  const { result, images, problems } = await run(root);
  assert.deepEqual(
    images.map(({ path, format, width, height, orientation }) => [
      path.slice(4, 6),
      format,
      width,
      height,
      orientation,
    ]),
    [
      ['01', 'jpeg', 30, 20, 1],
      ['02', 'png', 30, 20, 1],
      ['03', 'webp', 30, 20, 1],
      ['04', 'gif', 12, 9, 1],
      ['05', 'tiff', 30, 20, 1],
      ['06', 'bmp', 30, 20, 1],
      ['07', 'jpeg', 30, 20, 6],
      ['08', 'jpeg', 5472, 3648, 1],
      ['09', 'png', 30, 20, 1],
      ['10', 'png', 30, 20, 1],
      ['11', 'png', 30, 20, 1],
    ],
  );
  assert.equal(images[0].hash, sha256(jpeg));
  assert.equal(images[0].size, jpeg.length);
  assert.deepEqual(listed(problems), [
    'damaged zoo/20 cut.jpg',
    'damaged zoo/21 cut.png',
    'damaged zoo/23 words.jpg',
    'empty-class hollow',
    'empty-class void',
    'empty-file zoo/22 empty.png',
    'first-frame zoo/04 gif.gif',
    'first-frame zoo/05 tiff.tif',
    'hidden-file zoo/.hidden.png',
    'misleading-ending zoo/09 wrong.jpg',
    'misleading-ending zoo/11 text.txt',
    'no-class stray.png',
    'not-an-image hollow/deep/nothing.txt',
    'not-an-image readme.md',
    'not-an-image zoo/26 notes.txt',
    'not-an-image zoo/27 nothing.txt',
    'system-file zoo/Thumbs.db',
    'unsupported-format zoo/24 phone.heic',
    'unsupported-format zoo/25 drawing.svg',
    'unsupported-format zoo/28 lies.png',
  ]);
  assert.ok(
    problems.every(({ reason }) => /^[A-Z].*\.$/s.test(reason)),
    'each reason is a sentence',
  );
  assert.deepEqual(result, {
    layout: 'class',
    prefix: '',
    files: 23,
    images: 11,
    added: 11,
    unchanged: 0,
    changed: 0,
    missing: 0,
    classes: 1,
  });
});

test('a class called train is a class; split folders are splits', async () => {
  const flat = temporaryFolder();
  for (const name of ['train', 'bus', 'apple']) fill(flat, name);
  const classes = await run(flat);
  assert.equal(classes.result.layout, 'class');
  assert.deepEqual([...new Set(classes.images.map(({ className }) => className))], ['apple', 'bus', 'train']);
  assert.deepEqual(classes.problems, []);

  const root = temporaryFolder();
  for (const name of ['train/train', 'train/bus', 'test/train', 'val/birds/owl']) fill(root, name, 5);
  const splits = await run(root);
  assert.equal(splits.result.layout, 'split-class');
  assert.deepEqual(placed(splits.images.filter(({ path }) => path.endsWith('/0.png'))), [
    'test/train/0.png train test',
    'train/bus/0.png bus train',
    'train/train/0.png train train',
    'val/birds/owl/0.png birds/owl val',
  ]);
  assert.deepEqual(listed(splits.problems), ['nested-classes ', 'no-training-images birds/owl']);

  const forced = await run(root, { layout: 'class' });
  assert.deepEqual(placed(forced.images)[0], 'test/train/0.png test/train null');
});

test('small classes, names that differ by case, both Unicode forms', async () => {
  const root = temporaryFolder();
  fill(root, 'Cat');
  fill(root, 'cat', 4);
  fill(root, 'caf\u00e9', 3);
  fill(root, 'cafe\u0301', 3, 3);
  const { images, problems, result } = await run(root);
  assert.equal(result.classes, 3);
  assert.equal(images.filter(({ className }) => className === 'caf\u00e9').length, 6);
  assert.deepEqual(listed(problems), ['case-twins Cat', 'few-images cat', 'unicode-name caf\u00e9']);
  const [path] = images.filter(({ path: p }) => p.startsWith('cafe\u0301'));
  assert.ok(path, 'the path keeps the form it has on disk');
});

test('names that are not UTF-8', { skip: process.platform !== 'linux' }, async () => {
  const root = temporaryFolder();
  for (const byte of [0xe9, 0xe8]) {
    const folder = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([byte])]);
    mkdirSync(folder);
    for (let i = 0; i < 5; i++) writeFileSync(Buffer.concat([folder, Buffer.from(`/${i}.png`)]), tinyPng(byte + i));
  }
  const { images, result } = await run(root);
  assert.equal(result.classes, 2);
  assert.deepEqual([images[0].className, images[5].className], ['caf\\xE8', 'caf\\xE9']);
  assert.deepEqual(Buffer.from(images[0].pathBytes!, 'base64'), Buffer.from('caf\xe8/0.png', 'latin1'));
});

test('a loop of links ends and is listed', { skip: process.platform === 'win32' }, async () => {
  const root = temporaryFolder();
  fill(root, 'cat');
  symlinkSync('..', join(root, 'cat', 'loop'));
  symlinkSync('none.png', join(root, 'cat', 'dangling.png'));
  const { images, problems } = await run(root);
  assert.equal(images.length, 5);
  assert.deepEqual(listed(problems), ['link-loop cat/loop', 'unreadable cat/dangling.png']);
});

test('a zip file with a folder around everything', async () => {
  const root = temporaryFolder();
  const path = join(root, 'set.zip');
  const names = ['train/cat', 'train/dog', 'test/cat'];
  const entries = names.flatMap((name) =>
    Array.from({ length: 5 }, (_, i) => ({ name: `set-1.0/${name}/${i}.png`, data: tinyPng(i) })),
  );
  writeFileSync(
    path,
    zipFile([
      { name: 'set-1.0/' },
      ...entries,
      { name: 'set-1.0/train/cat/bad.png', data: tinyPng(1), wrongChecksum: true },
      { name: '__MACOSX/set-1.0/._x' },
    ]),
  );
  const { images, problems, result } = await run(path);
  assert.deepEqual([result.layout, result.prefix, result.images], ['split-class', 'set-1.0', 15]);
  assert.deepEqual(placed(images)[0], 'set-1.0/test/cat/0.png cat test');
  assert.deepEqual(listed(problems), ['system-file __MACOSX', 'unreadable set-1.0/train/cat/bad.png']);
});

test('a CSV file says class and split; its order stays', async () => {
  const root = temporaryFolder();
  fill(root, 'all', 6);
  const elsewhere = temporaryFolder();
  fill(elsewhere, 'x', 1, 50);
  const lines = ['path,label,split'];
  for (const i of [3, 1, 2, 0, 4]) lines.push(`all/${i}.png,cat,train`);
  lines.push(`all/5.png,dog,test`, `all/6.png,dog,test`, `${join(elsewhere, 'x/50.png')},dog,test`);
  writeFileSync(join(root, 'list.csv'), lines.join('\n'));
  const { images, problems, result } = await run(join(root, 'list.csv'));
  assert.deepEqual(placed(images), [
    ...[3, 1, 2, 0, 4].map((i) => `all/${i}.png cat train`),
    'all/5.png dog test',
    `${join(elsewhere, 'x/50.png')} dog test`,
  ]);
  assert.deepEqual(listed(problems), ['no-training-images dog', 'unreadable all/6.png']);
  assert.equal(result.files, 8);
});

test('a known file of the same size and time is not read; others are', async () => {
  const root = temporaryFolder();
  fill(root, 'cat', 8);
  const first = await run(root);
  const knownFile = join(temporaryFolder(), 'known.jsonl');
  const known = first.images.map((image, id) => ({ ...image, id }));
  // A hash that no file has shows which ones were read again.
  const marked = known.map((image) => ({ ...image, hash: 'f'.repeat(64) }));
  writeFileSync(knownFile, marked.map((image) => `${JSON.stringify(image)}\n`).join(''));
  rmSync(join(root, 'cat/0.png'));
  utimesSync(join(root, 'cat/1.png'), 1, 1);
  writeFileSync(join(root, 'cat/2.png'), tinyPng(200, 9));
  writeFileSync(join(root, 'cat/3.png'), 'no longer a picture');
  writeFileSync(join(root, 'cat/9.png'), tinyPng(9));
  const { result, images, problems, lost } = await run(root, { knownFile });
  assert.deepEqual(
    images.map(({ path, hash }) => [path, hash.startsWith('ffff')]),
    [
      ['cat/1.png', false],
      ['cat/2.png', false],
      ['cat/4.png', true],
      ['cat/5.png', true],
      ['cat/6.png', true],
      ['cat/7.png', true],
      ['cat/9.png', false],
    ],
  );
  assert.deepEqual({ ...lost, type: undefined }, { missing: [0], changed: [3], type: undefined });
  const { added, unchanged, changed, missing } = result;
  assert.deepEqual({ added, unchanged, changed, missing }, { added: 1, unchanged: 4, changed: 2, missing: 2 });
  assert.deepEqual(listed(problems), [
    'content-changed cat/1.png',
    'content-changed cat/2.png',
    'damaged cat/3.png',
    'vanished cat/0.png',
  ]);
});

test('a cancel keeps what was read and ends at once', async () => {
  const root = temporaryFolder();
  const count = 3000;
  writeTree(root, { 'cat/': '' });
  for (let i = 0; i < count; i++) writeFileSync(join(root, `cat/${i}.png`), tinyPng(i % 200));
  const abort = new AbortController();
  const images: FoundImage[] = [];
  const after: string[] = [];
  const emit = (event: ImportEvent): void => {
    if (abort.signal.aborted) after.push(event.type);
    if (event.type !== 'images') return;
    images.push(...event.images);
    abort.abort();
  };
  await assert.rejects(
    importJob(specOf(root), { emit, signal: abort.signal, drained: () => Promise.resolve() }),
    (error) =>
      error instanceof UserError && error.code === 'cancelled' && /\d+ pictures .*are kept/.test(error.message),
  );
  assert.ok(images.length > 0 && images.length < count, `${images.length} were read`);
  assert.ok(!after.includes('lost') && !after.includes('problems'), 'nothing is said of what was not seen');
  assert.deepEqual(
    images.map(({ path }) => path),
    Array.from({ length: count }, (_, i) => `cat/${i}.png`)
      .toSorted()
      .slice(0, images.length),
  );
});

test('a cancel before the first file', async () => {
  const root = temporaryFolder();
  fill(root, 'cat');
  const signal = AbortSignal.abort();
  await assert.rejects(importJob(specOf(root), { emit: () => {}, signal, drained: () => Promise.resolve() }), {
    code: 'cancelled',
  });
});

test('progress counts up to all files', async () => {
  const root = temporaryFolder();
  fill(root, 'cat', 40);
  const { progress } = await run(root);
  const last = progress.at(-1)!;
  assert.deepEqual([last.stage, last.done, last.total, last.unit], ['Reading pictures', 40, 40, 'files']);
});

test('many thousand files in bounded memory', async () => {
  const root = temporaryFolder();
  const folders = 20;
  const each = 400;
  const file = join(root, '0.png');
  writeFileSync(file, tinyPng(1));
  const tree = join(root, 'tree');
  for (let folder = 0; folder < folders; folder++) {
    mkdirSync(join(tree, `class ${folder}`), { recursive: true });
    for (let i = 0; i < each; i++) linkSync(file, join(tree, `class ${folder}`, `${i}.png`));
  }
  let images = 0;
  let most = 0;
  const before = process.memoryUsage().rss;
  const emit = (event: ImportEvent): void => {
    if (event.type === 'images') images += event.images.length;
    most = Math.max(most, process.memoryUsage().rss);
  };
  const result = await importJob(specOf(tree), {
    emit,
    signal: new AbortController().signal,
    drained: () => Promise.resolve(),
  });
  assert.equal(images, folders * each);
  assert.equal(result.classes, folders);
  const grown = (most - before) / 2 ** 20;
  assert.ok(grown < 200, `grew by ${grown.toFixed(0)} MiB`);
});
