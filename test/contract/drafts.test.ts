import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import { UNDO_DEPTH, type Draft, type DraftChange, type Region } from '../../core/api/review.ts';
import { contextsOf, takeBank } from '../../core/contexts/bank.ts';
import { decodeGrey } from '../../core/data/decode.ts';
import { settleDrafts } from '../../core/services/drafts.ts';
import type { Project } from '../../core/storage/project.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { refused, startCaller, type Answer } from './service.ts';

const WIDTH = 600;
const HEIGHT = 300;
/** Larger than a tile each way, so that strokes cross borders of tiles. */
const pictures = [
  ...classOf('train/cat', 2, { width: WIDTH, height: HEIGHT }, 1),
  ...classOf('train/owl', 1, { width: 40, height: 30 }, 100),
  ...classOf('test/cat', 1, { width: 40, height: 30 }, 200),
];
const folder = temporaryFolder();
const root = join(folder, 'pictures');
for (const picture of pictures) await writePicture(root, picture);

const caller = await startCaller();

interface Painter {
  base: string;
  id: string;
  project: Project;
  draft: (context?: number) => Promise<Draft>;
  /** The mask as the service has it, and the revision that it says. */
  values: (context?: number) => Promise<{ revision: number; width: number; height: number; data: Buffer }>;
  paint: (revision: number, region: Region, value: number | Uint8Array, query?: string) => Promise<Answer>;
  step: (what: 'undo' | 'redo' | 'settle', revision: number) => Promise<Answer>;
}

let projects = 0;

/** A project with three contexts, open in the service; each test has its own. */
async function withPainter(work: (painter: Painter) => Promise<void>): Promise<void> {
  const own = join(folder, `own ${++projects}.contexture`);
  const made = await makeProject(own, root, pictures);
  const images = Array.from(made.store.images.iterate()).filter(({ path }) => !path.startsWith('test/'));
  await findSome(
    made,
    images.map(({ id }) => id),
  );
  made.close();
  const { id } = (await caller.call('POST', '/api/projects', { file: own })).json;
  const base = `/api/projects/${id}/contexts`;
  await work({
    base,
    id,
    project: caller.running.service.projects.get(id).project,
    draft: async (context = 1) => (await caller.call('GET', `${base}/${context}/draft`)).json,
    values: async (context = 1) => {
      const { bytes } = await caller.call('GET', `${base}/${context}/draft/values`);
      const [revision, width, height] = [0, 4, 8].map((at) => bytes.readUInt32LE(at));
      return { revision, width, height, data: inflateSync(bytes.subarray(12)) };
    },
    paint: (revision, { x, y, width, height }, value, query = 'tool=brush') => {
      const values = typeof value === 'number' ? new Uint8Array(width * height).fill(value) : value;
      const where = `revision=${revision}&x=${x}&y=${y}&width=${width}&height=${height}`;
      return caller.upload(`${base}/1/draft/strokes?${where}&${query}`, deflateSync(values), 'POST');
    },
    step: (what, revision) => caller.call('POST', `${base}/1/draft/${what}`, { revision }),
  });
  await caller.call('POST', `/api/projects/${id}/close`);
}

/** The same in plain code. */
function painted(data: Uint8Array, { x, y, width, height }: Region, value: number): Buffer {
  const result = Buffer.from(data);
  for (let row = y; row < y + height; row++) result.fill(value, row * WIDTH + x, row * WIDTH + x + width);
  return result;
}

const ACROSS: Region = { x: 200, y: 100, width: 300, height: 180 };
const CORNER: Region = { x: 590, y: 295, width: 10, height: 5 };

test('a mask nobody painted on is its own draft', () =>
  withPainter(async ({ draft, values, project }) => {
    assert.deepEqual(await draft(), {
      context: 1,
      revision: 0,
      baseMask: 1,
      width: WIDTH,
      height: HEIGHT,
      undo: 0,
      redo: 0,
      strokes: [],
      settledMask: 1,
    });
    const { store, blobs } = project;
    const mask = await decodeGrey(blobs.get(store.masks.get(1)!.blob));
    assert.deepEqual(await values(), { revision: 0, width: WIDTH, height: HEIGHT, data: Buffer.from(mask.data) });
  }));

