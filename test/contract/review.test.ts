import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Progress } from '../../core/base/progress.ts';
import { saliencyDoubt } from '../../core/contexts/review-order.ts';
import { decodeGrey, encodeGrey } from '../../core/data/decode.ts';
import { morph, type Operation } from '../../core/contexts/mask-morphology.ts';
import { compareMasks } from '../../core/services/review-masks.ts';
import type { Project } from '../../core/storage/project.ts';
import { newRun } from '../db/support.ts';
import { classOf, makeProject, writePicture, type Picture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { idsOf, refused, startCaller } from './service.ts';

const AT = '2026-01-01T00:00:00.000Z';
const SIZE = { width: 40, height: 30 };
const pictures = [
  ...classOf('train/cat', 6, SIZE, 1),
  ...classOf('train/owl', 2, SIZE, 100),
  ...classOf('test/cat', 1, SIZE, 200),
];
/** Contexts 1 to 6 are cats, 7 and 8 owls. The picture of the test split has none. */
const caller = await startCaller();

interface Own {
  base: string;
  project: Project;
  folder: string;
  /** What a task of the service came to. */
  done: (method: string, path: string, body: unknown) => Promise<Record<string, unknown>>;
}

async function withOwn(work: (own: Own) => Promise<void>, own: readonly Picture[] = pictures): Promise<void> {
  const folder = temporaryFolder();
  const root = join(folder, 'pictures');
  for (const picture of own) await writePicture(root, picture);
  const file = join(folder, 'own.contexture');
  const made = await makeProject(file, root, own);
  const train = Array.from(made.store.images.iterate()).filter(
    ({ split, path }) => split !== 'test' && !path.includes('extra'),
  );
  await findSome(
    made,
    train.map(({ id }) => id),
  );
  made.close();
  const { id } = (await caller.call('POST', '/api/projects', { file })).json;
  const base = `/api/projects/${id}`;
  const { project } = caller.running.service.projects.get(id);
  await work({
    base,
    project,
    folder,
    done: async (method, path, body) => {
      const added = await caller.call(method, `${base}/${path}`, body);
      assert.equal(added.status, 200, JSON.stringify(added.json));
      const task = await caller.ended(added.json);
      assert.equal(task.state, 'done', JSON.stringify(task.error));
      return task.result as Record<string, unknown>;
    },
  });
  await caller.call('POST', `${base}/close`);
}

async function maskOf({ store, blobs }: Project, context: number): Promise<Uint8Array> {
  const { blob } = store.masks.get(store.contexts.get(context)!.maskId)!;
  return (await decodeGrey(blobs.get(blob))).data;
}

test('the order by gain is doubt x probability x weight of the class', () =>
  withOwn(async ({ base, project }) => {
    const { store, blobs } = project;
    const order = async (): Promise<number[]> => {
      const answer = await caller.call('GET', `${base}/contexts/ids?sort=gain&descending=true`);
      return idsOf(answer).filter((_, index) => index % 2 === 0);
    };
    const expected = async (cat: number, owl: number): Promise<number[]> => {
      const gains = await Promise.all(
        store.contexts.list().map(async ({ id, imageId, probability }) => {
          const [{ blob }] = store.saliencies.ofImage(imageId);
          return { id, gain: saliencyDoubt(await decodeGrey(blobs.get(blob))) * probability * (id <= 6 ? cat : owl) };
        }),
      );
      return gains.toSorted((a, b) => b.gain - a.gain || a.id - b.id).map(({ id }) => id);
    };
    // Six cats and two owls to train on; nothing is known of either.
    assert.deepEqual(await order(), await expected(Math.sqrt(2 / 6) / 2, 1 / 2));
    // Owls turn out well, cats do not: cats come first.
    for (const id of [7, 8]) store.contexts.setState(id, 'accepted', 'ann', AT, store.contexts.addStep(step('accept')));
    for (const id of [1, 2, 3]) {
      store.contexts.setState(id, 'rejected', 'ann', AT, store.contexts.addStep(step('reject')));
    }
    assert.deepEqual(await order(), await expected((Math.sqrt(2 / 6) * 4) / 5, 1 / 4));
    // A mask that a person made is not in doubt.
    const { imageId } = store.contexts.get(4)!;
    const { id: _, ...mask } = store.masks.ofImage(imageId)[0];
    const own = store.masks.add({ ...mask, origin: 'edit', saliencyId: null });
    store.contexts.setMask(4, own.id, 'ann', AT);
    assert.equal((await order()).at(-1), 4);
  }));

const step = (kind: 'accept' | 'reject') => ({ kind, author: 'ann', at: AT }) as const;

test('progress counts by class, says where it was left, and whether it may stop', () =>
  withOwn(async ({ base }) => {
    const progress = async () => (await caller.call('GET', `${base}/review/progress`)).json;
    const none = await progress();
    assert.equal(none.last, null);
    assert.deepEqual(
      none.classes.map(({ name, undecided, drafts, enough }: Record<string, unknown>) => [
        name,
        undecided,
        drafts,
        enough,
      ]),
      [
        ['cat', 6, 0, false],
        ['owl', 2, 0, false],
      ],
    );
    const decide = (ids: number[], state: string) =>
      caller.call('POST', `${base}/contexts/decide`, { select: { ids }, state });
    await decide([7, 8], 'accepted');
    await decide([2], 'rejected');
    const stroke = `${base}/contexts/3/draft/strokes?revision=0&tool=brush&x=1&y=1&width=2&height=1`;
    assert.equal((await caller.upload(stroke, deflateSync(Buffer.from([9, 9])), 'POST')).status, 200);
    const some = await progress();
    assert.deepEqual([some.last.context, some.last.state], [2, 'rejected']);
    const [cat, owl] = some.classes;
    assert.deepEqual([cat.undecided, cat.rejected, cat.drafts, cat.enough], [5, 1, 1, false]);
    assert.deepEqual([owl.accepted, owl.enough, owl.sentence], [2, true, 'Every context is decided on.']);
    assert.match(cat.sentence, /^1 of the last 1 were changed: look at all 5 that are left[.]$/);
    assert.deepEqual([some.all.undecided, some.all.accepted, some.all.rejected, some.all.drafts], [5, 2, 1, 1]);
  }));

test('an operation changes many masks as one step, what was painted included, and is taken back at once', () =>
  withOwn(async ({ base, project, done }) => {
    const before = await Promise.all([1, 2, 3].map((id) => maskOf(project, id)));
    const stroke = `${base}/contexts/1/draft/strokes?revision=0&tool=brush&x=0&y=0&width=1&height=1`;
    await caller.upload(stroke, deflateSync(Buffer.from([77])), 'POST');
    before[0] = Uint8Array.from(before[0]);
    before[0][0] = 77;
    for (const [operation, amount] of [
      ['grow', 3],
      ['binarize', 1],
    ] satisfies [Operation, number][]) {
      const expected = before.map((data) => morph({ ...SIZE, data }, operation, amount));
      const result = await done('POST', 'contexts/morph', { select: { ids: [1, 2, 3] }, operation, amount });
      assert.equal(result.made, 3);
      for (const [i, data] of expected.entries()) {
        assert.deepEqual(Buffer.from(await maskOf(project, i + 1)), Buffer.from(data));
      }
      const undone = await caller.call('POST', `${base}/contexts/undo`);
      assert.deepEqual([undone.json.kind, undone.json.changed], ['mask', 3]);
      for (const [i, data] of before.entries()) {
        assert.deepEqual(Buffer.from(await maskOf(project, i + 1)), Buffer.from(data));
      }
    }
    const morphed = { select: { ids: [1] }, operation: 'grow' };
    refused(await caller.call('POST', `${base}/contexts/morph`, { ...morphed, amount: 0 }), 'usage', 400);
    refused(await caller.call('POST', `${base}/contexts/morph`, { ...morphed, operation: 'melt' }), 'usage', 400);
    refused(
      await caller.call('POST', `${base}/contexts/morph`, { ...morphed, select: { ids: [99] } }),
      'not-found',
      404,
    );
    const none = { ...morphed, select: { filter: { text: 'nothing' } } };
    refused(await caller.call('POST', `${base}/contexts/morph`, none), 'empty', 422);
    const large = await caller.call('POST', `${base}/contexts/morph`, { ...morphed, amount: 201 });
    assert.equal((await caller.ended(large.json)).error?.code, 'usage');
  }));

/** A mask whose left columns are foreground. */
const leftOf = (width: number): Uint8Array => Uint8Array.from({ length: 1200 }, (_, at) => (at % 40 < width ? 0 : 255));

test('masks that a newer model contradicts are told, worst first', () =>
  withOwn(async ({ base, project }) => {
    const { store, blobs } = project;
    refused(await caller.call('GET', `${base}/review/disputed`), 'empty', 422);
    const modelBlob = blobs.put(Buffer.from('a newer model'));
    const run = store.runs.add({ ...newRun(), name: 'newer', state: 'finished', modelBlob });
    // The model sees the foreground in the left columns; how many, by context.
    const columns = [20, 10, 20, 20];
    for (const [i, seen] of columns.entries()) {
      const { imageId } = store.contexts.get(i + 1)!;
      const kept = async (width: number) => ({
        imageId,
        parentId: null,
        params: null,
        ...SIZE,
        area: 0.5,
        author: 'ann',
        createdAt: AT,
        blob: blobs.put(await encodeGrey({ ...SIZE, data: leftOf(width) })),
      });
      const { id: _, doubt: _doubt, ...map } = store.saliencies.ofImage(imageId)[0];
      const saliency = store.saliencies.add({ ...map, modelHash: modelBlob, runId: run.id });
      store.masks.add({ ...(await kept(seen)), origin: 'soft', saliencyId: saliency.id });
      // A person's: six columns; of the third ten, of the fourth one that he rejected.
      const own = store.masks.add({ ...(await kept(i === 2 ? 10 : 6)), origin: 'edit', saliencyId: null });
      store.contexts.setMask(i + 1, own.id, 'ann', AT);
      if (i === 3) store.contexts.setState(4, 'rejected', 'ann', AT);
    }
    const { json } = await caller.call('GET', `${base}/review/disputed`);
    assert.deepEqual([json.run, json.runName, json.compared], [run.id, 'newer', 3]);
    assert.deepEqual(
      json.disputed.map(({ context, iou }: Record<string, unknown>) => [context, iou]),
      [[1, 6 / 20]],
    );
    assert.equal(json.disputed[0].mask, store.contexts.get(1)!.maskId);
    assert.deepEqual((await caller.call('GET', `${base}/review/disputed?run=${run.id}`)).json, json, 'from memory');
    refused(await caller.call('GET', `${base}/review/disputed?run=77`), 'not-found', 404);
  }));

test('many masks are compared as a task with progress before disputed ones are told; few at once', () =>
  withOwn(
    async ({ base, project }) => {
      const { store, blobs } = project;
      refused(await caller.call('POST', `${base}/review/compare`, {}), 'empty', 422);
      const modelBlob = blobs.put(Buffer.from('a newer model'));
      const run = store.runs.add({ ...newRun(), name: 'newer', state: 'finished', modelBlob });
      const dispute = async (context: number, columns: number): Promise<void> => {
        const { imageId } = store.contexts.get(context)!;
        const blob = async (width: number) => blobs.put(await encodeGrey({ ...SIZE, data: leftOf(width) }));
        const kept = { imageId, parentId: null, params: null, ...SIZE, area: 0.5, author: 'ann', createdAt: AT };
        const { id: _, doubt: _doubt, ...map } = store.saliencies.ofImage(imageId)[0];
        const saliency = store.saliencies.add({ ...map, modelHash: modelBlob, runId: run.id });
        store.masks.add({ ...kept, blob: await blob(40), origin: 'soft', saliencyId: saliency.id });
        const own = store.masks.add({ ...kept, blob: await blob(columns), origin: 'edit', saliencyId: null });
        store.contexts.setMask(context, own.id, 'ann', AT);
      };
      for (let context = 1; context <= 17; context++) await dispute(context, context);
      await assert.rejects(compareMasks(project, undefined, { signal: AbortSignal.abort() }), { code: 'cancelled' });
      const compare = () => caller.call('POST', `${base}/review/compare`, {});
      const { task } = (await compare()).json;
      assert.deepEqual([task.kind, task.command.split(' --project')[0]], ['compare-masks', 'contexture bank disputed']);
      const ended = await caller.ended(task);
      assert.equal(ended.state, 'done');
      assert.deepEqual((await compare()).json, { task: null });
      const { json } = await caller.call('GET', `${base}/review/disputed`);
      assert.deepEqual([json.compared, json.disputed.length, json.disputed[0].iou], [17, 17, 1 / 40]);
      // What is painted since is compared with the request, or by whoever asks before.
      await dispute(2, 31);
      const told: Progress[] = [];
      await compareMasks(project, run.id, { onEvent: (event) => void told.push(event) });
      assert.deepEqual(told.at(-1) && [told.at(-1)!.unit, told.at(-1)!.total], ['masks', 1]);
      await dispute(1, 30);
      assert.deepEqual((await compare()).json, { task: null });
      const later = (await caller.call('GET', `${base}/review/disputed`)).json;
      assert.deepEqual([later.compared, later.disputed.length], [17, 15]);
      refused(await caller.call('POST', `${base}/review/compare`, { run: 77 }), 'not-found', 404);
    },
    classOf('train/cat', 17, SIZE, 1),
  ));

/** A dark disc on a bright slope. */
async function discPicture(path: string, { width, height }: { width: number; height: number }): Promise<void> {
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const inside = Math.hypot((at % width) - 60, Math.floor(at / width) - 50) < 30;
    pixels.set(inside ? [150, 40, 30] : [60 + (at % 40), 140, 90 + (at % 17)], 3 * at);
  }
  mkdirSync(dirname(path), { recursive: true });
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
}

