import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { encodeGrey } from '../../core/data/decode.ts';
import type { Project } from '../../core/storage/project.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { idsOf, refused, sheetOf, startCaller } from './service.ts';

const pictures = [
  ...classOf('train/cat', 6, { width: 40, height: 30 }, 1),
  ...classOf('train/owl', 2, { width: 30, height: 40 }, 100),
  ...classOf('test/cat', 1, { width: 40, height: 30 }, 200),
];
/** Contexts 1 to 6 are cats, 7 and 8 owls, 9 is a cat of the test split. */
const CATS = [1, 2, 3, 4, 5, 6];

const caller = await startCaller();

/** A project with nine contexts that nobody has decided on, open in the service; each test has its own. */
async function withContexts(work: (base: string, project: Project) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const root = join(folder, 'pictures');
  for (const picture of pictures) await writePicture(root, picture);
  const own = join(folder, 'own.contexture');
  const made = await makeProject(own, root, pictures);
  await findSome(
    made,
    Array.from(made.store.images.iterate(), ({ id }) => id),
  );
  made.close();
  const opened = await caller.call('POST', '/api/projects', { file: own });
  const { id } = opened.json;
  await work(`/api/projects/${id}/contexts`, caller.running.service.projects.get(id).project);
  await caller.call('POST', `/api/projects/${id}/close`);
}

test('contexts are listed by filter and order, and described', () =>
  withContexts(async (base) => {
    const ids = async (query: string) =>
      idsOf(await caller.call('GET', `${base}/ids?${query}`)).filter((_, index) => index % 2 === 0);
    assert.deepEqual(await ids(''), [...CATS, 7, 8, 9]);
    assert.deepEqual(idsOf(await caller.call('GET', `${base}/ids?text=owl`)), [7, 7, 8, 8], 'with the images');
    assert.deepEqual(await ids('sort=probability&descending=true&minProbability=0.6'), [9, 8, 7, 6]);
    assert.deepEqual(await ids('minProbability=0.2&maxProbability=0.4&text=CAT'), [2, 3, 4]);
    assert.deepEqual(await ids('class=1&class=2&text=owl'), [7, 8]);
    assert.deepEqual(await ids('group=few'), [...CATS, 7, 8, 9]);
    assert.deepEqual(await ids('group=many'), []);
    assert.deepEqual(await ids('state=accepted'), []);
    const { json } = await caller.call('POST', `${base}/details`, { ids: [9, 77, 7] });
    assert.deepEqual(
      json.map(({ id, className, state, unused }: Record<string, unknown>) => [id, className, state, unused]),
      [
        [9, 'cat', 'undecided', 'Its image is in the test split, and contexts come from training images only.'],
        [7, 'owl', 'undecided', null],
      ],
    );
    assert.ok(json[1].area > 0.3 && json[1].area < 1);
    assert.equal(json[1].width, 30);
  }));

test('decisions are counted by class and taken back as one step, in order', () =>
  withContexts(async (base, { store }) => {
    const counts = async () => {
      const { json } = await caller.call('GET', `${base}/counts`);
      return [json.undecided, json.accepted, json.rejected, json.lastStep?.kind ?? null, json.lastStep?.contexts ?? 0];
    };
    const decide = (select: object, state: string) => caller.call('POST', `${base}/decide`, { select, state });
    assert.deepEqual(await counts(), [9, 0, 0, null, 0]);
    const first = await decide({ filter: { class: [1], state: ['undecided'] } }, 'accepted');
    assert.equal(first.json.changed, 7);
    assert.deepEqual(
      first.json.counts.classes.map(({ name, train, accepted, undecided }: Record<string, unknown>) => [
        name,
        train,
        accepted,
        undecided,
      ]),
      [
        ['cat', 6, 7, 0],
        ['owl', 2, 0, 2],
      ],
    );
    assert.equal((await decide({ ids: [1, 1, 8] }, 'rejected')).json.changed, 2);
    assert.equal((await decide({ ids: [8] }, 'rejected')).json.changed, 0);
    assert.deepEqual(await counts(), [1, 6, 2, 'reject', 2]);
    const undone = await caller.call('POST', `${base}/undo`);
    assert.deepEqual([undone.json.kind, undone.json.changed, undone.json.kept], ['reject', 2, 0]);
    assert.deepEqual(await counts(), [2, 7, 0, 'accept', 7]);
    store.contexts.setState(2, 'rejected', 'somebody else', '2026-02-01T00:00:00.000Z');
    const again = await caller.call('POST', `${base}/undo`);
    assert.deepEqual([again.json.kind, again.json.changed, again.json.kept], ['accept', 6, 1]);
    assert.deepEqual(await counts(), [8, 0, 1, null, 0]);
    refused(await caller.call('POST', `${base}/undo`), 'empty', 422);
  }));

