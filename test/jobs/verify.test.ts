import assert from 'node:assert/strict';
import { cpSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { LineageItem } from '../../core/export/item.ts';
import { lineageLine } from '../../core/export/lineage.ts';
import { readManifest, type ExportManifest } from '../../core/export/manifest.ts';
import { DEFAULT_RECIPE, type ExportRecipe } from '../../core/export/recipe.ts';
import { VerifyError, type VerifyProblem } from '../../core/export/verify-report.ts';
import { exportDataset, verifyExport, type VerifyOptions } from '../../core/services/export.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { Project } from '../../core/storage/project.ts';
import { classOf, makeProject, writePicture, type Picture } from '../fixtures/export-project.ts';
import { runInProcess } from '../fixtures/in-process.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
const SIZE = { width: 10, height: 10 };
const PICTURES: Picture[] = [
  ...classOf('train/cat', 8, { ...SIZE, context: true }, 100),
  ...classOf('train/dog', 4, SIZE, 200),
  ...classOf('test/cat', 3, SIZE, 300),
  ...classOf('val/dog', 2, SIZE, 400),
];
const RECIPE: ExportRecipe = { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: 10 }, copy: ['test'] };
const AT = '2026-01-02T00:00:00.000Z';
let project: Project;
let finished: string;
let copies = 0;

before(async () => {
  const root = join(folder, 'pictures');
  for (const picture of PICTURES) await writePicture(root, picture);
  project = await makeProject(join(folder, 'test.contexture'), root, PICTURES);
  finished = join(folder, 'finished');
  await exportDataset(project, { out: finished, recipe: RECIPE }, runInProcess);
});
after(() => project.close());

/** A copy of the export with something done to it. */
function altered(change: (out: string) => void): string {
  const out = join(folder, `copy-${++copies}`);
  cpSync(finished, out, { recursive: true });
  change(out);
  return out;
}

/** What a check finds: kind and file of every problem, and the first words of the error. */
async function findings(
  out: string,
  options: VerifyOptions = {},
  from: Project | null = project,
): Promise<[VerifyProblem['kind'], string][]> {
  try {
    await verifyExport(from, out, options, runInProcess);
    return [];
  } catch (error) {
    assert.ok(error instanceof VerifyError, String(error));
    assert.ok(error.message.startsWith(`${out} is not as it was exported: ${error.report.problems[0].message}`));
    return error.report.problems.map(({ kind, file }) => [kind, file]);
  }
}

