import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import type { ExportRecipe } from '../../core/export/recipe.ts';
import { DEFAULT_RECIPE } from '../../core/export/recipe.ts';
import { ExportTaskResult, Recipe, VerifyResult } from '../../core/api/exports.ts';
import { ExportRecipe as ExportRecipeSchema } from '../../core/export/recipe.ts';
import { makeBirds } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { refused, startCaller } from './service.ts';

const caller = await startCaller();

const RECIPE: ExportRecipe = { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: 8 } };

/** A project of 6 cats with accepted contexts, 2 owls without, a test cat; open in the service. */
async function withProject(work: (base: string, folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const file = await makeBirds(folder);
  const { json } = await caller.call('POST', '/api/projects', { file });
  await work(`/api/projects/${json.id}`, folder);
  await caller.call('POST', `/api/projects/${json.id}/close`);
}

test('a new export starts from all classes filled to the largest, in a folder that is free', () =>
  withProject(async (base, folder) => {
    const { json } = await caller.call('GET', `${base}/exports/defaults`);
    assert.deepEqual(json, {
      recipe: { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: 6 } },
      folder: join(folder, 'birds augmented'),
      classes: [
        { name: 'cat', train: 6, group: 'few' },
        { name: 'owl', train: 2, group: 'few' },
      ],
      val: 0,
      test: 1,
      acceptedContexts: 6,
    });
    mkdirSync(json.folder);
    assert.equal((await caller.call('GET', `${base}/exports/defaults`)).json.folder, `${json.folder} 2`);
  }));

test('a preview says what the export would give, with pictures that it would write', () =>
  withProject(async (base, folder) => {
    const out = join(folder, 'out');
    const preview = async (recipe: object, more: object = {}) =>
      (await caller.call('POST', `${base}/exports/preview`, { recipe, folder: out, samples: 6, seed: 3, ...more }))
        .json;
    const first = await preview(RECIPE);
    assert.equal(first.problem, null);
    assert.deepEqual(first.classes, [
      { name: 'cat', images: 6, originals: 6, added: 2 },
      { name: 'owl', images: 2, originals: 2, added: 6 },
    ]);
    assert.deepEqual([first.pictures, first.added, first.contexts.accepted, first.contexts.usable], [16, 8, 6, 6]);
    assert.equal(first.samples.length, 6);
    for (const sample of first.samples) {
      assert.equal(sample.kind, 'mixed');
      assert.ok(sample.lambda >= 0 && sample.lambda <= 1 && sample.contextImage >= 1);
      const { width, height, format } = await sharp(Buffer.from(sample.picture, 'base64')).metadata();
      assert.deepEqual([width, height, format], [sample.width, sample.height, 'webp']);
    }
    assert.ok(new Set(first.samples.map((sample: { class: string }) => sample.class)).size === 2);
    assert.ok(first.bytes > 16 * 1000 && first.free > first.bytes);
    assert.ok(!existsSync(out), 'nothing is written');
    const other = await preview(RECIPE, { seed: 4 });
    const files = (result: typeof first) => result.samples.map(({ file }: { file: string }) => file);
    assert.notDeepEqual(files(other), files(first));

    // The export writes these very pictures.
    const { json: task } = await caller.call('POST', `${base}/exports`, { folder: out, recipe: RECIPE });
    assert.equal((await caller.ended(task)).state, 'done');
    const [{ file, picture }] = first.samples;
    const [written, shown] = await Promise.all([
      sharp(join(out, file)).raw().toBuffer(),
      sharp(Buffer.from(picture, 'base64')).raw().toBuffer(),
    ]);
    const difference = written.reduce((sum, value, i) => sum + Math.abs(value - shown[i]), 0) / written.length;
    assert.ok(difference < 8, `mean difference ${difference} of 255`);
    assert.match((await preview(RECIPE)).problem, /is not empty/);
  }));

test('a preview of what cannot be exported says why, and still counts', () =>
  withProject(async (base) => {
    const preview = async (recipe: object) =>
      (await caller.call('POST', `${base}/exports/preview`, { recipe, samples: 2 })).json;
    const own = await preview({ ...RECIPE, arm: 'same-class' });
    assert.match(own.problem, /not enough accepted contexts of the class "owl"/);
    assert.deepEqual([own.pictures, own.samples], [16, []]);
    assert.match((await preview({ ...RECIPE, contextClasses: ['dodo'] })).problem, /no class "dodo"/);
    assert.match((await preview({ ...RECIPE, reuse: 1, amount: { kind: 'add', images: 50 } })).problem, /used 1 times/);
    assert.match(
      (await preview({ ...RECIPE, amount: { kind: 'add', images: 1_000_000 } })).problem,
      /2000008 pictures/,
    );
    const many = await preview({ ...RECIPE, amount: { kind: 'fill', to: 200 } });
    assert.match(many.warnings.join(' '), /6 contexts are laid over 392 pictures, each about 65 times/);
    assert.match(many.warnings.join(' '), /owl \(198 of 2\)/);
    const zero = await preview({ ...RECIPE, lambda: { min: 0, max: 0 } });
    assert.match(zero.warnings.join(' '), /plain copies/);
  }));

