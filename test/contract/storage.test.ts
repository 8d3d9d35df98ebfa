import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VerifyResult } from '../../core/api/exports.ts';
import { ProjectStorageUse } from '../../core/api/storage.ts';
import { DEFAULT_RECIPE } from '../../core/export/recipe.ts';
import type { Project } from '../../core/storage/project.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { startCaller } from './service.ts';

process.env.CONTEXTURE_CACHE = temporaryFolder();
const caller = await startCaller();

async function withProject(work: (base: string, project: Project, folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const root = join(folder, 'pictures');
  const pictures = classOf('train/cat', 4, { width: 40, height: 30 }, 1);
  for (const picture of pictures) await writePicture(root, picture);
  const file = join(folder, 'birds.contexture');
  const made = await makeProject(file, root, pictures);
  await findSome(made, [1, 2, 3, 4]);
  made.close();
  const { json } = await caller.call('POST', '/api/projects', { file });
  await work(`/api/projects/${json.id}`, caller.running.service.projects.get(json.id).project, folder);
  await caller.call('POST', `/api/projects/${json.id}/close`);
}

const sizes = (use: unknown): Record<string, [number, number]> =>
  Object.fromEntries(ProjectStorageUse.parse(use).parts.map(({ name, files, bytes }) => [name, [files, bytes]]));

test('sizes are told by part, and only what can be made anew or is not referred to goes', () =>
  withProject(async (base, project, folder) => {
    const stray = project.blobs.put(Buffer.from('a snapshot that no run kept'));
    for (const [path, bytes] of [
      ['cache/packed/a.rgb', 1000],
      ['cache/thumbnails/96/aa/b.webp', 200],
      ['cache/masks/area/aa/b.webp', 30],
      ['cache/saliency/x', 7],
      ['backup/1.contexture', 500],
      ['runs/3/checkpoint', 60],
      ['blobs/README', 5],
    ] as const) {
      const file = join(`${project.file}.files`, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, Buffer.alloc(bytes));
    }
    const before = await caller.call('GET', `${base}/storage`);
    const parts = sizes(before.json);
    assert.deepEqual(parts.packs, [1, 1000]);
    assert.deepEqual(parts.thumbnails, [2, 230]);
    assert.deepEqual(parts['other-cache'], [1, 7]);
    assert.deepEqual(parts.backups, [1, 500]);
    assert.deepEqual(parts.runs, [1, 60]);
    assert.deepEqual(parts.unused, [1, 27]);
    // Four saliency maps and masks, and the file that is none of ours.
    assert.equal(parts.blobs[0], 9);
    assert.ok(before.json.fileBytes > 10_000 && before.json.free > 0);
    assert.equal(before.json.busy, null);

    const all = ['unused', 'packs', 'thumbnails', 'other-cache', 'backups'];
    const freed = await caller.call('POST', `${base}/storage/clean`, { parts: [...all, 'packs'] });
    assert.deepEqual(freed.json, { files: 6, bytes: 1764 });
    assert.equal(project.blobs.has(stray), false);
    const after = sizes((await caller.call('GET', `${base}/storage`)).json);
    for (const part of all) assert.deepEqual(after[part], [0, 0], part);
    assert.deepEqual([after.blobs, after.runs], [parts.blobs, parts.runs]);
    for (const id of [1, 2, 3, 4]) {
      assert.equal((await caller.call('GET', `${base}/contexts/${id}/mask`)).status, 200);
      assert.equal((await caller.call('GET', `${base}/contexts/${id}/saliency`)).status, 200);
    }
    assert.ok(existsSync(join(folder, 'pictures', 'train', 'cat')), 'pictures are never touched');
  }));

test('what the check of an export reads is kept, and the export still verifies to the bit', () =>
  withProject(async (base, _project, folder) => {
    await caller.call('POST', `${base}/contexts/decide`, { select: { filter: {} }, state: 'accepted' });
    const out = join(folder, 'out');
    const recipe = { ...DEFAULT_RECIPE, amount: { kind: 'add', images: 2 } };
    const { json: task } = await caller.call('POST', `${base}/exports`, { folder: out, recipe });
    assert.equal((await caller.ended(task)).state, 'done');
    await caller.call('POST', `${base}/storage/clean`, { parts: ['unused'] });
    const verify = (await caller.call('POST', `${base}/verifications`, { folder: out, rebuild: true })).json;
    const result = VerifyResult.parse((await caller.ended(verify)).result);
    assert.deepEqual([result.ok, result.rebuilt, result.notes], [true, 6, []]);
  }));

test('nothing is cleaned up while something is at work in the project', () =>
  withProject(async (base, _project, folder) => {
    await caller.call('POST', `${base}/contexts/decide`, { select: { filter: {} }, state: 'accepted' });
    const recipe = { ...DEFAULT_RECIPE, amount: { kind: 'add', images: 3000 } };
    const { json: task } = await caller.call('POST', `${base}/exports`, { folder: join(folder, 'out'), recipe });
    const { json } = await caller.call('GET', `${base}/storage`);
    assert.match(json.busy, /“Export to out” is at work/);
    const refused = await caller.call('POST', `${base}/storage/clean`, { parts: ['unused'] });
    assert.deepEqual([refused.status, refused.json.error.code], [409, 'locked']);
    await caller.call('POST', `/api/tasks/${encodeURIComponent(task.id)}/cancel`);
    assert.equal((await caller.call('POST', `${base}/storage/clean`, { parts: ['unused'] })).status, 200);
  }));

test('requests to clean anything else are refused', () =>
  withProject(async (base) => {
    for (const parts of [[], ['blobs'], ['runs'], ['../..'], 'packs', [1]]) {
      assert.equal((await caller.call('POST', `${base}/storage/clean`, { parts })).status, 400);
    }
    for (const parts of [['engine'], ['..']]) {
      assert.equal((await caller.call('POST', '/api/storage/clean', { parts })).status, 400);
    }
  }));

/** An engine as set-up records it, in a cache of another user or an earlier setting. @returns the record */
function engineElsewhere(): string {
  const folder = temporaryFolder();
  const engine = {
    pack: 'cpu',
    tensorflow: '2.21.0',
    folder: join(folder, 'tensorflow-cpu'),
    binding: join(folder, 'binding-1', 'binding.node'),
    libraryPath: [],
    node: process.execPath,
  };
  for (const path of [join(engine.folder, 'lib', 'libtensorflow.so'), engine.binding, join(folder, 'not of it')]) {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, Buffer.alloc(1000));
  }
  const record = join(folder, 'engine.json');
  writeFileSync(record, JSON.stringify(engine));
  return record;
}