const lineageOf = (out: string): LineageItem[] =>
  readFileSync(join(out, 'lineage.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => LineageItem.parse(JSON.parse(line)));
const first = (kind: LineageItem['kind'], split = 'train'): LineageItem =>
  lineageOf(finished).find((item) => item.kind === kind && item.split === split)!;

/** Put another lineage in place, with a manifest that fits, as a careful forger would. */
function forge(out: string, change: (item: LineageItem) => LineageItem): void {
  const text = lineageOf(out)
    .map((item) => lineageLine(change(item)))
    .join('');
  writeFileSync(join(out, 'lineage.jsonl'), text);
  const { manifest } = readManifest(out);
  const forged: ExportManifest = { ...manifest, lineage: { sha256: sha256(text) } };
  writeFileSync(join(out, 'manifest.json'), `${JSON.stringify(forged, null, 2)}\n`);
}

test('an export as it was written passes, wherever it lies', async () => {
  assert.deepEqual(await findings(finished, { rebuild: true }), []);
  assert.deepEqual(await findings(altered(() => {})), []);
});

test('a changed picture is found', async () => {
  const { file } = first('mixed');
  const flipped = altered((out) => {
    const bytes = readFileSync(join(out, file));
    bytes[bytes.length - 20] ^= 1;
    writeFileSync(join(out, file), bytes);
  });
  const longer = altered((out) => writeFileSync(join(out, file), 'x', { flag: 'a' }));
  for (const from of [project, null]) {
    assert.deepEqual(await findings(flipped, {}, from), [['changed', file]]);
    assert.deepEqual(await findings(longer, {}, from), [['changed', file]]);
  }
});

test('a missing picture is found', async () => {
  const { file } = first('original');
  assert.deepEqual(await findings(altered((out) => rmSync(join(out, file)))), [['missing', file]]);
});

test('what does not belong there is found, but not what file managers leave', async () => {
  const out = altered((copy) => {
    writeFileSync(join(copy, 'train/cat/new.png'), 'x');
    writeFileSync(join(copy, '.hidden.png'), 'x');
    mkdirSync(join(copy, 'train/cow'));
    writeFileSync(join(copy, 'train/cat/Thumbs.db'), 'x');
    writeFileSync(join(copy, 'train/.DS_Store'), 'x');
  });
  assert.deepEqual(await findings(out), [
    ['extra', '.hidden.png'],
    ['extra', 'train/cat/new.png'],
    ['extra', 'train/cow'],
  ]);
});

test('a changed lineage or manifest is found', async () => {
  const table = altered((out) => writeFileSync(join(out, 'lineage.csv'), 'x', { flag: 'a' }));
  assert.deepEqual(await findings(table), [['lineage', 'lineage.csv']]);
  const cut = altered((out) => {
    const text = readFileSync(join(out, 'lineage.jsonl'), 'utf8');
    writeFileSync(join(out, 'lineage.jsonl'), text.slice(0, -30));
  });
  const kinds = new Set((await findings(cut)).map(([kind]) => kind));
  assert.deepEqual(kinds, new Set(['count', 'lineage', 'extra']));
  const fewer = altered((out) => {
    const { manifest } = readManifest(out);
    manifest.classes[0].pictures.train++;
    writeFileSync(join(out, 'manifest.json'), JSON.stringify(manifest));
  });
  assert.deepEqual(await findings(fewer), [['count', 'train/cat']]);
  await assert.rejects(
    verifyExport(
      null,
      altered((out) => writeFileSync(join(out, 'manifest.json'), '{}')),
      {},
      runInProcess,
    ),
    (error) => error instanceof UserError && error.code === 'damaged',
  );
});

test('the manifest in its own folder must be the one that the project wrote', async () => {
  const out = join(folder, 'in-place');
  await exportDataset(project, { out, recipe: RECIPE }, runInProcess);
  writeFileSync(join(out, 'manifest.json'), '\n', { flag: 'a' });
  assert.deepEqual(await findings(out), [['manifest', 'manifest.json']]);
  assert.equal(project.store.exports.byPath(out)?.state, 'failed');
  assert.deepEqual(await findings(out, {}, null), []);
});

test('a forged lineage that names a test image is found, as source or as context', async () => {
  const heldOut = first('original', 'test').source;
  const source = first('original').file;
  const asSource = altered((out) => forge(out, (item) => (item.file === source ? { ...item, source: heldOut } : item)));
  assert.deepEqual(await findings(asSource), [['leak', source]]);
  const mixed = first('mixed').file;
  const asContext = altered((out) =>
    forge(out, (item) => (item.file === mixed ? { ...item, context: { ...item.context!, image: heldOut } } : item)),
  );
  assert.deepEqual(await findings(asContext), [['leak', mixed]]);
  const unknown = altered((out) =>
    forge(out, (item) => (item.file === source ? { ...item, source: { ...item.source, hash: sha256('?') } } : item)),
  );
  assert.deepEqual(await findings(unknown), [['split', source]]);
  const other = first('original', 'test').file;
  const train = altered((out) =>
    forge(out, (item) => (item.file === other ? { ...item, source: first('original').source } : item)),
  );
  assert.deepEqual(await findings(train), [['split', other]]);
});

test('a test image put in the place of a picture is found by its bytes', async () => {
  const { file } = first('mixed');
  const path = join(folder, 'pictures/test/cat/0.png');
  const bytes = readFileSync(path);
  const out = altered((copy) => {
    copyFileSync(path, join(copy, file));
    forge(copy, (item) => (item.file === file ? { ...item, sha256: sha256(bytes), bytes: bytes.length } : item));
  });
  assert.deepEqual(await findings(out), [['leak', file]]);
});

test('a picture that its lineage does not explain is found by making it again', async () => {
  const { file } = first('mixed');
  const out = altered((copy) =>
    forge(copy, (item) =>
      item.file === file ? { ...item, context: { ...item.context!, lambda: item.context!.lambda / 2 } } : item,
    ),
  );
  assert.deepEqual(await findings(out), []);
  assert.deepEqual(await findings(out, { rebuild: true }), [['rebuild', file]]);
});

test('training images that became test images, or got a twin there, are reported as leaks', async () => {
  const used = first('original').source;
  project.store.edits.apply({ kind: 'split', params: { val: 0, test: 0.1, seed: 1 }, author: 'test', at: AT }, [
    { imageId: used.id, split: 'test' },
  ]);
  try {
    const found = await findings(finished);
    const expected = lineageOf(finished).filter(
      ({ split, source, context }) => split === 'train' && (source.id === used.id || context?.image.id === used.id),
    );
    assert.ok(expected.length > 0);
    assert.deepEqual(
      found.map(([, file]) => file),
      expected.map(({ file }) => file).toSorted(),
    );
    assert.ok(found.every(([kind]) => kind === 'leak'));
  } finally {
    project.store.edits.undo(AT);
  }
  assert.deepEqual(await findings(finished), []);
});

test('an export of another project is refused, and so is none at all', async () => {
  const root = join(folder, 'pictures');
  const other = await makeProject(join(folder, 'other.contexture'), root, PICTURES);
  try {
    await assert.rejects(verifyExport(other, finished, {}, runInProcess), /was exported from another project/);
  } finally {
    other.close();
  }
  await assert.rejects(
    verifyExport(project, root, {}, runInProcess),
    (error) => error instanceof UserError && error.code === 'not-found',
  );
});

test('a training image that is also a test image never gets into an export', async () => {
  const root = join(folder, 'leaky');
  const pictures: Picture[] = [
    ...classOf('train/cat', 5, { ...SIZE, context: true }, 500),
    // The third training picture once more.
    ...classOf('test/cat', 1, SIZE, 502),
  ];
  for (const picture of pictures) await writePicture(root, picture);
  const leaky = await makeProject(join(folder, 'leaky.contexture'), root, pictures);
  try {
    const out = join(folder, 'leaky-out');
    const outcome = await exportDataset(leaky, { out, recipe: { ...RECIPE, copy: [] } }, runInProcess);
    assert.deepEqual([outcome.leftOut, outcome.report?.ok, outcome.report?.proven], [1, true, 10]);
    assert.deepEqual(
      readManifest(out).manifest.leftOut.map(({ path }) => path),
      ['train/cat/2.png'],
    );
    assert.ok(
      lineageOf(out).every(({ source, context }) => !`${source.path} ${context?.image.path}`.includes('cat/2.png')),
    );
  } finally {
    leaky.close();
  }
});
