import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { canonicalJson } from '../../core/base/json.ts';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { takeBank } from '../../core/contexts/bank.ts';
import { decodeUpright } from '../../core/data/decode.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { BYTES_BESIDE } from '../../core/export/estimate.ts';
import type { ExportSpec } from '../../core/export/export-job.ts';
import { requireSpace, syncDisk } from '../../core/export/files.ts';
import { LineageItem } from '../../core/export/item.ts';
import { readManifest } from '../../core/export/manifest.ts';
import { DEFAULT_RECIPE, type ExportRecipe } from '../../core/export/recipe.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { exportDataset, verifyExport } from '../../core/services/export.ts';
import type { Project } from '../../core/storage/project.ts';
import {
  classOf,
  makeProject,
  maskOf,
  pixelsOf,
  treeOf,
  writePicture,
  type Picture,
} from '../fixtures/export-project.ts';
import { runInProcess } from '../fixtures/in-process.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
const SMALL = { width: 12, height: 10 };
const PICTURES: Picture[] = [
  ...classOf('train/cat', 12, { ...SMALL, context: true }, 100),
  ...classOf('train/dog', 3, SMALL, 200),
  ...classOf('test/cat', 4, SMALL, 300),
  ...classOf('test/dog', 4, SMALL, 400),
];
const RECIPE: ExportRecipe = { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: 20 } };
let project: Project;
let runs = 0;

/** A folder that is not there yet. */
const fresh = (): string => join(folder, `out-${++runs}`);
const filesOf = (out: string): string[] =>
  readdirSync(out, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name).slice(out.length + 1)] : [],
  );
const lineageOf = (out: string): LineageItem[] =>
  readFileSync(join(out, 'lineage.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => LineageItem.parse(JSON.parse(line)));
const rejects = (work: Promise<unknown>, code: ErrorCode, text: RegExp): Promise<void> =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });

before(async () => {
  const root = join(folder, 'pictures');
  for (const picture of PICTURES) await writePicture(root, picture);
  project = await makeProject(join(folder, 'test.contexture'), root, PICTURES);
});
after(() => project.close());

test('an export is a tree of class folders with its lineage, verified and remembered', async () => {
  const out = fresh();
  const stages = new Set<string>();
  const outcome = await exportDataset(project, { out, recipe: { ...RECIPE, copy: ['test'] } }, runJob, {
    onEvent: ({ stage }) => stages.add(stage),
  });
  assert.equal(outcome.state, 'finished');
  assert.deepEqual(
    outcome.classes.map(({ name, originals, added }) => [name, originals, added]),
    [
      ['cat', 12, 8],
      ['dog', 3, 17],
    ],
  );
  assert.deepEqual([outcome.pictures, outcome.written, outcome.resumed], [48, 48, 0]);
  assert.deepEqual([outcome.report?.ok, outcome.report?.proven, outcome.report?.problems], [true, 48, []]);
  for (const [split, name, count] of [
    ['train', 'cat', 20],
    ['train', 'dog', 20],
    ['test', 'cat', 4],
    ['test', 'dog', 4],
  ] as const) {
    assert.equal(readdirSync(join(out, split, name)).length, count);
  }
  assert.deepEqual(readdirSync(out).toSorted(), ['lineage.csv', 'lineage.jsonl', 'manifest.json', 'test', 'train']);
  assert.ok(stages.has('Writing pictures') && stages.has('Reading pictures'));
  assert.equal(readFileSync(join(out, 'lineage.csv'), 'utf8').trimEnd().split('\r\n').length, 49);

  const record = project.store.exports.byPath(out)!;
  assert.deepEqual([record.state, record.images, record.manifestHash], ['verified', 48, outcome.manifestHash]);
  const items = [...project.store.exports.items(record.id)];
  const lineage = new Map(lineageOf(out).map((item) => [item.file, item]));
  assert.equal(items.length, 48);
  for (const { file, imageId, contextId, lambda } of items) {
    const item = lineage.get(file)!;
    assert.deepEqual(
      [imageId, contextId, lambda],
      [item.source.id, item.context?.id ?? null, item.context?.lambda ?? null],
    );
  }
});