test('strokes change exactly their rectangle, are taken back and redone, and survive closing the project', () =>
  withPainter(async ({ draft, values, paint, step, project, id }) => {
    const before = (await values()).data;
    assert.deepEqual((await paint(0, ACROSS, 255)).json, { revision: 1, undo: 1, redo: 0 });
    const once = painted(before, ACROSS, 255);
    assert.deepEqual((await values()).data, once);
    const again = await paint(1, CORNER, 7, 'tool=eraser&params={"size":12}');
    assert.deepEqual(again.json, { revision: 2, undo: 2, redo: 0 });
    const twice = painted(once, CORNER, 7);
    const { strokes, settledMask } = await draft();
    assert.deepEqual(
      strokes.map(({ tool, undone }) => [tool, undone]),
      [
        ['brush', false],
        ['eraser', false],
      ],
    );
    assert.equal(settledMask, null);
    assert.deepEqual(project.store.drafts.stroke(2).params, { size: 12 });

    await caller.call('POST', `/api/projects/${id}/close`);
    await caller.call('POST', '/api/projects', { file: project.file });
    assert.deepEqual(await values(), { revision: 2, width: WIDTH, height: HEIGHT, data: twice });

    const undone: DraftChange = (await step('undo', 2)).json;
    assert.deepEqual(
      { ...undone, values: '' },
      { revision: 3, undo: 1, redo: 1, ...CORNER, tool: 'eraser', values: '' },
    );
    const changed = inflateSync(Buffer.from(undone.values, 'base64'));
    assert.deepEqual([...changed.subarray(0, 10)], [...once.subarray(295 * WIDTH + 590, 295 * WIDTH + 600)]);
    assert.deepEqual((await values()).data, once);
    assert.equal((await step('undo', 3)).json.undo, 0);
    assert.deepEqual((await values()).data, before);
    refused(await step('undo', 4), 'empty', 422);
    assert.equal((await step('redo', 4)).json.tool, 'brush');
    assert.deepEqual((await values()).data, once);
    assert.deepEqual((await paint(5, CORNER, 9)).json, { revision: 6, undo: 2, redo: 0 }, 'what was undone is gone');
    refused(await step('redo', 6), 'empty', 422);
    assert.deepEqual((await values()).data, painted(once, CORNER, 9));
  }));

test('who has not seen the newest revision changes nothing, and every change is told to all', () =>
  withPainter(async ({ values, paint, step, id }) => {
    const heard: unknown[] = [];
    const stop = caller.running.service.hub.listen(undefined, ({ event }) => heard.push(event));
    await paint(0, ACROSS, 255);
    const { data } = await values();
    assert.match(refused(await paint(0, CORNER, 0), 'conflict', 409), /revision 0, now 1/);
    refused(await paint(2, CORNER, 0), 'conflict', 409);
    refused(await step('undo', 0), 'conflict', 409);
    refused(await step('settle', 0), 'conflict', 409);
    assert.deepEqual((await values()).data, data);
    // Two windows at the same moment: one of them wins.
    const both = await Promise.all([paint(1, CORNER, 1), paint(1, CORNER, 2), paint(1, CORNER, 3)]);
    assert.deepEqual(
      both.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409, 409],
    );
    const winner = both.findIndex(({ status }) => status === 200) + 1;
    assert.deepEqual((await values()).data, painted(data, CORNER, winner));
    stop();
    assert.deepEqual(heard, [
      { type: 'draft', project: id, context: 1, revision: 1 },
      { type: 'draft', project: id, context: 1, revision: 2 },
    ]);
  }));