const foreground = (inside: (x: number, y: number) => boolean) =>
  Uint8Array.from({ length: 12000 }, (_, at) => (inside(at % 120, Math.floor(at / 120)) ? 0 : 255));

test('a mask is snapped to the edges of its picture, as one stroke', async () => {
  const size = { width: 120, height: 100 };
  const folder = temporaryFolder();
  const root = join(folder, 'pictures');
  const own = [{ file: 'train/cat/a.png', ...size, seed: 1 }];
  await discPicture(join(root, own[0].file), size);
  const file = join(folder, 'own.contexture');
  const made = await makeProject(file, root, own);
  await findSome(made, [1]);
  made.close();
  const { id } = (await caller.call('POST', '/api/projects', { file })).json;
  const base = `/api/projects/${id}/contexts/1/draft`;
  const values = async () => inflateSync((await caller.call('GET', `${base}/values`)).bytes.subarray(12));
  // A rough outline: four pixels off, and too small.
  const rough = foreground((x, y) => Math.hypot(x - 63, y - 52) < 27);
  const truth = foreground((x, y) => Math.hypot(x - 60, y - 50) < 30);
  const whole = 'x=0&y=0&width=120&height=100';
  await caller.upload(`${base}/strokes?revision=0&tool=brush&${whole}`, deflateSync(rough), 'POST');
  const region = { x: 20, y: 10, width: 80, height: 80 };
  const { json } = await caller.call('POST', `${base}/snap`, { revision: 1, region });
  assert.deepEqual([json.revision, json.undo, json.tool, json.x, json.width], [2, 2, 'snap', 20, 80]);
  const snapped = await values();
  const wrong = (mask: Uint8Array) => mask.filter((value, at) => value !== truth[at]).length;
  assert.ok(wrong(rough) > 500 && wrong(snapped) < 30, `${wrong(rough)} pixels were wrong, ${wrong(snapped)} are`);
  const cut = inflateSync(Buffer.from(json.values, 'base64'));
  assert.equal(cut[40 * 80 + 40], snapped[50 * 120 + 60]);
  await caller.call('POST', `${base}/undo`, { revision: 2 });
  assert.deepEqual(await values(), Buffer.from(rough));
  const again = await caller.call('POST', `${base}/snap`, { revision: 3, region });
  assert.equal(again.json.values, json.values, 'the same picture and mask give the same cut');

  refused(await caller.call('POST', `${base}/snap`, { revision: 3, region }), 'conflict', 409);
  refused(await caller.call('POST', `${base}/snap`, { revision: 4, region: { ...region, x: 50 } }), 'usage', 400);
  const corner = { x: 0, y: 0, width: 9, height: 9 };
  refused(await caller.call('POST', `${base}/snap`, { revision: 4, region: corner }), 'empty', 422);
  refused(await caller.call('POST', `${base}/snap`, { revision: 4, region, method: 'magic' }), 'usage', 400);
  await writeFile(join(root, own[0].file));
  refused(await caller.call('POST', `${base}/snap`, { revision: 4, region }), 'changed', 409);
  await caller.call('POST', `/api/projects/${id}/close`);
});

