/** Plain backgrounds from end to end: added, trained with within their limit, exported, verified; and seen by nothing else. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { backgroundsOf, takeBank } from '../../core/contexts/bank.ts';
import { datasetHash, readSnapshot, takeSnapshot } from '../../core/data/snapshot.ts';
import type { LineageItem } from '../../core/export/item.ts';
import { readManifest } from '../../core/export/manifest.ts';
import { DEFAULT_RECIPE, type ExportRecipe } from '../../core/export/recipe.ts';
import { runJob } from '../../core/jobs/runner.ts';
import {
  addBackgrounds,
  listBackgrounds,
  noteBackground,
  removeBackgrounds,
  retireBackgrounds,
} from '../../core/services/backgrounds.ts';
import { exportDataset, verifyExport } from '../../core/services/export.ts';
import { findImages } from '../../core/services/images.ts';
import { resumeRun, showRun, startRun } from '../../core/services/runs.ts';
import { tailReport } from '../../core/services/stats.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { readCheckpoint } from '../../core/training/checkpoint.ts';
import { CHECKPOINT_NAME } from '../../core/training/run-in-progress.ts';
import type { EpochFigures } from '../../core/training/epoch-figures.ts';
import { writePicture } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { makeTrainingProject, SAMPLE, TINY } from '../fixtures/training.ts';

const ANN = { author: 'ann', at: '2026-01-02T00:00:00.000Z' };
const COUNT = 12;

let project: Project;
let pictures: string;
const scenes = join(temporaryFolder(), 'empty scenes');
/** Everything that shows, counts or freezes images. */
let seenBefore: unknown;

before(async () => {
  ({ project, pictures } = await makeTrainingProject({ ...SAMPLE, largest: 24, ratio: 4 }));
  for (let i = 0; i < COUNT; i++) {
    await writePicture(scenes, { file: `night/${i}.png`, width: 40 + i, height: 36, seed: 900 + i });
  }
  writeFileSync(join(scenes, 'notes.txt'), 'no picture');
  seenBefore = seen();
});
after(() => project.close());

function seen(): unknown {
  const { store } = project;
  return {
    report: tailReport(store),
    explore: [...findImages(store, { sort: 'path', descending: false })],
    snapshot: takeSnapshot(store),
    hash: datasetHash(takeSnapshot(store)),
    sources: store.sources.list(),
    sides: store.images.trainSides(),
    duplicates: store.images.duplicateGroups(),
    contexts: store.contexts.count(),
  };
}

const add = (...folders: string[]): ReturnType<typeof addBackgrounds> => addBackgrounds(project, folders, ANN, runJob);

function rejects(work: Promise<unknown>, code: ErrorCode, sentence: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, sentence);
    return true;
  });
}

test('a folder is indexed, its files stay, and nothing that looks at images sees them', async () => {
  await rejects(add(join(scenes, 'nowhere')), 'not-found', /nowhere/);
  await rejects(add(join(scenes, 'notes.txt')), 'usage', /neither a folder|no folder/);
  assert.deepEqual(await add(scenes), {
    files: COUNT + 1,
    added: COUNT,
    known: 0,
    changed: 0,
    refused: 0,
    problems: [],
  });
  const backgrounds = await listBackgrounds(project);
  assert.equal(backgrounds.length, COUNT);
  assert.deepEqual(
    backgrounds.map(({ file }) => file).toSorted(),
    Array.from({ length: COUNT }, (_, i) => join(scenes, 'night', `${i}.png`)).toSorted(),
  );
  assert.deepEqual(
    backgrounds.map(({ author, retiredAt, runs, exports }) => [author, retiredAt, runs, exports]),
    backgrounds.map(() => ['ann', null, 0, 0]),
  );
  assert.deepEqual(seen(), seenBefore);
  assert.deepEqual(
    takeBank(project.store).map((entry) => 'backgroundId' in entry && entry.backgroundId),
    backgrounds.map(({ id }) => id),
  );
});

test('the same folder again, a changed file, a moved folder, a second copy', async () => {
  assert.deepEqual(
    { ...(await add(scenes)), problems: [] },
    {
      files: COUNT + 1,
      added: 0,
      known: COUNT,
      changed: 0,
      refused: 0,
      problems: [],
    },
  );
  await writePicture(scenes, { file: 'night/0.png', width: 50, height: 50, seed: 999 });
  const { changed, known } = await add(scenes);
  assert.deepEqual([changed, known], [1, COUNT - 1]);

  const copies = join(temporaryFolder(), 'copies');
  mkdirSync(copies);
  copyFileSync(join(scenes, 'night', '1.png'), join(copies, 'again.png'));
  await rejects(add(copies), 'empty', /already a background, as .*1\.png/);

  renameSync(join(scenes, 'night'), join(scenes, 'dusk'));
  assert.equal((await add(scenes)).known, COUNT);
  assert.ok((await listBackgrounds(project)).every(({ file }) => file.includes('dusk')));
});