test('a class can have an amount of its own', () =>
  withProject(async (base, folder) => {
    const recipe = { ...RECIPE, perClass: [{ class: 'owl', amount: { kind: 'add', images: 1 } }] };
    const { json } = await caller.call('POST', `${base}/exports/preview`, { recipe, samples: 0 });
    assert.deepEqual(
      json.classes.map(({ added }: { added: number }) => added),
      [2, 1],
    );
    const out = join(folder, 'out');
    const { json: task } = await caller.call('POST', `${base}/exports`, { folder: out, recipe });
    assert.match(task.command, / --fill 8 --class=owl=\+1$/);
    assert.equal((await caller.ended(task)).state, 'done');
    assert.equal(readdirSync(join(out, 'train', 'owl')).length, 3);
    const twice = { ...RECIPE, perClass: [recipe.perClass[0], recipe.perClass[0]] };
    refused(await caller.call('POST', `${base}/exports`, { folder: join(folder, 'b'), recipe: twice }), 'usage', 400);
  }));

test('an export is a task, is verified, and is listed with its lineage; the next one starts from its recipe', () =>
  withProject(async (base, folder) => {
    const out = join(folder, "Ann's export");
    const recipe = { ...RECIPE, copy: ['test'], seed: 7, size: 24 };
    const dry = await caller.call('POST', `${base}/exports`, { folder: out, recipe, dryRun: true });
    const planned = await caller.ended(dry.json);
    assert.equal(planned.state, 'done');
    assert.ok(!existsSync(out));
    const { json: started } = await caller.call('POST', `${base}/exports`, { folder: out, recipe });
    assert.equal(
      started.command,
      `contexture export '${folder}/Ann'\\''s export' --fill 8 --copy test --size 24 --seed 7`,
    );
    const task = await caller.ended(started);
    assert.equal(task.state, 'done', JSON.stringify(task.error));
    const result = ExportTaskResult.parse(task.result);
    assert.deepEqual(
      [result.state, result.pictures, result.report?.ok, result.report?.proven],
      ['finished', 17, true, 17],
    );
    const { json: rows } = await caller.call('GET', `${base}/exports`);
    assert.equal(rows.length, 1);
    assert.deepEqual(
      [rows[0].path, rows[0].state, rows[0].images, rows[0].there, rows[0].unfinished],
      [out, 'verified', 17, true, false],
    );
    const { json: detail } = await caller.call('GET', `${base}/exports/${rows[0].id}`);
    assert.deepEqual([detail.lineage.mixed, detail.lineage.plain, detail.lineage.sources], [8, 9, 9]);
    assert.equal(
      detail.lineage.lambda.reduce((a: number, b: number) => a + b),
      8,
    );
    assert.equal(detail.lineage.changedContexts, 0);
    assert.equal(detail.lineage.mostUsed[0].uses, 2);
    assert.deepEqual(detail.manifest.classes[1], {
      name: 'owl',
      folder: 'owl',
      originals: 2,
      added: 6,
      train: 8,
      val: 0,
      test: 0,
    });
    assert.deepEqual((await caller.call('GET', `${base}/exports/defaults`)).json.recipe, recipe);

    // What changes later is seen.
    await caller.call('POST', `${base}/contexts/decide`, { select: { ids: [1] }, state: 'rejected' });
    const uses = await caller.call('GET', `${base}/exports/${rows[0].id}`);
    assert.equal(uses.json.lineage.changedContexts, 1);

    const verify = async (body: object) =>
      caller.ended((await caller.call('POST', `${base}/verifications`, { folder: out, ...body })).json);
    const again = VerifyResult.parse((await verify({ rebuild: true })).result);
    assert.deepEqual([again.ok, again.rebuilt, again.problemCount], [true, 17, 0]);
    const [name] = readdirSync(join(out, 'train', 'owl'));
    appendFileSync(join(out, 'train', 'owl', name), 'x');
    writeFileSync(join(out, 'stray.txt'), 'x');
    const bad = await verify({});
    assert.equal(bad.state, 'done');
    const report = VerifyResult.parse(bad.result);
    assert.equal(report.ok, false);
    assert.deepEqual(report.problems.map(({ kind }) => kind).toSorted(), ['changed', 'extra']);
    assert.equal((await caller.call('GET', `${base}/exports`)).json[0].state, 'failed');
    assert.equal((await verify({ folder: join(folder, 'nothing') })).error?.code, 'not-found');
  }));