async function writeFile(path: string): Promise<void> {
  await sharp({ create: { width: 120, height: 100, channels: 3, background: 'red' } })
    .png()
    .toFile(path);
}

for (const format of ['png-folder', 'coco-rle'] as const) {
  test(`masks go out and come in again: ${format}`, () =>
    withOwn(async ({ base, project, folder, done }) => {
      const out = join(folder, 'out');
      await done('POST', 'contexts/morph', { select: { filter: {} }, operation: 'binarize', amount: 1 });
      const before = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((id) => maskOf(project, id)));
      const written = await done('POST', 'masks/export', { folder: out, format, select: { filter: {} } });
      assert.deepEqual(written, { written: 8, folder: out });
      refused(
        await caller.call('POST', `${base}/masks/export`, { folder: '', format, select: { filter: {} } }),
        'usage',
        400,
      );
      const path = format === 'png-folder' ? out : join(out, 'masks.json');
      const known = await done('POST', 'masks/import', { path, format });
      assert.deepEqual(known, { imported: 0, made: 0, unchanged: 8, problems: [] });
      await done('POST', 'contexts/morph', { select: { filter: {} }, operation: 'invert' });
      const read = await done('POST', 'masks/import', { path, format });
      assert.deepEqual(read, { imported: 8, made: 0, unchanged: 0, problems: [] });
      for (const [i, data] of before.entries()) {
        assert.deepEqual(Buffer.from(await maskOf(project, i + 1)), Buffer.from(data));
      }
      assert.equal(project.store.masks.get(project.store.contexts.get(1)!.maskId)!.origin, 'import');
      const undone = await caller.call('POST', `${base}/contexts/undo`);
      assert.deepEqual([undone.json.kind, undone.json.changed], ['mask', 8]);
      // Not over what is there.
      const again = await caller.call('POST', `${base}/masks/export`, { folder: out, format, select: { filter: {} } });
      assert.equal((await caller.ended(again.json)).error?.code, 'exists');
    }));
}