test('what is in the data set is refused: of test as a leak, of train as known', async () => {
  const [test1] = project.store.images.iterate({ split: 'test' });
  const [train1] = project.store.images.iterate({ split: 'train' });
  const folder = join(temporaryFolder(), 'leaks');
  mkdirSync(folder);
  copyFileSync(join(pictures, test1.path), join(folder, 'a.png'));
  copyFileSync(join(pictures, train1.path), join(folder, 'b.png'));
  await writePicture(folder, { file: 'c.png', width: 30, height: 30, seed: 1234 });
  const { added, refused, problems } = await add(folder);
  assert.deepEqual([added, refused], [1, 2]);
  assert.deepEqual(
    problems.map(({ path, kind }) => [path, kind]),
    [
      [join(folder, 'a.png'), 'leak'],
      [join(folder, 'b.png'), 'in-data-set'],
    ],
  );
  assert.match(problems[0].reason, /very file of the test image .* leak/);
  assert.match(problems[1].reason, /already in the data set/);
  const { id } = (await listBackgrounds(project)).at(-1)!;
  await removeBackgrounds(project, [id]);
  assert.equal((await listBackgrounds(project)).length, COUNT);
});

test('retired ones are in no bank, until they are put back', () => {
  assert.equal(retireBackgrounds(project, [1, 2], true, ANN.at), 2);
  assert.equal(retireBackgrounds(project, [1, 2], true, ANN.at), 0);
  assert.equal(takeBank(project.store).length, COUNT - 2);
  assert.throws(() => retireBackgrounds(project, [1, 99], false, ANN.at), /no background 99/);
  assert.equal(takeBank(project.store).length, COUNT - 2, 'all or none');
  retireBackgrounds(project, [1, 2], false, ANN.at);
  noteBackground(project, 1, ' wet road ');
  assert.equal(project.store.backgrounds.get(1)!.note, 'wet road');
});

const EPOCHS = 3;
/** Nobody is sure enough for the own bank, so every context laid on is a plain background. */
const PLAIN_ONLY = { ...TINY, epochs: EPOCHS, startBalanced: 0, curatedShare: 1, delta: 1, keepBank: true };
const epochsOf = (run: Run): EpochFigures[] =>
  showRun(project, run.id).epochs.map(({ figures }) => figures as unknown as EpochFigures);

test('a run lays them on, each as often as the limit allows, after it was stopped and resumed, too', async () => {
  const uses = 4;
  const request = { method: 'csa', preset: 'small', overrides: { ...PLAIN_ONLY, curatedUses: uses } } as const;
  const whole = await startRun(project, request, runJob);
  assert.deepEqual(readSnapshot(project.blobs, whole.datasetBlob), takeSnapshot(project.store));
  const figures = epochsOf(whole);
  const drawn = figures.reduce((sum, { curated }) => sum + curated!.drawn, 0);
  assert.equal(drawn, COUNT * uses, 'all of them, to the limit');
  assert.equal(
    figures.reduce((sum, { mixedSteps }) => sum + mixedSteps, 0),
    (COUNT * uses) / TINY.batchSize!,
  );
  assert.deepEqual(figures.at(-1)!.curated!.left, 0);
  const { warnings } = showRun(project, whole.id);
  const usedUp = warnings.filter(({ name }) => name === 'curated-used-up');
  assert.match(usedUp[0].message, /each context drawn 4 times in the run/);
  assert.equal(usedUp.length, 1);

  // Stopped in the middle of what is laid on.
  const stop = new AbortController();
  const stopped = await startRun(project, { ...request, checkpointSeconds: 0 }, runJob, {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'checkpoint' && event.epoch === 0 && event.step === 3) stop.abort();
    },
  });
  assert.equal(stopped.state, 'stopped');
  const { curated } = readCheckpoint(join(project.runFolder(stopped.id), CHECKPOINT_NAME)).state.progress.supply;
  assert.ok(curated && 'times' in curated);
  const times = curated.times.reduce((sum, each) => sum + each, 0);
  assert.ok(times > 0 && times <= COUNT * uses && Math.max(...curated.times) <= uses, curated.times.join());
  const resumed = await resumeRun(project, stopped.id, runJob);
  const digits = (run: Run): unknown[] => epochsOf(run).map((epoch) => ({ ...epoch, timing: null }));
  assert.deepEqual(digits(resumed), digits(whole));
  assert.equal(resumed.modelBlob, whole.modelBlob);
});