test('what does not fit is refused in one sentence and changes nothing', () =>
  withPainter(async ({ base, values, paint, draft }) => {
    const { data } = await values();
    refused(await paint(0, { ...CORNER, width: 11 }, 0), 'usage', 400);
    refused(await paint(0, { x: 0, y: 300, width: 1, height: 1 }, 0), 'usage', 400);
    refused(await paint(0, { x: -1, y: 0, width: 1, height: 1 }, 0), 'usage', 400);
    refused(await paint(0, { x: 0, y: 0, width: 0, height: 1 }, 0), 'usage', 400);
    refused(await paint(0, { x: 2 ** 40, y: 0, width: 2 ** 40, height: 2 ** 40 }, new Uint8Array(1)), 'usage', 400);
    refused(await paint(0, CORNER, new Uint8Array(49)), 'usage', 400);
    refused(await paint(0, CORNER, new Uint8Array(51)), 'usage', 400);
    refused(await paint(0, CORNER, 0, 'tool=hammer'), 'usage', 400);
    refused(await paint(0, CORNER, 0, 'tool=brush&params={'), 'usage', 400);
    const where = `${base}/1/draft/strokes?revision=0&tool=brush&x=0&y=0&width=10&height=10`;
    refused(await caller.upload(where, Buffer.from('no zlib stream'), 'POST'), 'damaged', 422);
    refused(await caller.upload(where, deflateSync(new Uint8Array(100)).subarray(0, 5), 'POST'), 'damaged', 422);
    // A hundred megabytes of nothing in a hundred kilobytes.
    refused(await caller.upload(where, deflateSync(new Uint8Array(10 ** 8)), 'POST'), 'usage', 400);
    refused(await caller.upload(where, new Uint8Array(65 * 2 ** 20), 'POST'), 'usage', 400);
    refused(await caller.call('GET', `${base}/99/draft`), 'not-found', 404);
    refused(await caller.call('GET', `${base}/99/draft/values`), 'not-found', 404);
    assert.deepEqual((await values()).data, data);
    assert.equal((await draft()).revision, 0);
  }));

test('settling makes one version of what is painted, once; the strokes stay until something else changes the mask', () =>
  withPainter(async ({ base, draft, values, paint, step, project }) => {
    const { store, blobs } = project;
    await paint(0, ACROSS, 255);
    await paint(1, CORNER, 0, 'tool=eraser');
    const { data } = await values();
    const settled = await step('settle', 2);
    assert.equal(settled.json.draft, false);
    assert.deepEqual(
      settled.json.masks.map(({ id, origin, how }: Record<string, unknown>) => [id, origin, how]),
      [
        [1, 'soft', 'Soft, (1 − saliency)²'],
        [4, 'edit', 'Painted, 2 strokes (brush, eraser)'],
      ],
    );
    assert.equal(settled.json.mask, 4);
    assert.deepEqual(Buffer.from((await decodeGrey(blobs.get(store.masks.get(4)!.blob))).data), data);
    assert.equal((await step('settle', 2)).json.masks.length, 2, 'nothing is painted since');
    const after = await draft();
    assert.deepEqual([after.revision, after.undo, after.baseMask, after.settledMask], [2, 2, 4, 4]);

    // Undo goes on, and what is settled then is a version of its own.
    assert.equal((await step('undo', 2)).json.undo, 1);
    assert.equal((await draft()).settledMask, null);
    assert.equal((await step('redo', 3)).json.undo, 2);
    assert.equal((await step('settle', 4)).json.masks.length, 2, 'as it was');

    // A step like any other: taken back whole, which ends the draft.
    const undone = await caller.call('POST', `${base}/undo`);
    assert.deepEqual([undone.json.kind, undone.json.changed, undone.json.kept], ['mask', 1, 0]);
    const ended = await draft();
    assert.deepEqual([ended.baseMask, ended.undo, ended.redo, ended.settledMask], [1, 0, 0, 1]);
    assert.ok(ended.revision > 4, 'who painted before has to look again');
    refused(await paint(4, CORNER, 0), 'conflict', 409);
  }));

test('a step whose mask has been painted on since is kept when steps are taken back', () =>
  withPainter(async ({ base, paint, step, values }) => {
    await paint(0, ACROSS, 255);
    await step('settle', 1);
    await paint(1, CORNER, 3);
    const { data } = await values();
    const undone = await caller.call('POST', `${base}/undo`);
    assert.deepEqual([undone.json.changed, undone.json.kept], [0, 1]);
    assert.deepEqual((await values()).data, data);
  }));

