/** Ids, details, thumbnails, pictures, views: good, bad and hostile. */
import assert from 'node:assert/strict';
import { appendFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import type { ImageDetails, ImageFacts, SavedView } from '../../core/api/images.ts';
import type { OpenedProject } from '../../core/api/projects.ts';
import type { Tail } from '../../core/api/stats.ts';
import type { Task } from '../../core/api/tasks.ts';
import { loopbackAccess, privateAccess, type Access } from '../../core/server/access.ts';
import { startContract, type AskOptions, type Contract } from '../fixtures/contract.ts';
import { animation, patternPixels, quarterPixels, rgbBmp, rgbPng, tinyPng, turnedFile } from '../fixtures/images.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { zipFile } from '../fixtures/zip-file.ts';

const P = '/api/projects/{project}';
const PICTURE = `GET ${P}/images/{image}/picture`;

interface Served {
  contract: Contract;
  params: { project: string };
}

/** A project with what lies at `path` imported. */
async function served(path: string, access: Access = privateAccess): Promise<Served> {
  const contract = startContract(access);
  const file = join(access.roots[0] ?? temporaryFolder(), 'test.contexture');
  const { id } = await contract.get<OpenedProject>('POST /api/projects', { body: { file, create: true } });
  const params = { project: id };
  const task = await contract.get<Task>(`POST ${P}/imports`, { params, body: { path } });
  const { state, error } = await contract.ended(task);
  assert.equal(state, 'done', JSON.stringify(error));
  return { contract, params };
}

const entry = (name: string, seed: number) => ({ name, data: tinyPng(seed), method: 0 as const });

async function idsOf({ contract, params }: Served, query: Record<string, unknown> = {}): Promise<number[]> {
  const response = await contract.ask(`GET ${P}/images/ids`, { params, query });
  assert.equal(response.status, 200, await response.clone().text());
  return [...new Uint32Array(await response.arrayBuffer())];
}

async function pathsOf(project: Served, query: Record<string, unknown> = {}): Promise<string[]> {
  const ids = await idsOf(project, query);
  const { contract, params } = project;
  const rows = await contract.get<ImageDetails[]>(`POST ${P}/images/details`, { params, body: { ids } });
  return rows.map(({ path }) => path);
}

const idOf = async (project: Served, text: string): Promise<number> => (await idsOf(project, { text }))[0];

/** Bytes of a sheet of thumbnails by id; null where there is none. */
async function sheetOf({ contract, params }: Served, size: number, ids: number[]): Promise<Map<number, Buffer | null>> {
  const response = await contract.ask(`POST ${P}/thumbnails`, { params, body: { size, ids } });
  assert.equal(response.status, 200);
  const bytes = Buffer.from(await response.arrayBuffer());
  const sheet = new Map<number, Buffer | null>();
  const count = bytes.readUInt32LE(0);
  let at = 4 + 8 * count;
  for (let i = 0; i < count; i++) {
    const length = bytes.readUInt32LE(8 + 8 * i);
    sheet.set(bytes.readUInt32LE(4 + 8 * i), length === 0 ? null : bytes.subarray(at, at + length));
    at += length;
  }
  assert.equal(at, bytes.length);
  return sheet;
}

test('ids by every filter of the page', async () => {
  const folder = temporaryFolder();
  for (let i = 0; i < 8; i++) writeTree(folder, { [`train/owl/${i}.png`]: tinyPng(i) });
  writeTree(folder, {
    'train/ant/a.png': tinyPng(20),
    'test/ant/b.png': tinyPng(21),
    'test/ant/same.png': tinyPng(20),
    'test/owl/frames.gif': await animation('gif', [patternPixels(8, 8, 1), patternPixels(8, 8, 2)]),
  });
  const project = await served(folder);
  const { contract, params } = project;
  const { classes } = await contract.get<Tail>(`GET ${P}/tail`, { params });
  const [ant, owl] = classes.map(({ id }) => id);
  await contract.get(`PUT ${P}/groups`, { params, body: { many: 5, few: 2 } });
  assert.equal((await idsOf(project)).length, 12);
  assert.deepEqual(await pathsOf(project, { class: ant }), ['test/ant/b.png', 'test/ant/same.png', 'train/ant/a.png']);
  assert.equal((await idsOf(project, { class: [ant, owl] })).length, 12);
  assert.equal((await idsOf(project, { group: 'many' })).length, 9);
  assert.equal((await idsOf(project, { group: ['few', 'medium'] })).length, 3);
  assert.deepEqual(await idsOf(project, { group: 'few', class: owl }), []);
  assert.equal((await idsOf(project, { split: 'train' })).length, 9);
  assert.deepEqual(await idsOf(project, { split: 'unassigned' }), []);
  assert.deepEqual(await pathsOf(project, { duplicates: 'leak' }), ['test/ant/same.png', 'train/ant/a.png']);
  assert.deepEqual(await idsOf(project, { duplicates: 'conflict' }), []);
  assert.deepEqual(await pathsOf(project, { problem: 'first-frame' }), ['test/owl/frames.gif']);
  assert.deepEqual(await pathsOf(project, { text: 'OWL/7', state: 'ok', excluded: false, source: 1 }), [
    'train/owl/7.png',
  ]);
  assert.equal((await pathsOf(project, { sort: 'class' }))[0], 'test/ant/b.png');
  assert.equal((await pathsOf(project, { sort: 'path', descending: true }))[0], 'train/owl/7.png');
  assert.equal((await pathsOf(project, { sort: 'size' }))[11], 'test/owl/frames.gif');
  assert.equal((await pathsOf(project, { sort: 'date' })).length, 12);
});

test('filters that are not valid are refused, and values never become SQL', async () => {
  const folder = temporaryFolder();
  writeTree(folder, { "it's/1.png": tinyPng(1), 'b/2.png': tinyPng(2) });
  const project = await served(folder);
  const { contract, params } = project;
  const query = (values: Record<string, unknown>): AskOptions => ({ params, query: values });
  for (const values of [
    { class: 'one' },
    { class: -1 },
    { class: 1.5 },
    { group: 'huge' },
    { split: 'all' },
    { state: 'gone' },
    { excluded: 'maybe' },
    { duplicates: 'yes' },
    { sort: 'colour' },
    { sort: 'path; DROP TABLE image' },
    { unknown: 1 },
    { text: 'x'.repeat(600) },
  ]) {
    await contract.refused(`GET ${P}/images/ids`, 'usage', query(values));
  }
  assert.deepEqual(await pathsOf(project, { text: "it's" }), ["it's/1.png"]);
  assert.deepEqual(await pathsOf(project, { text: "' OR 1=1 --" }), []);
  assert.deepEqual(await pathsOf(project, { problem: "x' OR '1'='1" }), []);
  assert.equal((await idsOf(project)).length, 2);
  await contract.refused(`GET ${P}/images/ids`, 'not-found', { params: { project: '../..' } });
  const details = `POST ${P}/images/details`;
  assert.deepEqual(await contract.get(details, { params, body: { ids: [77] } }), []);
  for (const body of [{}, { ids: 1 }, { ids: ['1'] }, { ids: [0] }, { ids: [2 ** 32] }, { ids: Array(2001).fill(1) }]) {
    await contract.refused(details, 'usage', { params, body });
  }
  assert.deepEqual(contract.log, []);
});

test('a picture is upright, no larger than asked, in its own format where nothing is asked', async () => {
  const folder = temporaryFolder();
  const turned = await turnedFile(quarterPixels(60, 40), 6, 'jpeg');
  writeTree(folder, {
    'a/turned.jpg': turned,
    'a/lines.bmp': rgbBmp(patternPixels(30, 20)),
    'a/large.png': rgbPng(patternPixels(700, 300)),
  });
  const project = await served(folder);
  const { contract, params } = project;
  const picture = async (text: string, query: object) => {
    const options = { params: { ...params, image: await idOf(project, text) }, query: { ...query } };
    const response = await contract.ask(PICTURE, options);
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(response.status, 200, bytes.toString('utf8', 0, 300));
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const { format, width, height } = await sharp(bytes).metadata();
    return {
      bytes,
      type: response.headers.get('content-type'),
      format,
      width,
      height,
      etag: response.headers.get('etag'),
    };
  };
  const whole = await picture('turned', {});
  assert.ok(whole.bytes.equals(turned), 'the file itself');
  assert.equal(whole.type, 'image/jpeg');
  const small = await picture('turned', { size: 30 });
  assert.deepEqual(
    [small.type, small.width, small.height],
    ['image/webp', 60, 40],
    'rounded up to a size that is kept',
  );
  assert.deepEqual((await picture('large', { size: 128 })).width, 128);
  assert.deepEqual((await picture('large', { size: 600 })).width, 600);
  assert.deepEqual((await picture('large', { size: 2000 })).width, 700, 'never enlarged');
  const bmp = await picture('lines', {});
  assert.deepEqual([bmp.type, bmp.format, bmp.width], ['image/webp', 'webp', 30], 'a browser shows no BMP everywhere');

  const image = { ...params, image: await idOf(project, 'turned') };
  const again = await contract.ask(PICTURE, { params: image, headers: { 'if-none-match': whole.etag! } });
  assert.equal(again.status, 304);
  await contract.refused(PICTURE, 'usage', { params: image, query: { size: 8 } });
  await contract.refused(PICTURE, 'usage', { params: image, query: { size: 100_000 } });
  await contract.refused(PICTURE, 'usage', { params: { ...params, image: '1/../2' } });
  await contract.refused(PICTURE, 'not-found', { params: { ...params, image: 999 } });
});

test('a file that changed, shrank, vanished or became a link to another is not shown as what was imported', async () => {
  const folder = temporaryFolder();
  const secret = join(temporaryFolder(), 'secret.txt');
  writeFileSync(secret, 'nobody may read this');
  const names = ['same-size', 'longer', 'gone', 'link', 'folder', 'fine'];
  for (const [i, name] of names.entries()) writeTree(folder, { [`a/${name}.png`]: tinyPng(i) });
  const project = await served(folder);
  const { contract, params } = project;
  const at = (name: string): string => join(folder, `a/${name}.png`);
  writeFileSync(at('same-size'), tinyPng(77).subarray(0, tinyPng(0).length));
  appendFileSync(at('longer'), 'x');
  rmSync(at('gone'));
  unlinkSync(at('link'));
  symlinkSync(secret, at('link'));
  rmSync(at('folder'));
  writeTree(folder, { 'a/folder.png/': '' });
  const sentences = new Map<string, string>();
  for (const [name, code] of [
    ['same-size', 'changed'],
    ['longer', 'changed'],
    ['gone', 'not-found'],
    ['link', 'changed'],
    ['folder', 'unreadable'],
  ] as const) {
    for (const query of [{}, { size: 64 }, { size: 2048 }]) {
      const image = await idOf(project, `a/${name}.`);
      sentences.set(name, await contract.refused(PICTURE, code, { params: { ...params, image }, query }));
    }
  }
  assert.match(sentences.get('longer')!, /a\/longer\.png is not the file that was imported\. Scan its source again\.$/);
  assert.match(sentences.get('gone')!, /a\/gone\.png of \S+ cannot be read: it is gone.*Scan its source again\.$/);
  const sheet = await sheetOf(project, 64, [...(await idsOf(project)), 4242]);
  const shown = [...sheet].filter(([, bytes]) => bytes !== null).map(([id]) => id);
  assert.deepEqual(shown, [await idOf(project, 'fine')]);
  assert.equal(sheet.get(4242), null);
  assert.equal(sheet.size, 7);
  renameSync(folder, `${folder}-moved`);
  const lost = await contract.refused(PICTURE, 'not-found', {
    params: { ...params, image: await idOf(project, 'fine') },
  });
  assert.match(lost, /cannot be read/);
  renameSync(`${folder}-moved`, folder);
  assert.deepEqual(contract.log, []);
});

test('a name in the project file that leads out of its folder is not followed', async () => {
  const folder = temporaryFolder();
  writeTree(folder, { 'pictures/a/1.png': tinyPng(1), 'outside.png': tinyPng(1) });
  const project = await served(join(folder, 'pictures'));
  const { contract, params } = project;
  const { store } = contract.service.projects.get(params.project).project;
  const image = store.images.get(await idOf(project, '1.png'))!;
  store.images.upsert([{ ...image, path: '../outside.png' }]);
  const forged = store.images.byPath(image.sourceId, '../outside.png')!.id;
  const sentence = await contract.refused(PICTURE, 'no-permission', { params: { ...params, image: forged } });
  assert.match(sentence, /leads out of the folder/);
  assert.equal((await sheetOf(project, 512, [forged])).get(forged), null);
});

test('links that lead out of the roots of a browser are not followed', async () => {
  const root = temporaryFolder();
  const outside = temporaryFolder();
  writeTree(outside, { '1.png': tinyPng(1) });
  writeTree(root, { 'set/a/2.png': tinyPng(2) });
  symlinkSync(join(outside, '1.png'), join(root, 'set/a/1.png'));
  const project = await served(join(root, 'set'), loopbackAccess([root]));
  const { contract, params } = project;
  const link = { ...params, image: await idOf(project, 'a/1.png') };
  await contract.refused(PICTURE, 'no-permission', { params: link });
  const inside = { ...params, image: await idOf(project, 'a/2.png') };
  assert.equal((await contract.ask(PICTURE, { params: inside })).status, 200);
});

test('pictures in a zip file, which may be replaced meanwhile', async () => {
  const zip = join(temporaryFolder(), 'set.zip');
  writeFileSync(zip, zipFile([entry('a/1.png', 1), entry('b/2.png', 2)]));
  const project = await served(zip);
  const { contract, params } = project;
  const first = { ...params, image: await idOf(project, 'a/1.png') };
  const response = await contract.ask(PICTURE, { params: first });
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(tinyPng(1)));
  assert.equal((await sheetOf(project, 64, await idsOf(project))).size, 2);
  writeFileSync(`${zip}.new`, zipFile([entry('a/1.png', 9), entry('c/3.png', 3)]));
  renameSync(`${zip}.new`, zip);
  await contract.refused(PICTURE, 'changed', { params: first });
  const second = { ...params, image: await idOf(project, 'b/2.png') };
  assert.match(await contract.refused(PICTURE, 'not-found', { params: second }), /no longer in the zip file/);
  rmSync(zip);
  assert.match(await contract.refused(PICTURE, 'not-found', { params: first }), /relink it/);
  writeFileSync(zip, 'no zip file');
  await contract.refused(PICTURE, 'damaged', { params: first });
});