test('a limit that is not reached gives the digits of a run without one', async () => {
  const overrides = { ...PLAIN_ONLY, epochs: 2 };
  const [free, wide] = [
    await startRun(project, { method: 'csa', preset: 'small', overrides }, runJob),
    await startRun(
      project,
      { method: 'csa', preset: 'small', overrides: { ...overrides, curatedUses: 100_000 } },
      runJob,
    ),
  ];
  assert.equal(free.modelBlob, wide.modelBlob);
  assert.ok(epochsOf(free).every((figures) => figures.mixedSteps === figures.steps && !('curated' in figures)));
  assert.ok(epochsOf(wide).every(({ curated }) => curated!.drawn > 0 && !curated!.usedUp));
});

const RECIPE: ExportRecipe = { ...DEFAULT_RECIPE, amount: { kind: 'add', images: 3 }, size: 32 };
const itemsOf = (out: string): LineageItem[] =>
  readFileSync(join(out, 'lineage.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LineageItem);

test('an export lays them on, names file and content, and is verified to the bit', async () => {
  const out = join(temporaryFolder(), 'out');
  await exportDataset(project, { out, recipe: { ...RECIPE, reuse: 4 } }, runJob);
  const { manifest } = readManifest(out);
  assert.deepEqual(
    manifest.roots.map(({ name }) => name),
    ['pictures', 'empty scenes'],
  );
  const backgrounds = new Map(backgroundsOf(takeBank(project.store)).map((entry) => [entry.backgroundId, entry]));
  const mixed = itemsOf(out).filter(({ kind }) => kind === 'mixed');
  assert.equal(mixed.length, 30);
  const uses = new Map<number, number>();
  for (const { context } of mixed) {
    const { hash, path } = backgrounds.get(context!.background!)!;
    assert.deepEqual(
      [context!.id, context!.image, context!.mask],
      [null, { id: null, root: 1, path, hash }, { kind: 'whole' }],
    );
    uses.set(context!.background!, (uses.get(context!.background!) ?? 0) + 1);
  }
  assert.ok(Math.max(...uses.values()) <= 4);
  const report = await verifyExport(project, out, { rebuild: true }, runJob);
  assert.deepEqual([report.ok, report.proven, report.rebuilt], [true, report.pictures, report.pictures]);
  const counted = await listBackgrounds(project);
  assert.deepEqual(
    counted.map(({ id, exports, pictures: made }) => [id, exports, made]),
    counted.map(({ id }) => [id, uses.has(id) ? 1 : 0, uses.get(id) ?? 0]),
  );
  assert.ok(counted.every(({ runs }) => runs === 4));
  await rejects(removeBackgrounds(project, [1]), 'usage', /runs: 4.*Retire it instead/);
  // Only what is of a class can be of the own or a named one.
  const narrower: Partial<ExportRecipe>[] = [{ arm: 'same-class' }, { contextClasses: [manifest.classes[0].name] }];
  for (const narrowed of narrower) {
    const refused = exportDataset(project, { out: `${out}2`, recipe: { ...RECIPE, ...narrowed } }, runJob);
    await rejects(refused, 'empty', /not enough accepted contexts/);
  }
});

test('an image that comes into the test split with the content of a background takes it out of use', async () => {
  const [{ id, hash }] = project.store.backgrounds.list();
  const image = [...project.store.images.iterate({ split: 'test' })][0];
  const { classId: _, split: __, excluded: ___, state: ____, id: _____, ...found } = image;
  project.store.images.upsert([{ ...found, path: 'test/late.png', hash, foundSplit: 'test' }]);
  const out = join(temporaryFolder(), 'out');
  await exportDataset(project, { out, recipe: RECIPE }, runJob);
  assert.ok(itemsOf(out).every(({ context }) => context?.background !== id));
  const first = join(temporaryFolder(), 'first');
  mkdirSync(first);
  await rejects(add(first), 'empty', /no picture that can be a background/);
  project.store.images.setState([project.store.images.byPath(found.sourceId, 'test/late.png')!.id], 'missing');
});

test('a background whose file is gone or another is named, and nothing is trained with it', async () => {
  const { file } = (await listBackgrounds(project))[1];
  rmSync(file);
  const run = startRun(project, { method: 'csa', preset: 'small', overrides: PLAIN_ONLY }, runJob);
  await rejects(run, 'not-found', /dusk/);
});