/** What of the app's storage is the engine's, where that is recorded in this file. */
async function engineIn(file: string): Promise<unknown> {
  const usual = process.env.CONTEXTURE_ENGINE;
  process.env.CONTEXTURE_ENGINE = file;
  try {
    const { json } = await caller.call('GET', '/api/storage');
    return json.parts.find((part: { name: string }) => part.name === 'engine');
  } finally {
    if (usual === undefined) delete process.env.CONTEXTURE_ENGINE;
    else process.env.CONTEXTURE_ENGINE = usual;
  }
}

test('the engine is counted wherever it lies, once, and has no line where it is not set up', async () => {
  assert.deepEqual(await engineIn(engineElsewhere()), { name: 'engine', files: 2, bytes: 2000 });
  assert.equal(await engineIn(join(temporaryFolder(), 'no engine.json')), undefined);
});

test('of the app’s files the engine stays', async () => {
  const cache = join(process.env.CONTEXTURE_CACHE!, 'contexture');
  for (const path of ['tensorflow/lib.so', 'compiled/x/y', 'logs/defect.log']) {
    mkdirSync(join(cache, path, '..'), { recursive: true });
    writeFileSync(join(cache, path), Buffer.alloc(100));
  }
  const { json } = await caller.call('GET', '/api/storage');
  const [engine, ...others] = json.parts;
  assert.deepEqual(others, [
    { name: 'compiled', files: 1, bytes: 100 },
    { name: 'logs', files: 1, bytes: 100 },
  ]);
  // TensorFlow alone is hundreds of megabytes.
  assert.ok(engine.name === 'engine' && engine.bytes > 1e8, `${engine.bytes} bytes`);
  assert.equal(json.cacheFolder, cache);
  const freed = await caller.call('POST', '/api/storage/clean', { parts: ['compiled', 'logs'] });
  assert.deepEqual(freed.json, { files: 2, bytes: 200 });
  assert.deepEqual(readdirSync(cache), ['tensorflow']);
});

test('the log is told, the engine is described, and the doctor is a task', async () => {
  caller.running.service.log('something worth telling');
  const { json } = await caller.call('GET', '/api/log');
  assert.match(json.lines.at(-1), /^\d{4}-.*Z something worth telling$/);
  const engine = (await caller.call('GET', '/api/engine')).json;
  assert.ok(engine.sentence.length > 10 && engine.cores >= 1 && engine.gpu.bytes > 1e9);
  assert.equal(engine.gpu.refusal === null || /[.]$/.test(engine.gpu.refusal), true);
  const doctor = await caller.call('POST', '/api/doctor');
  assert.deepEqual([doctor.json.kind, doctor.json.command], ['doctor', 'contexture doctor']);
  await caller.call('POST', `/api/tasks/${encodeURIComponent(doctor.json.id)}/cancel`);
  const licences = await caller.call('GET', '/api/licences');
  assert.ok(licences.status === 200 || licences.json.error.code === 'not-found');
});