test('PNG masks that do not fit are named, those that fit are read; an image without a context gets one', () =>
  withOwn(
    async ({ base, project, folder, done }) => {
      const from = join(folder, 'masks');
      const png = async (name: string, size: { width: number; height: number }) => {
        mkdirSync(dirname(join(from, name)), { recursive: true });
        const data = new Uint8Array(size.width * size.height).fill(255);
        data[0] = 3;
        writeFileSync(join(from, name), await encodeGrey({ ...size, data }));
      };
      const [first, second] = Array.from(project.store.images.iterate(), ({ path }) => path.slice(0, -4));
      await png(`${first}.png`, SIZE);
      await png(`${second}.PNG`, { width: 30, height: 40 });
      await png('nobody.png', SIZE);
      await png('0.png', SIZE);
      const late = Array.from(project.store.images.iterate()).find(({ split }) => split === 'test')!;
      await png(`${late.path.slice(0, -4)}.png`, SIZE);
      writeFileSync(join(from, 'broken.png'), 'no picture');
      writeFileSync(join(from, `${first}.txt`), 'a note');
      symlinkSync('/etc', join(from, 'link'));
      const fresh = project.store.images.byPath(1, 'train/owl/extra.png')!;
      await png('train/owl/extra.png', SIZE);
      const { problems, ...counts } = await done('POST', 'masks/import', { path: from, format: 'png-folder' });
      assert.deepEqual(counts, { imported: 2, made: 1, unchanged: 0 });
      const named = new Map((problems as { name: string; reason: string }[]).map(({ name, reason }) => [name, reason]));
      assert.deepEqual(
        [...named.keys()].toSorted(),
        ['0.png', 'broken.png', `${first}.txt`, 'link', 'nobody.png', `${second}.PNG`, late.path].toSorted(),
      );
      assert.match(named.get(`${second}.PNG`)!, /it is 30 x 40, and .* is 40 x 30/);
      assert.match(named.get('0.png')!, /several images have this name: /);
      assert.match(named.get(late.path)!, /is in the test split/);
      const made = project.store.contexts.ofImage(fresh.id)!;
      assert.deepEqual([made.state, made.probability], ['undecided', 1]);
      // Taken back, the import removes the context that it made; one that was decided on since stays.
      const undone = (await caller.call('POST', `${base}/contexts/undo`)).json;
      assert.ok(undone.changed >= 1);
      assert.equal(project.store.contexts.ofImage(fresh.id), undefined);
      await done('POST', 'masks/import', { path: from, format: 'png-folder' });
      const again = project.store.contexts.ofImage(fresh.id)!;
      project.store.contexts.setState(again.id, 'accepted', 'ann', AT);
      const kept = (await caller.call('POST', `${base}/contexts/undo`)).json;
      assert.ok(kept.kept >= 1);
      assert.equal(project.store.contexts.ofImage(fresh.id)?.state, 'accepted');
    },
    [...pictures, { file: 'train/owl/extra.png', ...SIZE, seed: 300 }],
  ));

