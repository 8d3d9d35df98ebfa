import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { PlanItem } from '../../core/export/item.ts';
import { planExport } from '../../core/export/plan.ts';
import { DEFAULT_RECIPE, ExportRecipe } from '../../core/export/recipe.ts';
import { bankOf, imagesOf, snapshotOf } from '../fixtures/snapshots.ts';

const HEAD = imagesOf(0, 40, 1);
const TAIL = imagesOf(1, 3, 101);
const TEST = [...imagesOf(0, 5, 201, 'test'), ...imagesOf(1, 5, 301, 'test')];
const SNAPSHOT = snapshotOf([...HEAD, ...TAIL, ...TEST]);
const BANK = bankOf([...HEAD.slice(0, 10), ...TAIL]);
const recipe = (fields: Partial<ExportRecipe>): ExportRecipe =>
  ExportRecipe.parse({ ...DEFAULT_RECIPE, amount: { kind: 'fill', to: 20 }, ...fields });
const fails = (code: ErrorCode, text: RegExp, work: () => unknown): void =>
  assert.throws(work, (error) => error instanceof UserError && error.code === code && text.test(error.message));

/** Originals and added pictures of each class. */
const classCounts = (fields: Partial<ExportRecipe>): number[][] =>
  planExport(SNAPSHOT, BANK, recipe(fields)).classes.map(({ originals, added }) => [originals, added]);

const bad = (fields: object): boolean => !ExportRecipe.safeParse({ ...recipe({}), ...fields }).success;

/** How often each value occurs. */
function tally<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

test('equal input gives an equal plan, another seed another', () => {
  assert.deepEqual(planExport(SNAPSHOT, BANK, recipe({})), planExport(SNAPSHOT, BANK, recipe({})));
  assert.notDeepEqual(planExport(SNAPSHOT, BANK, recipe({})), planExport(SNAPSHOT, BANK, recipe({ seed: 2 })));
  for (const item of planExport(SNAPSHOT, BANK, recipe({})).items) assert.deepEqual(PlanItem.parse(item), item);
});

test('each way to say how many', () => {
  assert.deepEqual(classCounts({ amount: { kind: 'fill', to: 20 } }), [
    [40, 0],
    [3, 17],
  ]);
  assert.deepEqual(classCounts({ amount: { kind: 'fill', to: 20 }, originals: false }), [
    [0, 20],
    [0, 20],
  ]);
  assert.deepEqual(classCounts({ amount: { kind: 'add', images: 7 } }), [
    [40, 7],
    [3, 7],
  ]);
  assert.deepEqual(classCounts({ amount: { kind: 'multiply', by: 2 }, originals: false }), [
    [0, 80],
    [0, 6],
  ]);
});

test('only training images are used, each about equally often, and files are unique', () => {
  const { items } = planExport(SNAPSHOT, BANK, recipe({ amount: { kind: 'add', images: 100 } }));
  const training = new Set([...HEAD, ...TAIL].map(({ hash }) => hash));
  for (const { source, context, split } of items) {
    assert.equal(split, 'train');
    assert.ok(training.has(source.hash) && (context === null || training.has(context.image.hash)));
  }
  const added = items.filter(({ kind, class: name }) => kind === 'mixed' && name === 'class 1');
  assert.deepEqual(new Set(tally(added.map(({ source }) => source.id)).values()), new Set([33, 34]));
  assert.equal(new Set(items.map(({ file }) => file)).size, 43 + 200);
  assert.ok(items.some(({ file }) => file === 'train/class 1/0000102-2.png'));
});

test('copied splits hold the images of those splits and nothing else', () => {
  const { items } = planExport(SNAPSHOT, BANK, recipe({ copy: ['test'] }));
  const copied = items.filter(({ split }) => split === 'test');
  assert.deepEqual(
    copied.map(({ source }) => source.id),
    TEST.map(({ id }) => id),
  );
  assert.ok(copied.every(({ kind, context, file }) => kind === 'original' && !context && file.startsWith('test/')));
});

test('a training image that is also a test image is left out and named', () => {
  const [twin] = TEST;
  const leaked = { ...HEAD[0], hash: twin.hash };
  const snapshot = snapshotOf([leaked, ...HEAD.slice(1), ...TAIL, ...TEST]);
  const plan = planExport(
    snapshot,
    bankOf([leaked, ...HEAD.slice(1, 4)]),
    recipe({ amount: { kind: 'add', images: 50 } }),
  );
  assert.deepEqual(
    plan.leftOut.map(({ id }) => id),
    [leaked.id],
  );
  for (const { source, context } of plan.items) {
    assert.ok(source.hash !== twin.hash && context?.image.hash !== twin.hash);
  }
});

test('no picture is its own context, by content', () => {
  const twin = { ...TAIL[1], hash: TAIL[0].hash };
  const snapshot = snapshotOf([...HEAD, TAIL[0], twin, TAIL[2], ...TEST]);
  const { items } = planExport(
    snapshot,
    bankOf([TAIL[0], twin, TAIL[2]]),
    recipe({ amount: { kind: 'add', images: 300 } }),
  );
  for (const { source, context } of items) assert.notEqual(context?.image.hash, source.hash);
  const alone = (): unknown => planExport(SNAPSHOT, bankOf([TAIL[0]]), recipe({ amount: { kind: 'add', images: 5 } }));
  fails('empty', /not enough accepted contexts/, alone);
});

