/** Contexts from end to end: a trained run finds them, a person decides and corrects, a run is trained with the bank. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { bankHash, contextsOf, takeBank, type BankEntry } from '../../core/contexts/bank.ts';
import { maskFromSaliency, refinedMask, type MaskRule } from '../../core/contexts/mask.ts';
import { decodeGrey, decodeUpright, encodeGrey, type GreyImage } from '../../core/data/decode.ts';
import { runJob } from '../../core/jobs/runner.ts';
import {
  decideContexts,
  editMask,
  listContexts,
  remaskContexts,
  restoreMask,
  showContext,
  type ContextLine,
} from '../../core/services/contexts.ts';
import { findContexts, type FindOptions } from '../../core/services/find-contexts.ts';
import { predictionsOf, showRun, startRun } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import type { TrainOverrides } from '../../core/training/presets.ts';
import type { EpochFigures } from '../../core/training/epoch-figures.ts';
import { quarterPixels, turnedFile } from '../fixtures/images.ts';
import { makeTrainingProject, SAMPLE, TINY } from '../fixtures/training.ts';

const FINDER = { author: 'contexture', at: '2026-01-01T00:00:00.000Z' };
const ANN = { author: 'ann', at: '2026-01-02T00:00:00.000Z' };
const BOB = { author: 'bob', at: '2026-01-03T00:00:00.000Z' };

/** One picture, as it is and as a camera on its side stores it; the class is one of the sample's. */
const UPRIGHT = { width: 48, height: 32 };
const PLAIN = 'train/zz-plain.jpg';
const TURNED = 'train/zz-turned.jpg';

let project: Project;
let pictures: string;
let images: number;
before(async () => {
  ({ project, pictures } = await makeTrainingProject({ ...SAMPLE, largest: 24, ratio: 4 }, async (folder) => {
    const pixels = quarterPixels(UPRIGHT.width, UPRIGHT.height);
    for (const [name, orientation] of [
      [PLAIN, 1],
      [TURNED, 6],
    ] as const) {
      const path = join(folder, inClass(name));
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, await turnedFile(pixels, orientation, 'jpeg'));
    }
  }));
  images = [...project.store.images.iterate({ split: 'train' })].length;
});
after(() => project.close());

/** The odd pictures join a class of the sample. */
function inClass(name: string): string {
  return name.replace('train/', 'train/arrow/');
}

const train = (method: 'ce' | 'csa', overrides: TrainOverrides = {}): Promise<Run> =>
  startRun(project, { method, preset: 'small', overrides: { ...TINY, epochs: 2, ...overrides } }, runJob);
const find = (options: FindOptions): ReturnType<typeof findContexts> => findContexts(project, options, FINDER, runJob);
const contextOf = (name: string): ContextLine =>
  listContexts(project).find(({ image }) => image.path === inClass(name))!;
async function greyOf(blob: string): Promise<GreyImage> {
  const { width, height, data } = await decodeGrey(project.blobs.get(blob));
  return { width, height, data: Uint8Array.from(data) };
}

function rejects(work: Promise<unknown>, code: ErrorCode, sentence: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, sentence);
    return true;
  });
}

/** Finer than in training, so that a batch is few pictures. */
const SIZE = 128;
let first: Run;

test('without a finished run, or with settings out of range, nothing is looked for', async () => {
  await rejects(find({}), 'empty', /No run has finished/);
  await rejects(train('csa', { curatedShare: 1 }), 'empty', /curated bank is empty/);
  first = await train('ce');
  await rejects(find({ runId: 99 }), 'not-found', /no run 99/);
  await rejects(find({ size: 16 }), 'usage', /16 px/);
  await rejects(find({ secondSize: 2048 }), 'usage', /2048 px/);
  await rejects(find({ size: 64, secondSize: 64 }), 'usage', /Both saliency sizes are 64 px/);
  const refine = { radius: 0.7, epsilon: 0.1 };
  await rejects(find({ rule: { form: 'soft', refine } }), 'usage', /radius of 0\.7 and an epsilon of 0\.1/);
  await rejects(find({ probability: { from: 'held-out', folds: 1 } }), 'usage', /1 folds/);
});