test('all or none: an unknown context in a batch changes nothing', () =>
  withContexts(async (base, { store }) => {
    const answer = await caller.call('POST', `${base}/decide`, { select: { ids: [1, 99] }, state: 'accepted' });
    refused(answer, 'not-found', 404);
    assert.equal(store.contexts.get(1)!.state, 'undecided');
    assert.equal(store.contexts.lastStep(), undefined);
  }));

test('masks are served whole, as layers and in sheets; a version has an address that never changes', () =>
  withContexts(async (base, { store, blobs }) => {
    const mask = await caller.call('GET', `${base}/7/mask`);
    assert.equal(mask.media, 'image/png');
    assert.deepEqual(mask.bytes, blobs.get(store.masks.get(7)!.blob));
    assert.deepEqual((await caller.call('GET', `${base}/7/mask?version=7`)).bytes, mask.bytes);
    refused(await caller.call('GET', `${base}/7/mask?version=6`), 'not-found', 404);
    refused(await caller.call('GET', `${base}/77/mask`), 'not-found', 404);
    const saliency = await caller.call('GET', `${base}/7/saliency`);
    assert.deepEqual((await sharp(saliency.bytes).metadata()).width, 8);

    const layer = await caller.call('GET', `${base}/7/layer?layer=mask&size=20`);
    assert.equal(layer.media, 'image/webp');
    const { data, info } = await sharp(layer.bytes).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [15, 20, 4]);
    const grey = await sharp(mask.bytes)
      .resize(15, 20, { fit: 'fill', kernel: 'linear' })
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    for (const [x, y] of [
      [0, 0],
      [7, 10],
      [14, 19],
    ]) {
      assert.ok(Math.abs(data[4 * (15 * y + x) + 3] - grey[15 * y + x]) < 24, `opacity at ${x}, ${y}`);
    }

    const sheet = sheetOf(await caller.call('POST', `${base}/sheet`, { layer: 'outline', size: 64, ids: [1, 77, 7] }));
    assert.deepEqual([...sheet.keys()], [1, 77, 7]);
    assert.equal(sheet.get(77), null);
    const outline = await sharp(sheet.get(1)!).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([outline.info.width, outline.info.height], [40, 30]);
    const opacities = new Set(Array.from({ length: 40 * 30 }, (_, i) => outline.data[4 * i + 3]));
    assert.ok(opacities.has(0) && Math.max(...opacities) > 200);
    const twice = sheetOf(await caller.call('POST', `${base}/sheet`, { layer: 'outline', size: 64, ids: [1] }));
    assert.deepEqual(twice.get(1), sheet.get(1));
  }));

test('a mask comes in as a file, is a version, and an earlier one is put back', () =>
  withContexts(async (base, { store }) => {
    const white = await encodeGrey({ width: 40, height: 30, data: new Uint8Array(1200).fill(255) });
    const put = await caller.upload(`${base}/1/mask?name=white.png`, white);
    assert.deepEqual([put.json.area, put.json.origin, put.json.masks.length], [1, 'edit', 2]);
    assert.equal(put.json.masks[1].how, 'From white.png');
    const small = await encodeGrey({ width: 4, height: 3, data: new Uint8Array(12) });
    assert.match(refused(await caller.upload(`${base}/1/mask`, small), 'usage', 400), /4 x 3/);
    refused(await caller.upload(`${base}/1/mask`, Buffer.from('no picture')), 'damaged', 422);
    refused(await caller.upload(`${base}/1/mask`, Buffer.alloc(0)), 'damaged', 422);
    refused(await caller.upload(`${base}/77/mask`, white), 'not-found', 404);
    const back = await caller.call('POST', `${base}/1/restore`, { mask: 1 });
    assert.deepEqual([back.json.mask, back.json.masks.length], [1, 2]);
    refused(await caller.call('POST', `${base}/1/restore`, { mask: 2 }), 'not-found', 404);
    assert.deepEqual(
      back.json.history.map(({ action }: { action: string }) => action),
      ['created', 'mask', 'mask'],
    );
    assert.equal((await caller.call('POST', `${base}/undo`)).json.kind, 'restore');
    assert.notEqual(store.contexts.get(1)!.maskId, 1);
  }));

/** What a task that changes masks says of contexts that nothing was made with. */
const UNUSED = { runs: 0, exports: 0, sentence: 'Nothing was made with them yet.' };