test('every picture is what its lineage says, computed here anew', async () => {
  const out = fresh();
  await exportDataset(project, { out, recipe: { ...RECIPE, mask: { kind: 'binary', threshold: 0.5 } } }, runInProcess);
  const soft = fresh();
  await exportDataset(project, { out: soft, recipe: RECIPE }, runInProcess);
  const originals = new Map(PICTURES.map((picture) => [picture.file, pixelsOf(picture)]));
  const mask = maskOf(SMALL);
  let mixed = 0;
  for (const [where, rule] of [
    [out, (m: number) => (m >= 127.5 ? 1 : 0)],
    [soft, (m: number) => m / 255],
  ] as const) {
    for (const { file, source, context } of lineageOf(where)) {
      const { data } = await decodeUpright(readFileSync(join(where, file)));
      const x = originals.get(source.path)!;
      if (!context) {
        assert.deepEqual(new Uint8Array(data), x);
        continue;
      }
      mixed++;
      const c = originals.get(context.image.path)!;
      const expected = x.map((value, i) => {
        const a = context.lambda * rule(mask[Math.floor(i / 3)]);
        return Math.floor(a * c[i] + (1 - a) * value + 0.5);
      });
      assert.deepEqual(new Uint8Array(data), expected);
    }
  }
  assert.equal(mixed, 2 * 25);
});

test('the same export again gives the same bytes, manifest included, and a rebuild agrees', async () => {
  const [first, second] = [fresh(), fresh()];
  const recipe: ExportRecipe = { ...RECIPE, size: 17, format: { kind: 'jpeg', quality: 90 }, reuse: 3 };
  await exportDataset(project, { out: first, recipe }, runInProcess);
  await exportDataset(project, { out: second, recipe }, runInProcess);
  assert.deepEqual(treeOf(first, filesOf(first)), treeOf(second, filesOf(second)));
  const report = await verifyExport(project, first, { rebuild: true }, runInProcess);
  assert.deepEqual([report.rebuilt, report.proven], [40, 40]);
  const { width, height, format } = await sharp(join(first, lineageOf(first)[0].file)).metadata();
  assert.deepEqual([width, height, format], [17, 17, 'jpeg']);
});

test('a folder alone can be checked, but proves nothing about splits', async () => {
  const out = fresh();
  await exportDataset(
    project,
    { out, recipe: { ...RECIPE, arm: 'random', format: { kind: 'webp', quality: 80 } } },
    runInProcess,
  );
  const report = await verifyExport(null, out, {}, runInProcess);
  assert.deepEqual([report.ok, report.proven], [true, 0]);
  assert.match(report.notes.join(), /not proven/);
  await rejects(verifyExport(null, out, { rebuild: true }, runInProcess), 'usage', /needs the project/);
});

test('a dry run plans and estimates, and writes nothing', async () => {
  const out = fresh();
  const outcome = await exportDataset(project, { out, recipe: RECIPE, dryRun: true }, runInProcess);
  assert.deepEqual([outcome.state, outcome.pictures, outcome.written, existsSync(out)], ['planned', 40, 0, false]);
  assert.equal(project.store.exports.byPath(out), undefined);
  // Of pictures that are made side by side none is lost from the sum.
  const real = await exportDataset(project, { out, recipe: RECIPE }, runInProcess);
  const content = outcome.bytes - 40 * BYTES_BESIDE;
  assert.ok(content > 0.7 * real.bytes && content < 1.4 * real.bytes, `${content} against ${real.bytes}`);
});

test('nothing that is there is overwritten', async () => {
  const out = fresh();
  mkdirSync(out);
  writeFileSync(join(out, 'mine.txt'), 'mine');
  await rejects(exportDataset(project, { out, recipe: RECIPE }, runInProcess), 'exists', /is not empty/);
  assert.deepEqual(readdirSync(out), ['mine.txt']);
  rmSync(join(out, 'mine.txt'));
  await exportDataset(project, { out, recipe: RECIPE }, runInProcess);
  await rejects(exportDataset(project, { out, recipe: RECIPE }, runInProcess), 'exists', /holds a finished export/);
  const inside = join(folder, 'pictures', 'augmented');
  await rejects(
    exportDataset(project, { out: inside, recipe: RECIPE }, runInProcess),
    'usage',
    /where images are read from/,
  );
  assert.ok(!existsSync(inside));
  const bad = { ...RECIPE, size: 1 };
  await rejects(exportDataset(project, { out: fresh(), recipe: bad }, runInProcess), 'usage', /"size" is not valid/);
});