test('a cancelled search keeps what it found, and the next call goes on', async () => {
  const stop = new AbortController();
  const cancelled = findContexts(project, { size: SIZE }, FINDER, runJob, {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'progress' && event.stage === 'Finding contexts') stop.abort();
    },
  });
  await rejects(cancelled, 'cancelled', /those found so far are kept/);
  const kept = listContexts(project).length;
  assert.ok(kept > 0 && kept < images, `${kept} of ${images}`);
  assert.deepEqual(await find({ size: SIZE }), { runId: first.id, found: images - kept, known: kept });
  assert.deepEqual(await find({ size: SIZE }), { runId: first.id, found: 0, known: images });
});

test('every training image, and no other, has an undecided context on its own upright pixels', async () => {
  const lines = listContexts(project);
  assert.equal(lines.length, images);
  const seen = predictionsOf(project, first);
  const onLine = new Map([...seen.trainIds].map((id, i) => [id, seen.trainConfidence[i]]));
  for (const { context, image, mask } of lines) {
    assert.deepEqual([image.split, context.state, mask.origin, mask.parentId], ['train', 'undecided', 'soft', null]);
    assert.deepEqual([mask.width, mask.height], [image.width, image.height], image.path);
    const [saliency, ...others] = project.store.saliencies.ofImage(image.id);
    assert.deepEqual(others, [], image.path);
    assert.deepEqual(
      [saliency.modelHash, saliency.runId, saliency.layer, mask.saliencyId],
      [first.modelBlob, first.id, 'stage3', saliency.id],
    );
    assert.deepEqual(saliency.look, { sizes: [SIZE], mirror: false });
    const grey = await greyOf(saliency.blob);
    // Three stages, two of them of stride 2: a quarter of what went in.
    const width = image.width === image.height ? SIZE : SIZE * 1.5;
    assert.deepEqual([grey.width, grey.height], [width / 4, SIZE / 4]);
    // A mask can be made again from the stored saliency, to the last bit.
    const stored = await greyOf(mask.blob);
    assert.deepEqual(stored, maskFromSaliency(grey, image.width, image.height, { form: 'soft' }), image.path);
    const mean = stored.data.reduce((sum, value) => sum + value, 0) / (255 * stored.data.length);
    assert.ok(Math.abs(mask.area - mean) < 1e-9);
    const { probability, probabilityFrom } = saliency;
    assert.deepEqual([probabilityFrom, probability], ['on-line', onLine.get(image.id)], image.path);
    assert.equal(context.probability, probability);
  }
});

test('a picture that a camera stored on its side has the mask of the upright one', async () => {
  const [plain, turned] = [contextOf(PLAIN), contextOf(TURNED)];
  assert.deepEqual([plain.image.orientation, turned.image.orientation], [1, 6]);
  const [expected, found] = [await greyOf(plain.mask.blob), await greyOf(turned.mask.blob)];
  assert.deepEqual([found.width, found.height], [UPRIGHT.width, UPRIGHT.height]);
  const distance = (of: (x: number, y: number) => number): number => {
    let sum = 0;
    for (let y = 0; y < found.height; y++) {
      for (let x = 0; x < found.width; x++) {
        sum += Math.abs(found.data[y * found.width + x] - expected.data[of(x, y)]);
      }
    }
    return sum / found.data.length;
  };
  const { width, height } = UPRIGHT;
  const upright = distance((x, y) => y * width + x);
  assert.ok(upright < 4, `grey levels apart on average: ${upright}`);
  const upsideDown = distance((x, y) => (height - 1 - y) * width + width - 1 - x);
  assert.ok(upsideDown > 10, `the mask tells up from down: ${upsideDown}`);
});

test('decisions are all or none, and each is a step of the history', () => {
  const ids = listContexts(project).map(({ context }) => context.id);
  assert.throws(() => decideContexts(project, [ids[0], 99_999], 'accepted', ANN), { code: 'not-found' });
  assert.equal(project.store.contexts.count().accepted, 0);
  assert.equal(decideContexts(project, ids.slice(0, 20), 'accepted', ANN), 20);
  assert.equal(decideContexts(project, ids.slice(15, 25), 'rejected', BOB), 10);
  assert.equal(decideContexts(project, ids.slice(15, 25), 'rejected', BOB), 0, 'they are already');
  const { accepted, rejected } = project.store.contexts.count();
  assert.deepEqual([accepted, rejected], [15, 10]);
  assert.deepEqual(
    showContext(project, ids[15]).history.map(({ action, author, at }) => [action, author, at]),
    [
      ['created', FINDER.author, FINDER.at],
      ['accepted', 'ann', ANN.at],
      ['rejected', 'bob', BOB.at],
    ],
  );
});

