/** Import, re-scan and relink into a real project. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { openPacked } from '../../core/data/packed.ts';
import { datasetHash, takeSnapshot } from '../../core/data/snapshot.ts';
import { runJob } from '../../core/jobs/runner.ts';
import type { JobEvent, JobKind, RunJob, RunJobOptions } from '../../core/jobs/protocol.ts';
import { importSource, rescanSource } from '../../core/services/import.ts';
import { locateSources, relinkSource } from '../../core/services/sources.ts';
import { openProject, type Project } from '../../core/storage/project.ts';
import type { ImageRecord } from '../../core/storage/records.ts';
import { sqliteStorage } from '../../db/index.ts';
import { tinyPng } from '../fixtures/images.ts';
import { runInProcess } from '../fixtures/in-process.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { zipFile } from '../fixtures/zip-file.ts';

const open: Project[] = [];
after(() => {
  for (const project of open) project.close();
});

function newProject(folder = temporaryFolder()): Project {
  const project = openProject(sqliteStorage, join(folder, 'test.contexture'), { create: true, program: 'test' });
  open.push(project);
  return project;
}

/** Pictures of two classes, each of its own content. */
function pictures(root: string, count = 12): void {
  for (let i = 0; i < count; i++) writeTree(root, { [`${i % 2 ? 'dog' : 'cat'}/${i}.png`]: tinyPng(i) });
}

const images = (project: Project): ImageRecord[] => [...project.store.images.iterate()];
const states = (project: Project): string[] => images(project).map(({ path, state }) => `${path} ${state}`);
const kinds = (project: Project): string[] =>
  project.store.problems
    .list()
    .map(({ kind, path }) => `${kind} ${path}`)
    .toSorted();
const refused = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === code && message.test(error.message);

/** Cancels when so many events of a type have come. */
function cancelAfter(type: string, count: number): { run: RunJob; signal: AbortSignal } {
  const abort = new AbortController();
  let seen = 0;
  const run: RunJob = <Spec, Event extends JobEvent, Result>(
    kind: JobKind,
    spec: Spec,
    options: RunJobOptions<Event> = {},
  ) =>
    runInProcess<Spec, Event, Result>(kind, spec, {
      ...options,
      onEvent: (event) => {
        options.onEvent?.(event);
        if (event.type === type && ++seen === count) abort.abort();
      },
    });
  return { run, signal: abort.signal };
}

test('a folder becomes images, classes and problems, by the real job process', async () => {
  const root = temporaryFolder();
  pictures(root);
  writeTree(root, { 'cat/notes.txt': 'x', 'empty/': '' });
  const project = newProject();
  const stages = new Set<string>();
  const onEvent = ({ stage }: { stage: string }): void => void stages.add(stage);
  const summary = await importSource(project, { path: root, onEvent }, runJob);
  assert.deepEqual([summary.kind, summary.layout, summary.added, summary.classes], ['folder', 'class', 12, 2]);
  assert.deepEqual(
    summary.problems.map(({ kind, count }) => [kind, count]),
    [
      ['empty-class', 1],
      ['not-an-image', 1],
    ],
  );
  assert.deepEqual([...stages], ['Looking through the source', 'Reading pictures']);
  assert.deepEqual(
    project.store.classes.list().map(({ name }) => name),
    ['cat', 'dog'],
  );
  assert.equal(images(project).length, 12);
  const [source] = project.store.sources.list();
  assert.equal(source.path, root);
  assert.ok(source.scannedAt);
  assert.deepEqual(readdirSync(project.cacheFolder), [], 'what the job was told is cleared away');
});

test('two imports of the same pictures are the same data set; a zip file of them too', async () => {
  const root = temporaryFolder();
  pictures(root);
  const archive = join(temporaryFolder(), 'set.zip');
  const entries = Array.from({ length: 12 }, (_, i) => ({
    name: `${i % 2 ? 'dog' : 'cat'}/${i}.png`,
    data: tinyPng(i),
  }));
  writeFileSync(archive, zipFile(entries.toReversed()));
  const hashes: string[] = [];
  for (const path of [root, root, archive]) {
    const project = newProject();
    await importSource(project, { path }, runInProcess);
    hashes.push(datasetHash(takeSnapshot(project.store)));
  }
  assert.deepEqual(hashes, [hashes[0], hashes[0], hashes[0]]);
});