test('an export is paused and goes on', () =>
  withProject(async (base, folder) => {
    const out = join(folder, 'out');
    const recipe = { ...RECIPE, amount: { kind: 'add', images: 800 }, size: 96 };
    const { json: started } = await caller.call('POST', `${base}/exports`, { folder: out, recipe });
    for (;;) {
      const { json } = await caller.call('GET', `/api/tasks/${encodeURIComponent(started.id)}`);
      if (json.progress?.stage.startsWith('Writing') && json.progress.done > 50) break;
      assert.ok(json.state === 'queued' || json.state === 'running', JSON.stringify(json));
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    const paused = await caller.call('POST', `/api/tasks/${encodeURIComponent(started.id)}/pause`);
    assert.equal(paused.json.state, 'paused');
    const { json: rows } = await caller.call('GET', `${base}/exports`);
    assert.deepEqual([rows[0].state, rows[0].unfinished], ['stopped', true]);
    const resumed = await caller.call('POST', `/api/tasks/${encodeURIComponent(started.id)}/resume`);
    const ended = await caller.ended(resumed.json);
    assert.equal(ended.state, 'done');
    assert.equal((await caller.call('GET', `${base}/exports`)).json.length, 1);
  }));

test('the page and the export have one recipe', () => {
  const good = [
    RECIPE,
    { ...RECIPE, perClass: [{ class: 'a', amount: { kind: 'multiply', by: 3 } }] },
    { ...RECIPE, mask: { kind: 'binary', threshold: 0.5 }, format: { kind: 'webp', quality: 3 }, size: 8, reuse: 1 },
  ];
  const wrong = [
    { ...RECIPE, size: 7 },
    { ...RECIPE, size: 5000 },
    { ...RECIPE, amount: { kind: 'fill', to: 0 } },
    { ...RECIPE, amount: { kind: 'fill', to: 1_000_001 } },
    { ...RECIPE, amount: { kind: 'multiply', by: 1001 } },
    { ...RECIPE, mask: { kind: 'binary', threshold: 0 } },
    { ...RECIPE, format: { kind: 'png', quality: 3 } },
    { ...RECIPE, format: { kind: 'jpeg', quality: 101 } },
    { ...RECIPE, contextClasses: [] },
    { ...RECIPE, reuse: 0 },
    { ...RECIPE, copy: ['train'] },
    { ...RECIPE, seed: -1 },
    { ...RECIPE, more: 1 },
    { ...RECIPE, lambda: { min: -1, max: 1 } },
  ];
  for (const recipe of good) {
    assert.deepEqual(Recipe.parse(recipe), recipe);
    assert.deepEqual(ExportRecipeSchema.parse(recipe), recipe);
  }
  for (const recipe of wrong) {
    assert.equal(Recipe.safeParse(recipe).success, false, JSON.stringify(recipe));
    assert.equal(ExportRecipeSchema.safeParse(recipe).success, false, JSON.stringify(recipe));
  }
});

test('requests that make no sense are refused in a sentence', () =>
  withProject(async (base, folder) => {
    const start = (body: unknown) => caller.call('POST', `${base}/exports`, body);
    const out = join(folder, 'out');
    refused(await start({ folder: 'relative', recipe: RECIPE }), 'usage', 400);
    refused(await start({ folder: `${out}\0x`, recipe: RECIPE }), 'usage', 400);
    refused(await start({ folder: out }), 'usage', 400);
    refused(await start({ folder: out, recipe: { ...RECIPE, lambda: { min: 0.9, max: 0.1 } } }), 'usage', 400);
    refused(await start({ folder: out, recipe: { ...RECIPE, __proto__: null, extra: 1 } }), 'usage', 400);
    refused(await caller.call('POST', `${base}/exports/preview`, { recipe: RECIPE, samples: 1000 }), 'usage', 400);
    refused(await caller.call('GET', `${base}/exports/99`), 'not-found', 404);
    refused(await caller.call('GET', `${base}/exports/x`), 'usage', 400);
    const inside = await caller.ended((await start({ folder: join(folder, 'pictures', 'out'), recipe: RECIPE })).json);
    assert.equal(inside.error?.code, 'usage');
    assert.match(inside.error.message, /where images are read from/);
    assert.deepEqual((await caller.call('GET', `${base}/exports`)).json, []);
  }));