test('a mask can be replaced, made by another rule, and put back; every version stays', async () => {
  const { context, mask: original } = contextOf(TURNED);
  const { id } = context;
  const { width, height } = UPRIGHT;
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i % width < 10 ? 255 : i % 256));
  const file = (name: string, bytes: Uint8Array): string => {
    const path = join(pictures, '..', name);
    writeFileSync(path, bytes);
    return path;
  };
  const stored = file('stored.png', await encodeGrey({ width: height, height: width, data }));
  await rejects(editMask(project, id, stored, ANN), 'usage', /is 32 x 48, but .*zz-turned\.jpg is 48 x 32/);
  await rejects(editMask(project, id, file('x.png', Buffer.from('x')), ANN), 'damaged', /x\.png is not a picture/);
  await rejects(editMask(project, id, join(pictures, 'none.png'), ANN), 'not-found', /none\.png does not exist/);
  await rejects(editMask(project, 99_999, stored, ANN), 'not-found', /no context 99999/);
  assert.deepEqual(showContext(project, id).masks, [original], 'nothing came of it');

  const edited = await editMask(project, id, file('good.png', await encodeGrey({ width, height, data })), ANN);
  assert.deepEqual([edited.origin, edited.parentId, edited.author], ['edit', original.id, 'ann']);
  assert.deepEqual((await greyOf(edited.blob)).data, data);
  const rule: MaskRule = { form: 'threshold', threshold: 0.5 };
  assert.equal(await remaskContexts(project, [id], rule, BOB), 1);
  const hard = showContext(project, id).mask;
  assert.deepEqual([hard.origin, hard.parentId, hard.author], ['threshold', edited.id, 'bob']);
  const values = new Set((await greyOf(hard.blob)).data);
  assert.deepEqual(
    [...values].toSorted((a, b) => a - b),
    [0, 255],
  );
  const other = contextOf(PLAIN).mask;
  await rejects(restoreMask(project, id, other.id, ANN), 'not-found', /no mask version/);
  await restoreMask(project, id, edited.id, ANN);
  const shown = showContext(project, id);
  assert.deepEqual(shown.mask, edited);
  assert.deepEqual(shown.masks, [original, edited, hard]);
  assert.deepEqual(
    shown.history.filter(({ action }) => action === 'mask').map(({ maskId, author }) => [maskId, author]),
    [
      [edited.id, 'ann'],
      [hard.id, 'bob'],
      [edited.id, 'ann'],
    ],
  );
});

test('another model, judged by held-out folds: what a person decided or drew stays, the rest follows', async () => {
  const second = await train('ce', { seed: 2 });
  const old = new Map(listContexts(project).map((line) => [line.context.id, line]));
  const drawn = contextOf(TURNED);
  assert.deepEqual([drawn.context.state, drawn.mask.origin], ['undecided', 'edit']);
  // The newest finished run is asked unless another one is named.
  assert.deepEqual(await find({ probability: { from: 'held-out', folds: 2 } }), {
    runId: second.id,
    found: images,
    known: 0,
  });
  let followed = 0;
  for (const { context, image, mask } of listContexts(project)) {
    const [saliency] = project.store.saliencies.ofImage(image.id);
    assert.deepEqual([saliency.modelHash, saliency.probabilityFrom], [second.modelBlob, 'held-out']);
    assert.ok(saliency.probability > 0 && saliency.probability < 1);
    assert.equal(project.store.masks.ofImage(image.id).at(-1)!.saliencyId, saliency.id, 'the new mask is there');
    const was = old.get(context.id)!;
    if (was.context.state !== 'undecided' || was.mask.origin === 'edit') {
      assert.deepEqual({ context, mask }, { context: was.context, mask: was.mask }, image.path);
    } else {
      followed++;
      assert.deepEqual([mask.saliencyId, context.probability], [saliency.id, saliency.probability]);
    }
  }
  assert.equal(followed, images - 25 - 1);
  // The same question of another kind is not taken for answered.
  const again = { runId: first.id, size: SIZE };
  assert.deepEqual(await find(again), { runId: first.id, found: 0, known: images });
  assert.deepEqual(await find({ ...again, size: 32 }), { runId: first.id, found: images, known: 0 });
});