test('the reuse cap holds, and what it does not allow is refused', () => {
  // 17 pictures for the tail from 13 contexts.
  const { items } = planExport(SNAPSHOT, BANK, recipe({ reuse: 2 }));
  const uses = tally(items.flatMap(({ context }) => (context ? [context.id] : [])));
  assert.ok(Math.max(...uses.values()) <= 2);
  assert.equal(
    [...uses.values()].reduce((sum, count) => sum + count),
    17,
  );
  fails('empty', /used 1 times at most.*Raise that limit/, () => planExport(SNAPSHOT, BANK, recipe({ reuse: 1 })));
});

test('contexts come from the named classes only', () => {
  const { items } = planExport(SNAPSHOT, BANK, recipe({ contextClasses: ['class 0'] }));
  const head = new Set(HEAD.map(({ id }) => id));
  assert.ok(items.every(({ context }) => context === null || head.has(context.image.id!)));
  fails('usage', /no class "cow"/, () => planExport(SNAPSHOT, BANK, recipe({ contextClasses: ['cow'] })));
});

test('lambda and windows stay in their ranges', () => {
  const { items } = planExport(
    SNAPSHOT,
    BANK,
    recipe({ lambda: { min: 0.4, max: 0.6 }, amount: { kind: 'add', images: 200 } }),
  );
  const lambdas = items.flatMap(({ context }) => (context ? [context.lambda] : []));
  assert.equal(lambdas.length, 400);
  assert.ok(lambdas.every((lambda) => lambda >= 0.4 && lambda <= 0.6));
  assert.ok(Math.min(...lambdas) < 0.42 && Math.max(...lambdas) > 0.58);
  for (const { context, width, height } of items) {
    if (!context) continue;
    const { resized, left, top } = context.crop;
    assert.ok(left + width <= resized.width && top + height <= resized.height);
  }
});

test('a size makes every picture square; without one each keeps its own', () => {
  const own = planExport(SNAPSHOT, BANK, recipe({})).items.find(
    ({ source, kind }) => source.id === 1 && kind === 'original',
  )!;
  assert.deepEqual([own.width, own.height, own.crop], [21, 29, null]);
  const square = planExport(SNAPSHOT, BANK, recipe({ size: 64, copy: ['test'] })).items;
  assert.ok(square.every(({ width, height, crop }) => width === 64 && height === 64 && crop !== null));
});

test('control arm "no-paste": plain copies of the same sources', () => {
  const method = planExport(SNAPSHOT, BANK, recipe({}));
  const control = planExport(SNAPSHOT, [], recipe({ arm: 'no-paste' }));
  assert.deepEqual(
    control.items.map(({ file, source }) => [file, source]),
    method.items.map(({ file, source }) => [file, source]),
  );
  assert.ok(control.items.every(({ context, kind }) => context === null && kind !== 'mixed'));
});

test('control arm "same-class": contexts of the own class only', () => {
  const { items } = planExport(SNAPSHOT, BANK, recipe({ arm: 'same-class', amount: { kind: 'add', images: 30 } }));
  const classOf = new Map(SNAPSHOT.images.map(({ id, label }) => [id, `class ${label}`]));
  for (const { context, class: name } of items) assert.ok(context === null || classOf.get(context.image.id!) === name);
  const missing = (): unknown => planExport(SNAPSHOT, bankOf(HEAD), recipe({ arm: 'same-class' }));
  fails('empty', /contexts of the class "class 1" itself/, missing);
});

test('control arm "random": any training image, a rectangle as large as an accepted mask', () => {
  const { items } = planExport(
    SNAPSHOT,
    bankOf(HEAD.slice(0, 2), 0.5),
    recipe({ arm: 'random', reuse: 3, amount: { kind: 'add', images: 50 } }),
  );
  const mixed = items.filter(({ kind }) => kind === 'mixed');
  assert.equal(mixed.length, 100);
  const uses = tally(mixed.map(({ context }) => context!.image.id));
  assert.ok(uses.size > 30 && Math.max(...uses.values()) <= 3);
  const sizes = new Map(SNAPSHOT.images.map((image) => [image.id, image]));
  for (const { context } of mixed) {
    const { width, height } = sizes.get(context!.image.id!)!;
    const { mask } = context!;
    assert.ok(context!.id === null && mask.kind === 'rectangle');
    assert.ok(Math.abs((mask.width * mask.height) / (width * height) - 0.5) < 0.05);
  }
  fails('empty', /Random regions are as large as/, () => planExport(SNAPSHOT, [], recipe({ arm: 'random' })));
});

test('a class without training images, or nothing asked for, is refused', () => {
  const only = snapshotOf([...HEAD, ...imagesOf(1, 2, 301, 'test')]);
  fails('empty', /"class 1" has no training image/, () => planExport(only, BANK, recipe({})));
  const nothing = recipe({ amount: { kind: 'add', images: 0 }, originals: false });
  fails('empty', /no picture at all/, () => planExport(SNAPSHOT, BANK, nothing));
  fails('empty', /^The data set has no training images to export/, () => planExport(snapshotOf([]), [], recipe({})));
});

test('a recipe is checked', () => {
  assert.ok(
    bad({ lambda: { min: 0.6, max: 0.4 } }) &&
      bad({ size: 4 }) &&
      bad({ format: { kind: 'bmp' } }) &&
      bad({ reuse: 0 }),
  );
  assert.ok(bad({ more: 1 }) && bad({ mask: { kind: 'binary', threshold: 0 } }) && !bad({}));
});