test('masks are made anew by a task, as one step', () =>
  withContexts(async (base, { store }) => {
    const rule = { form: 'threshold', threshold: 0.5 };
    const started = await caller.call('POST', `${base}/remask`, { select: { filter: { class: [1] } }, rule });
    assert.equal(started.json.command, 'contexture bank remask --threshold 0.5 1 2 3 4 5 6 9');
    const task = await caller.ended(started.json);
    assert.deepEqual([task.state, task.result], ['done', { made: 7, madeWith: UNUSED }]);
    assert.deepEqual(
      store.contexts.rows([1, 7]).map(({ origin }) => origin),
      ['threshold', 'soft'],
    );
    const { json } = await caller.call('GET', `${base}/1`);
    assert.equal(json.masks.at(-1).how, 'Cut at saliency 0.5');
    assert.equal((await caller.call('POST', `${base}/undo`)).json.changed, 7);
    assert.deepEqual(store.contexts.get(1)!.maskId, 1);
    refused(await caller.call('POST', `${base}/remask`, { select: { filter: { class: [99] } }, rule }), 'empty', 422);
    refused(await caller.call('POST', `${base}/remask`, { select: { ids: [99] }, rule }), 'not-found', 404);
  }));

test("masks are refined by the pictures' edges, and a picture that is gone is named", () =>
  withContexts(async (base, { store }) => {
    const rule = { form: 'soft', refine: { radius: 0.2, epsilon: 0.01 } };
    const remask = async () =>
      caller.ended((await caller.call('POST', `${base}/remask`, { select: { ids: [2, 7] }, rule })).json);
    const task = await remask();
    assert.equal(
      task.command,
      'contexture bank remask --refine --refine-radius 0.2 --refine-epsilon 0.01 --refine-grain 0 2 7',
    );
    assert.deepEqual([task.state, task.result], ['done', { made: 2, madeWith: UNUSED }]);
    const { json } = await caller.call('GET', `${base}/2`);
    assert.equal(json.masks.at(-1).how, "Soft, (1 − saliency)², at the picture's edges (radius 0.2)");
    const image = store.images.get(store.contexts.get(7)!.imageId)!;
    rmSync(join(store.sources.get(image.sourceId)!.path, image.path));
    const failed = await remask();
    assert.equal(failed.state, 'failed');
    assert.match(JSON.stringify(failed), /owl.* Scan its source again, or make its mask without refinement\./);
  }));

test('a search needs a finished run', () =>
  withContexts(async (base) => {
    assert.deepEqual((await caller.call('GET', `${base}/models`)).json, []);
    const search = (body: object) => caller.call('POST', base.replace('contexts', 'context-searches'), body);
    refused(await search({}), 'empty', 422);
    const refine = { radius: 0, epsilon: 0.01 };
    for (const body of [
      { size: 8 },
      { secondSize: 2000 },
      { mirror: 'yes' },
      { folds: 1 },
      { rule: { form: 'hard' } },
      { rule: { form: 'soft', refine } },
      { run: -1 },
    ]) {
      refused(await search(body), 'usage', 400);
    }
  }));

test('requests that make no sense are refused in a sentence', () =>
  withContexts(async (base) => {
    for (const query of [
      'minProbability=2',
      'minProbability=x',
      'sort=size',
      'state=maybe',
      'class=0',
      'nothing=1',
      'text=' + 'x'.repeat(501),
    ]) {
      refused(await caller.call('GET', `${base}/ids?${query}`), 'usage', 400);
    }
    for (const path of ['0', '-1', '1.5', 'x', '..%2F..', '1%00', '9'.repeat(30)]) {
      const { status } = await caller.call('GET', `${base}/${path}`);
      assert.ok(status === 400 || status === 404, `${path}: ${status}`);
    }
    const wrong = [
      { select: {}, state: 'accepted' },
      { select: { ids: [] }, state: 'accepted' },
      { select: { ids: ['1'] }, state: 'accepted' },
      { select: { ids: [1], filter: {} }, state: 'accepted' },
      { select: { ids: [1] }, state: 'sure' },
      [],
      null,
    ];
    for (const body of wrong) refused(await caller.call('POST', `${base}/decide`, body), 'usage', 400);
    refused(await caller.call('POST', `${base}/sheet`, { layer: 'mask', size: 9999, ids: [1] }), 'usage', 400);
    refused(await caller.call('POST', `${base}/sheet`, { layer: '../mask', size: 64, ids: [1] }), 'usage', 400);
    refused(await caller.call('POST', `${base}/details`, { ids: Array(3000).fill(1) }), 'usage', 400);
    refused(await caller.call('GET', '/api/projects/none/contexts/ids'), 'not-found', 404);
    assert.deepEqual(
      caller.log.filter((line) => line.includes('Error')),
      [],
    );
  }));