test('two sizes, mirror images and the edges of the pictures: said with the map, made again from it to the last bit', async () => {
  const rule: MaskRule = { form: 'threshold', threshold: 0.4, refine: { radius: 0.2, epsilon: 1e-3 } };
  const wish = { runId: first.id, size: 32, secondSize: 64, mirror: true, rule };
  assert.deepEqual(await find(wish), { runId: first.id, found: images, known: 0 });
  assert.deepEqual(await find(wish), { runId: first.id, found: 0, known: images });
  const { image, context } = contextOf(PLAIN);
  const [saliency] = project.store.saliencies.ofImage(image.id);
  assert.deepEqual(saliency.look, { sizes: [32, 64], mirror: true });
  const grey = await greyOf(saliency.blob);
  assert.deepEqual([grey.width, grey.height], [24, 16], 'the finer grid');
  assert.deepEqual([Math.min(...grey.data), Math.max(...grey.data)], [0, 255]);
  const made = project.store.masks.ofImage(image.id).find(({ saliencyId }) => saliencyId === saliency.id)!;
  const pixels = await decodeUpright(readFileSync(join(pictures, image.path)));
  const expected = refinedMask(grey, pixels, pixels, { ...rule, refine: { radius: 0.2, epsilon: 1e-3 } });
  assert.deepEqual(await greyOf(made.blob), expected);
  assert.notDeepEqual(expected, maskFromSaliency(grey, image.width, image.height, rule), 'the edges count');
  await restoreMask(project, context.id, made.id, ANN);
  assert.equal(await remaskContexts(project, [context.id], rule, BOB), 1);
  const again = showContext(project, context.id).mask;
  assert.deepEqual([again.blob, again.saliencyId, again.author], [made.blob, saliency.id, 'bob']);
});

test('a picture that has changed or gone is named where its mask is to be refined, and only there', async () => {
  const { context, image, mask } = contextOf(PLAIN);
  const path = join(pictures, image.path);
  const bytes = readFileSync(path);
  const refined: MaskRule = { form: 'soft', refine: { radius: 0.1, epsilon: 1e-3 } };
  const remask = (rule: MaskRule): Promise<number> => remaskContexts(project, [context.id], rule, ANN);
  try {
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('x')]));
    await rejects(remask(refined), 'changed', /zz-plain\.jpg is not the file that was imported\. .*without refinement/);
    rmSync(path);
    await rejects(remask(refined), 'not-found', /zz-plain\.jpg/);
    assert.equal(showContext(project, context.id).mask.id, mask.id);
    assert.equal(await remask({ form: 'soft' }), 1);
  } finally {
    writeFileSync(path, bytes);
  }
});

test('a run with the curated bank alone lays accepted contexts on in every step, and says which bank it was', async () => {
  // Nobody is sure enough for the own bank.
  const run = await train('csa', { curatedShare: 1, delta: 1 });
  const bank = takeBank(project.store);
  assert.equal(bank.length, 15);
  assert.equal(run.bankHash, bankHash(bank));
  assert.deepEqual(JSON.parse(project.blobs.get(run.bankBlob!).toString()) as BankEntry[], bank);
  const figures = showRun(project, run.id).epochs.map((epoch) => epoch.figures as unknown as EpochFigures);
  assert.deepEqual(
    figures.map(({ mixedSteps, steps, bank: own }) => [mixedSteps === steps, own!.count]),
    [
      [false, 0],
      [true, 0],
    ],
  );
  // Another mask is another bank.
  const [{ contextId, imageId }] = contextsOf(bank);
  const { width, height } = project.store.images.get(imageId)!;
  const path = join(pictures, '..', 'other.png');
  writeFileSync(path, await encodeGrey({ width, height, data: new Uint8Array(width * height) }));
  await editMask(project, contextId, path, ANN);
  assert.notEqual(bankHash(takeBank(project.store)), run.bankHash);
});