test('whatever freezes or changes masks settles what is painted first', () =>
  withPainter(async ({ base, id, paint, draft, project }) => {
    const { store } = project;
    await paint(0, ACROSS, 255);
    const decided = await caller.call('POST', `${base}/decide`, { select: { ids: [1] }, state: 'accepted' });
    assert.equal(decided.json.changed, 1);
    assert.deepEqual([(await draft()).settledMask, store.contexts.get(1)!.state], [4, 'accepted']);
    assert.deepEqual(
      contextsOf(takeBank(store)).map(({ maskId }) => maskId),
      [4],
    );
    await paint(1, CORNER, 1);
    const { recipe } = (await caller.call('GET', `/api/projects/${id}/exports/defaults`)).json;
    const preview = { recipe, folder: null, samples: 1, seed: 1 };
    const previewed = await caller.call('POST', `/api/projects/${id}/exports/preview`, preview);
    assert.equal(previewed.status, 200, JSON.stringify(previewed.json));
    assert.equal((await draft()).settledMask, 5);
    await paint(2, CORNER, 2);
    const restored = await caller.call('POST', `${base}/1/restore`, { mask: 1 });
    assert.deepEqual([restored.json.mask, restored.json.masks.length], [1, 4], 'what was painted is in the history');
    await paint(4, CORNER, 3).then(({ status }) => assert.equal(status, 200));
    const task = await caller.call('POST', `${base}/remask`, {
      select: { ids: [1] },
      rule: { form: 'threshold', threshold: 0.5 },
    });
    assert.equal((await caller.ended(task.json)).state, 'done');
    const masks = store.masks.ofImage(store.contexts.get(1)!.imageId);
    assert.deepEqual(
      masks.map(({ origin }) => origin),
      ['soft', 'edit', 'edit', 'edit', 'edit', 'threshold'],
    );
    assert.equal(masks.at(-1)!.parentId, masks.at(-2)!.id);
    assert.equal((await draft()).undo, 0);
  }));

test('of many strokes the newest can be taken back, and a version counts them all', () =>
  withPainter(async ({ base, draft, values, paint, step }) => {
    const count = UNDO_DEPTH + 20;
    for (let i = 0; i < count; i++) {
      await paint(i, { x: i, y: i, width: 2, height: 2 }, i, i < 10 ? 'tool=fill' : 'tool=brush');
    }
    const { data } = await values();
    const now = await draft();
    assert.deepEqual([now.undo, now.strokes.length], [UNDO_DEPTH, UNDO_DEPTH]);
    for (let i = 0; i < UNDO_DEPTH; i++) assert.equal((await step('undo', count + i)).status, 200);
    refused(await step('undo', count + UNDO_DEPTH), 'empty', 422);
    for (let i = 0; i < UNDO_DEPTH; i++) assert.equal((await step('redo', count + UNDO_DEPTH + i)).status, 200);
    assert.deepEqual((await values()).data, data);
    const { json } = await step('settle', count + 2 * UNDO_DEPTH);
    assert.equal(json.masks.at(-1).how, `Painted, ${count} strokes (fill, brush)`);
    assert.equal((await caller.call('POST', `${base}/details`, { ids: [1] })).json[0].draft, false);
  }));

test('strokes of pictures painted long ago are forgotten once settled, those that are not settled never', () =>
  withPainter(async ({ paint, step, project }) => {
    const { store } = project;
    await paint(0, ACROSS, 255);
    await step('settle', 1);
    const bounds = { contexts: 0, most: 2 ** 30 };
    await paint(1, CORNER, 1);
    store.drafts.prune(bounds);
    assert.equal(store.drafts.strokes(1).length, 2);
    await settleDrafts(project);
    store.drafts.prune({ ...bounds, contexts: 1 });
    assert.equal(store.drafts.strokes(1).length, 2);
    store.drafts.prune({ contexts: 1, most: 1 });
    assert.equal(store.drafts.strokes(1).length, 0);
  }));