test('a cancelled export stops, and the same call goes on to the same bytes', async () => {
  const recipe: ExportRecipe = { ...RECIPE, amount: { kind: 'add', images: 150 } };
  const undisturbed = fresh();
  await exportDataset(project, { out: undisturbed, recipe }, runInProcess);
  const out = fresh();
  const abort = new AbortController();
  const stopped = await exportDataset(project, { out, recipe }, runJob, {
    signal: abort.signal,
    onEvent: ({ stage, done }) => {
      if (stage === 'Writing pictures' && done > 0) abort.abort();
    },
  });
  assert.equal(stopped.state, 'stopped');
  assert.ok(stopped.written > 0 && stopped.written < 315);
  assert.equal(project.store.exports.byPath(out)?.state, 'stopped');
  await rejects(verifyExport(project, out, {}, runInProcess), 'verify', /is not finished/);
  const other = { ...recipe, seed: 9 };
  await rejects(exportDataset(project, { out, recipe: other }, runInProcess), 'exists', /unfinished export of another/);
  const id = project.store.exports.byPath(out)!.id;
  const outcome = await exportDataset(project, { out, recipe }, runInProcess);
  assert.equal(outcome.resumed, stopped.written);
  assert.deepEqual(treeOf(out, filesOf(out)), treeOf(undisturbed, filesOf(undisturbed)));
  assert.deepEqual([project.store.exports.byPath(out)?.id, project.store.exports.byPath(out)?.images], [id, 315]);
});

test('an export that was killed at any point goes on to the same bytes', async () => {
  const recipe: ExportRecipe = { ...RECIPE, amount: { kind: 'add', images: 150 }, size: 40 };
  const undisturbed = fresh();
  await exportDataset(project, { out: undisturbed, recipe }, runInProcess);
  const out = fresh();
  const list = join(out, 'finished.jsonl');
  for (const wait of [0, 40]) {
    const had = existsSync(list) ? readFileSync(list, 'utf8').length : 0;
    const child = startExport({ out, recipe });
    while (!existsSync(list) || readFileSync(list, 'utf8').length <= had) await sleep(5);
    await sleep(wait);
    child.kill('SIGKILL');
    await new Promise((resolve) => {
      child.on('close', resolve);
    });
  }
  assert.ok(existsSync(join(out, 'unfinished.json')));
  // What else a kill or a power loss can do: a picture without its content, a line cut short, half a picture that is not
  // listed, half a lineage.
  const [torn] = readFileSync(list, 'utf8').trim().split('\n');
  truncateSync(join(out, String(JSON.parse(torn).file)), 10);
  truncateSync(list, readFileSync(list).length - 5);
  const half = filesOf(undisturbed).find((file) => file.endsWith('.png') && !existsSync(join(out, file)));
  writeFileSync(join(out, half!), readFileSync(join(undisturbed, half!)).subarray(0, 100));
  writeFileSync(join(out, '01234567-89ab-cdef-0123-456789abcdef.part'), 'half');
  const outcome = await exportDataset(project, { out, recipe }, runInProcess);
  assert.ok(outcome.resumed > 0 && outcome.resumed < outcome.pictures);
  assert.deepEqual(treeOf(out, filesOf(out)), treeOf(undisturbed, filesOf(undisturbed)));
});