test('pictures of a zip file and of names that are not UTF-8 can be packed', async () => {
  const project = newProject();
  const root = temporaryFolder();
  pictures(root);
  if (process.platform === 'linux') {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/cat/`), Buffer.from([0xe9])]), tinyPng(99));
  }
  const archive = join(temporaryFolder(), 'set.zip');
  writeFileSync(archive, zipFile([{ name: 'owl/1.png', data: tinyPng(50) }]));
  await importSource(project, { path: root }, runInProcess);
  await importSource(project, { path: archive }, runInProcess);
  const snapshot = takeSnapshot(project.store);
  const indices = snapshot.images.map((_, i) => i);
  const port = { emit: () => {}, signal: new AbortController().signal };
  const packed = await openPacked(snapshot, indices, { size: 8 }, project.cacheFolder, port);
  assert.equal(packed.count, snapshot.images.length);
  const owl = snapshot.images.findIndex(({ path }) => path === 'owl/1.png');
  assert.equal(Buffer.from(packed.read(owl)).readUInt8(0), 50);
});

test('an import that was cancelled goes on where it was', async () => {
  const root = temporaryFolder();
  const count = 1500;
  pictures(root, count);
  const project = newProject();
  const { run, signal } = cancelAfter('images', 1);
  await assert.rejects(importSource(project, { path: root, signal }, run), refused('cancelled', /import again/));
  const [source] = project.store.sources.list();
  assert.equal(source.scannedAt, null);
  const kept = images(project);
  assert.ok(kept.length > 0 && kept.length < count, `${kept.length} were kept`);
  const summary = await importSource(project, { path: root }, runInProcess);
  assert.equal(summary.sourceId, source.id);
  assert.deepEqual([summary.images, summary.unchanged, summary.added], [count, kept.length, count - kept.length]);
  assert.deepEqual(images(project).slice(0, kept.length), kept);
  const whole = newProject();
  await importSource(whole, { path: root }, runInProcess);
  assert.equal(datasetHash(takeSnapshot(project.store)), datasetHash(takeSnapshot(whole.store)));
});

test('a re-scan takes in what is new and changed, and keeps what vanished as missing', async () => {
  const root = temporaryFolder();
  pictures(root);
  const project = newProject();
  const { sourceId } = await importSource(project, { path: root }, runInProcess);
  const before = images(project);
  const at = '2026-01-01T00:00:00.000Z';
  project.store.edits.apply({ kind: 'relabel', params: {}, author: 'me', at }, [
    { imageId: before[0].id, classId: project.store.classes.byName('dog')!.id },
  ]);
  rmSync(join(root, 'cat/4.png'));
  writeFileSync(join(root, 'cat/6.png'), tinyPng(60, 9));
  utimesSync(join(root, 'cat/8.png'), 5, 5);
  writeFileSync(join(root, 'dog/1.png'), 'broken');
  writeTree(root, { 'owl/1.png': tinyPng(70) });
  const summary = await rescanSource(project, sourceId, {}, runInProcess);
  assert.deepEqual([summary.added, summary.changed, summary.unchanged, summary.missing], [1, 1, 9, 2]);
  const byPath = (path: string): ImageRecord => project.store.images.byPath(sourceId, path)!;
  assert.equal(byPath('cat/4.png').state, 'missing');
  assert.equal(byPath('dog/1.png').state, 'changed');
  assert.equal(byPath('cat/6.png').width, 9);
  assert.equal(byPath('cat/8.png').mtimeMs, 5000);
  assert.equal(byPath('owl/1.png').state, 'ok');
  assert.equal(byPath(before[0].path).classId, project.store.classes.byName('dog')!.id, 'an edit outlives a scan');
  assert.deepEqual(kinds(project), [
    'content-changed cat/6.png',
    'damaged dog/1.png',
    'few-images owl',
    'vanished cat/4.png',
  ]);
  // What comes back is used again.
  writeFileSync(join(root, 'cat/4.png'), tinyPng(4));
  writeFileSync(join(root, 'dog/1.png'), tinyPng(1));
  const again = await rescanSource(project, sourceId, {}, runInProcess);
  assert.equal(again.missing, 0);
  assert.ok(images(project).every(({ state }) => state === 'ok'));
  assert.equal(images(project).length, 13);
});

test('a later scan keeps the layout of the first, and says when the folders look different', async () => {
  const root = temporaryFolder();
  for (let i = 0; i < 5; i++)
    writeTree(root, { [`train/cat/${i}.png`]: tinyPng(i), [`test/cat/${i}.png`]: tinyPng(i + 9) });
  const project = newProject();
  const { sourceId } = await importSource(project, { path: root }, runInProcess);
  writeTree(root, { 'extras/1.png': tinyPng(40), 'train/dog/1.png': tinyPng(41) });
  const summary = await rescanSource(project, sourceId, {}, runInProcess);
  assert.deepEqual([summary.layout, summary.images], ['split-class', 11]);
  assert.deepEqual(kinds(project), ['empty-class extras', 'few-images dog', 'layout-doubt ', 'no-split extras/1.png']);
  const forced = await rescanSource(project, sourceId, { layout: 'class' }, runInProcess);
  assert.deepEqual([forced.layout, forced.images], ['class', 12]);
  assert.equal(project.store.images.byPath(sourceId, 'train/dog/1.png')!.split, null);
});

test('a source that holds no picture says so and what to do', async () => {
  const root = temporaryFolder();
  writeTree(root, { 'stray.png': tinyPng(1), 'empty/': '' });
  const project = newProject();
  await assert.rejects(importSource(project, { path: root }, runInProcess), refused('empty', /no usable picture/));
  assert.deepEqual(kinds(project), ['empty-class empty', 'no-class stray.png']);
});

test('paths that are no source are refused and leave no trace', async () => {
  const project = newProject();
  const file = join(temporaryFolder(), 'picture.png');
  writeFileSync(file, tinyPng(1));
  await assert.rejects(importSource(project, { path: file }, runInProcess), refused('usage', /neither a folder/));
  await assert.rejects(importSource(project, { path: `${file}.none` }, runInProcess), refused('not-found', /none/));
  const archive = join(temporaryFolder(), 'cut.zip');
  writeFileSync(archive, zipFile([{ name: 'cat/1.png', data: tinyPng(1) }]).subarray(0, 80));
  await assert.rejects(importSource(project, { path: archive }, runInProcess), refused('damaged', /cut\.zip/));
  await assert.rejects(rescanSource(project, 7, {}, runInProcess), refused('not-found', /no source 7/));
  assert.deepEqual(project.store.sources.list(), []);
});

test("the project's own files beside the pictures are not imported", async () => {
  const root = temporaryFolder();
  pictures(root);
  const project = openProject(sqliteStorage, join(root, 'cats.project'), { create: true, program: 'test' });
  open.push(project);
  project.blobs.put(tinyPng(77));
  const { images: found } = await importSource(project, { path: root }, runInProcess);
  assert.equal(found, 12);
  assert.ok(kinds(project).includes('own-file cats.project.files'));
});

test('project and pictures move together', async () => {
  const home = temporaryFolder();
  pictures(join(home, 'old/pictures'));
  const first = openProject(sqliteStorage, join(home, 'old/test.contexture'), { create: true, program: 'test' });
  await importSource(first, { path: join(home, 'old/pictures') }, runInProcess);
  first.close();
  renameSync(join(home, 'old'), join(home, 'new'));
  const project = openProject(sqliteStorage, join(home, 'new/test.contexture'), { program: 'test' });
  open.push(project);
  assert.deepEqual(locateSources(project), []);
  assert.equal(project.store.sources.list()[0].path, join(home, 'new/pictures'));
  const summary = await rescanSource(project, 1, {}, runInProcess);
  assert.deepEqual([summary.unchanged, summary.missing], [12, 0]);
});

test('a moved folder is relinked when the same pictures are there', async () => {
  const home = temporaryFolder();
  const old = join(home, 'old');
  pictures(old);
  const project = newProject();
  const { sourceId } = await importSource(project, { path: old }, runInProcess);
  renameSync(old, join(home, 'new'));
  assert.deepEqual(
    locateSources(project).map(({ id }) => id),
    [sourceId],
  );
  await assert.rejects(rescanSource(project, sourceId, {}, runInProcess), refused('not-found', /relink/));
  assert.ok(
    images(project).every(({ state }) => state === 'ok'),
    'nothing is marked missing for that',
  );
  const path = join(home, 'new');
  assert.deepEqual(await relinkSource(project, sourceId, path), {
    sourceId,
    path,
    images: 12,
    returned: 0,
    compared: 12,
  });
  assert.equal(project.store.sources.get(sourceId)!.path, path);
  assert.deepEqual(locateSources(project), []);
});

test('other pictures are not taken for the old ones', async () => {
  const home = temporaryFolder();
  const old = join(home, 'old');
  pictures(old);
  const project = newProject();
  const { sourceId } = await importSource(project, { path: old }, runInProcess);
  const copy = join(home, 'copy');
  cpSync(old, copy, { recursive: true });
  const relink = (): Promise<unknown> => relinkSource(project, sourceId, copy, { all: true });
  rmSync(join(copy, 'cat/2.png'));
  rmSync(join(copy, 'cat/4.png'));
  await assert.rejects(relink(), refused('changed', /2 of 12 pictures.*cat\/2\.png/));
  writeFileSync(join(copy, 'cat/2.png'), tinyPng(2));
  // Of the same size, and not the same.
  const other = tinyPng(4);
  other[other.length - 20] ^= 1;
  writeFileSync(join(copy, 'cat/4.png'), other);
  await assert.rejects(relink(), refused('changed', /1 of 12 pictures.*cat\/4\.png/));
  const archive = join(home, 'set.zip');
  writeFileSync(archive, zipFile([{ name: 'cat/0.png', data: tinyPng(0) }]));
  await assert.rejects(relinkSource(project, sourceId, archive), refused('usage', /is a folder.*is a zip/));
  await assert.rejects(relinkSource(project, sourceId, join(home, 'none')), refused('not-found', /none/));
  await assert.rejects(
    relinkSource(project, sourceId, copy, { signal: AbortSignal.abort() }),
    refused('cancelled', /nothing has changed/),
  );
  assert.equal(project.store.sources.get(sourceId)!.path, old);
});

test('pictures that were missing and lie in the new place are back', async () => {
  const home = temporaryFolder();
  const old = join(home, 'old');
  pictures(old);
  const copy = join(home, 'copy');
  cpSync(old, copy, { recursive: true });
  const project = newProject();
  const { sourceId } = await importSource(project, { path: old }, runInProcess);
  for (const i of [0, 2]) rmSync(join(old, `cat/${i}.png`));
  rmSync(join(copy, 'cat/2.png'));
  await rescanSource(project, sourceId, {}, runInProcess);
  const { images: inUse, returned } = await relinkSource(project, sourceId, copy);
  assert.deepEqual([inUse, returned], [10, 1]);
  assert.deepEqual(
    states(project).filter((line) => !line.endsWith('ok')),
    ['cat/2.png missing'],
  );
});

test('a job process that is cancelled leaves what it had read', async () => {
  const root = temporaryFolder();
  pictures(root, 900);
  const project = newProject();
  const abort = new AbortController();
  const onEvent = ({ stage, done }: { stage: string; done: number }): void => {
    if (stage === 'Reading pictures' && done > 0) abort.abort();
  };
  const done = await importSource(project, { path: root, onEvent, signal: abort.signal }, runJob).then(
    () => true,
    (error: unknown) => {
      assert.ok(error instanceof UserError && error.code === 'cancelled', String(error));
      return false;
    },
  );
  const kept = images(project).length;
  assert.ok(done || kept < 900);
  const { images: found } = await importSource(project, { path: root }, runJob);
  assert.equal(found, 900);
  assert.ok(!existsSync(join(project.cacheFolder, 'import-1.jsonl')));
});