test('a sheet that nobody waits for reads no more files', async () => {
  const folder = temporaryFolder();
  for (let i = 0; i < 40; i++) writeTree(folder, { [`a/${i}.png`]: tinyPng(i, 64) });
  const project = await served(folder);
  const { contract, params } = project;
  const abort = new AbortController();
  const ids = await idsOf(project);
  abort.abort();
  const body = { size: 48, ids };
  await contract.ask(`POST ${P}/thumbnails`, { params, body, signal: abort.signal }).catch(() => {});
  const { files } = contract.service.projects.get(params.project);
  let reads = 0;
  const read = files.read.bind(files);
  files.read = (...values) => {
    reads += 1;
    return read(...values);
  };
  await sheetOf(project, 48, ids);
  assert.equal(reads, 40, 'nothing had been made');
  for (const bad of [{ size: 4, ids }, { size: 64, ids: [] }, { size: 64, ids: Array(513).fill(1) }, { ids }]) {
    await contract.refused(`POST ${P}/thumbnails`, 'usage', { params, body: bad });
  }
});

test('all about one image: as found and in force, copies, problems', async () => {
  const folder = temporaryFolder();
  writeTree(folder, {
    'train/owl/1.png': tinyPng(1),
    'test/owl/1.png': tinyPng(1),
    'train/ant/2.png': tinyPng(2),
    'train/ant/3.gif': await animation('gif', [patternPixels(8, 8, 1), patternPixels(8, 8, 2)]),
  });
  const project = await served(folder);
  const { contract, params } = project;
  const image = await idOf(project, 'train/owl/1.png');
  await contract.get(`POST ${P}/edits/relabel`, { params, body: { ids: [image], class: 'eagle', create: true } });
  const facts = await contract.get<ImageFacts>(`GET ${P}/images/{image}`, { params: { ...params, image } });
  assert.deepEqual(
    [facts.className, facts.foundClass, facts.split, facts.foundSplit, facts.sourcePath],
    ['eagle', 'owl', 'train', 'train', folder],
  );
  assert.deepEqual([facts.width, facts.height, facts.format, facts.context], [8, 8, 'png', null]);
  assert.deepEqual(
    facts.copies.map(({ path, className, split }) => [path, className, split]),
    [['test/owl/1.png', 'owl', 'test']],
  );
  const frames = { ...params, image: await idOf(project, '3.gif') };
  const { problems } = await contract.get<ImageFacts>(`GET ${P}/images/{image}`, { params: frames });
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ['first-frame'],
  );
  await contract.refused(`GET ${P}/images/{image}`, 'not-found', { params: { ...params, image: 12345 } });
});

test('views are kept in the project', async () => {
  const folder = temporaryFolder();
  writeTree(folder, { 'a/1.png': tinyPng(1), 'b/2.png': tinyPng(2) });
  const { contract, params } = await served(folder);
  assert.deepEqual(await contract.get(`GET ${P}/views`, { params }), []);
  const views = [{ name: 'Few', query: { group: ['few'], descending: true } }];
  const kept = await contract.get<SavedView[]>(`PUT ${P}/views`, { params, body: { views } });
  assert.deepEqual(kept, [{ name: 'Few', query: { group: ['few'], descending: true, sort: 'path' } }]);
  assert.deepEqual(await contract.get(`GET ${P}/views`, { params }), kept);
  const twice = await contract.refused(`PUT ${P}/views`, 'usage', { params, body: { views: [...kept, ...kept] } });
  assert.match(twice, /called Few/);
  await contract.refused(`PUT ${P}/views`, 'usage', { params, body: { views: [{ name: '', query: {} }] } });
  await contract.refused(`PUT ${P}/views`, 'usage', { params, body: { views: [{ name: 'x', query: { sort: 'y' } }] } });
  assert.deepEqual(await contract.get(`GET ${P}/views`, { params }), kept);
});