test('COCO annotations that do not fit are named, each with its reason', () =>
  withOwn(async ({ base, project, folder, done }) => {
    const images = Array.from(project.store.images.iterate()).map(({ id, path }) => ({
      id,
      file_name: path,
      ...SIZE,
    }));
    const rle = { size: [30, 40], counts: [0, 600, 600] };
    const coco = {
      images: [...images, { id: 99, file_name: 'nobody.jpg', ...SIZE }],
      categories: [
        { id: 1, name: 'cat' },
        { id: 2, name: 'dog' },
      ],
      annotations: [
        { id: 1, image_id: images[0].id, category_id: 1, segmentation: rle, area: 600 },
        { id: 2, image_id: images[0].id, category_id: 2, segmentation: rle, area: 600 },
        { id: 3, image_id: images[1].id, category_id: 1, segmentation: rle, area: 601 },
        { id: 4, image_id: images[2].id, category_id: 1, segmentation: { ...rle, size: [40, 30] } },
        { id: 5, image_id: images[3].id, category_id: 1, segmentation: { ...rle, counts: [1, 2, 3] } },
        { id: 6, image_id: images[4].id, category_id: 1, segmentation: { ...rle, counts: 'zzz' } },
        { id: 7, image_id: images[5].id, category_id: 1, segmentation: [[1, 1, 5, 5, 1]] },
        { id: 9, image_id: images[5].id, category_id: 1, segmentation: 'left half' },
        // Two polygons of one object, whose area by corners is no count of pixels.
        {
          id: 10,
          image_id: images[6].id,
          segmentation: [
            [2, 3, 12, 3, 12, 9, 2, 9],
            [20, 10, 30.5, 10, 25, 20.5],
          ],
          area: 115.125,
        },
        { id: 8, image_id: 1234, category_id: 1, segmentation: rle },
      ],
    };
    const file = join(folder, 'coco.json');
    writeFileSync(file, JSON.stringify(coco));
    const { problems, ...counts } = await done('POST', 'masks/import', { path: file, format: 'coco-rle' });
    assert.deepEqual(counts, { imported: 2, made: 0, unchanged: 0 });
    const polygons = await maskOf(project, 7);
    const isObject = (x: number, y: number): boolean => polygons[y * SIZE.width + x] === 0;
    assert.deepEqual(
      [isObject(2, 3), isObject(11, 8), isObject(12, 8), isObject(25, 15), isObject(20, 15)],
      [true, true, false, true, false],
    );
    const reasons = (problems as { name: string; reason: string }[]).map(({ name, reason }) => `${name}: ${reason}`);
    for (const expected of [
      /annotation 2: its category is dog, and the image is of class cat/,
      /annotation 3: its area is 601, and its RLE sets 600/,
      /annotation 4: its RLE is 30 x 40, and the image 40 x 30/,
      /annotation 5: its runs are 6 pixels, and 40 x 30 are 1200/,
      /annotation 6: its packed runs are no such text/,
      /annotation 7: its polygon has 5 numbers/,
      /annotation 9: its segmentation is neither polygons nor RLE/,
      /image 1234: 1 annotations name it/,
      /nobody[.]jpg: no image of the project has this name/,
      /it has no annotation/,
    ]) {
      assert.ok(
        reasons.some((reason) => expected.test(reason)),
        `${String(expected)} is not in ${reasons.join('; ')}`,
      );
    }
    // Down the columns: the left half is the object, so not context.
    const mask = await maskOf(project, 1);
    assert.deepEqual([mask[0], mask[19], mask[20], mask[39]], [0, 0, 255, 255]);
    for (const [text, code] of [
      ['{', 'damaged'],
      ['{"images":[]}', 'damaged'],
      ['{"images":[],"annotations":[]}', 'empty'],
    ] as const) {
      writeFileSync(file, text);
      const task = await caller.call('POST', `${base}/masks/import`, { path: file, format: 'coco-rle' });
      assert.equal((await caller.ended(task.json)).error?.code, code);
    }
    const gone = await caller.call('POST', `${base}/masks/import`, {
      path: join(folder, 'gone'),
      format: 'png-folder',
    });
    assert.equal((await caller.ended(gone.json)).error?.code, 'not-found');
  }));