/** The export job as a bare process that can be killed. */
function startExport({ out, recipe }: { out: string; recipe: ExportRecipe }): ReturnType<typeof spawn> {
  const put = (value: unknown): string => project.blobs.put(Buffer.from(canonicalJson(value)));
  const spec: ExportSpec = {
    out,
    dryRun: false,
    recipe,
    projectId: project.store.info.id,
    blobFolder: project.blobs.folder,
    snapshotBlob: put(takeSnapshot(project.store)),
    bankBlob: put(takeBank(project.store)),
  };
  const entry = fileURLToPath(new URL('../../core/jobs/entry.ts', import.meta.url));
  const child = spawn(process.execPath, [entry, 'export'], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin?.write(`${JSON.stringify({ type: 'start', spec })}\n`);
  return child;
}

test('a photo of 20 megapixels goes with a picture of 28 px, and a wide one with a tall one', async () => {
  const root = join(folder, 'sizes');
  const pictures: Picture[] = [
    { file: 'train/photo/large.jpg', width: 5200, height: 3900, seed: 1, context: true },
    { file: 'train/photo/wide.png', width: 90, height: 7, seed: 2, context: true },
    { file: 'train/digit/small.png', width: 28, height: 28, seed: 3 },
    { file: 'train/digit/tall.png', width: 9, height: 64, seed: 4 },
  ];
  // Noise of that size takes too long; the content does not matter.
  mkdirSync(join(root, 'train/photo'), { recursive: true });
  await sharp({ create: { width: 5200, height: 3900, channels: 3, background: '#4080c0' } }).toFile(
    join(root, 'train/photo/large.jpg'),
  );
  for (const picture of pictures.slice(1)) await writePicture(root, picture);
  const sizes = await makeProject(join(folder, 'sizes.contexture'), root, pictures);
  try {
    const out = fresh();
    const recipe: ExportRecipe = {
      ...RECIPE,
      amount: { kind: 'multiply', by: 6 },
      originals: false,
      size: 28,
      lambda: { min: 1, max: 1 },
    };
    const outcome = await exportDataset(sizes, { out, recipe }, runInProcess);
    assert.equal(outcome.report?.ok, true);
    const digits = lineageOf(out).filter(
      ({ source, context }) => source.path.includes('small') && context?.image.path.includes('large'),
    );
    assert.ok(digits.length > 0);
    const item = digits[0];
    assert.deepEqual(item.context?.crop.resized, { width: 37, height: 28 });
    const { data, width, height } = await decodeUpright(readFileSync(join(out, item.file)));
    assert.deepEqual([width, height], [28, 28]);
    // lambda = 1: the right edge of the photo's mask is all context where the window reaches it.
    const mask = Math.round(((item.context.crop.left + 27) * 255) / 36);
    const x = pixelsOf(pictures[2]);
    const a = mask / 255;
    assert.ok(Math.abs(data[27 * 3] - (a * 0x40 + (1 - a) * x[27 * 3])) <= 3);
  } finally {
    sizes.close();
  }
});

test('a source file that changed or went since the import is named, and the export goes on once it is back', async () => {
  const out = fresh();
  const path = join(folder, 'pictures/train/dog/1.png');
  const kept = join(folder, 'kept.png');
  copyFileSync(path, kept);
  copyFileSync(join(folder, 'pictures/train/dog/2.png'), path);
  await rejects(exportDataset(project, { out, recipe: RECIPE }, runInProcess), 'changed', /dog.1\.png is not the file/);
  rmSync(path);
  await rejects(exportDataset(project, { out, recipe: RECIPE }, runInProcess), 'not-found', /dog.1\.png/);
  copyFileSync(kept, path);
  assert.equal((await exportDataset(project, { out, recipe: RECIPE }, runInProcess)).state, 'finished');
});

test('class names become safe folders, with the map in the manifest', async () => {
  const root = join(folder, 'names');
  const names = ['CON', 'cat', 'Cat', 'a?b', 'é'];
  const pictures = names.flatMap((name, index) =>
    classOf(`train/${name}`, 2, { ...SMALL, context: true }, 700 + 10 * index),
  );
  for (const picture of pictures) await writePicture(root, picture);
  const named = await makeProject(join(folder, 'names.contexture'), root, pictures);
  try {
    const out = fresh();
    await exportDataset(named, { out, recipe: { ...RECIPE, amount: { kind: 'add', images: 1 } } }, runInProcess);
    const folders = Object.fromEntries(
      readManifest(out).manifest.classes.map(({ name, folder: safe }) => [name, safe]),
    );
    assert.deepEqual(folders, { CON: '_CON', Cat: 'Cat', 'a?b': 'a_b', cat: 'cat-2', é: 'é' });
    assert.deepEqual(readdirSync(join(out, 'train')).toSorted(), Object.values(folders).toSorted());
  } finally {
    named.close();
  }
});

test('files are made to last all at once where the system can, else one by one', async () => {
  assert.equal(await syncDisk(folder), process.platform === 'linux');
  assert.equal(await syncDisk(join(folder, 'not there')), false);
  const path = process.env.PATH;
  process.env.PATH = '';
  try {
    assert.equal(await syncDisk(folder), false);
    const out = fresh();
    const outcome = await exportDataset(project, { out, recipe: RECIPE }, runInProcess);
    assert.deepEqual([outcome.state, outcome.report?.ok], ['finished', true]);
  } finally {
    process.env.PATH = path;
  }
});

test('a disk without room is refused before anything is written', async () => {
  requireSpace(join(folder, 'not/there/yet'), 1000);
  const refused = Promise.resolve().then(() => requireSpace(join(folder, 'not/there/yet'), 1e18));
  await rejects(refused, 'no-space', /needs about 1000000000000 MB/);
});