test('a written COCO file is what other tools read', () =>
  withOwn(async ({ folder, done, project }) => {
    const out = join(folder, 'coco');
    await done('POST', 'masks/export', { folder: out, format: 'coco-rle', select: { ids: [7] } });
    assert.deepEqual(readdirSync(out), ['masks.json']);
    const coco = JSON.parse(readFileSync(join(out, 'masks.json'), 'utf8'));
    const mask = await maskOf(project, 7);
    const [annotation] = coco.annotations;
    assert.equal(annotation.area, mask.filter((value) => value < 128).length);
    assert.deepEqual(coco.images, [{ id: 7, file_name: project.store.images.get(7)!.path, ...SIZE }]);
    assert.equal(coco.categories.find(({ id }: { id: number }) => id === annotation.category_id).name, 'owl');
    const [left, top, width, height] = annotation.bbox;
    const inside = Array.from(mask.keys()).filter((at) => mask[at] < 128);
    assert.equal(left, Math.min(...inside.map((at) => at % 40)));
    assert.equal(top, Math.min(...inside.map((at) => Math.floor(at / 40))));
    assert.equal(left + width - 1, Math.max(...inside.map((at) => at % 40)));
    assert.equal(top + height - 1, Math.max(...inside.map((at) => Math.floor(at / 40))));
  }));
