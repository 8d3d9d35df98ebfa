import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { before, test } from 'node:test';
import sharp from 'sharp';
import { LeftoverContext, LeftoverOutcome, LeftoverReport } from '../../core/api/leftover.ts';
import { SwapContext, SwapPreview } from '../../core/api/swap.ts';
import { Task } from '../../core/api/tasks.ts';
import { run, type Result } from '../cli/command-line.ts';
import { startContract } from '../fixtures/contract.ts';
import { leftoverProject } from '../fixtures/leftovers.ts';

const served = startContract();
let base: string;
const printed: Record<'swap' | 'none' | 'check' | 'fine', Result> = Object.create(null);

before(async () => {
  const { project } = await leftoverProject();
  project.close();
  const cwd = dirname(project.file);
  printed.swap = await run(['bank', 'swap', '3', '1', '2', '--run', '2', '--lambda', '0,1'], { cwd });
  printed.none = await run(['bank', 'leftover'], { cwd });
  printed.check = await run(['bank', 'leftover', '--check', '--run', '1', '--part', 'all', '--limit', '3'], { cwd });
  printed.fine = await run(['bank', 'fine', '1'], { cwd });
  await run(['bank', 'fine', '1', '--forget'], { cwd });
  const { id } = await served.service.openProject(project.file, { create: false });
  base = `/api/projects/${id}/bank`;
});

const png = async (key: string, query: object): Promise<Buffer> => {
  const response = await served.ask(key, { query: { ...query } });
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'image/png']);
  return sharp(Buffer.from(await response.arrayBuffer()))
    .raw()
    .toBuffer();
};

test('contexts are drawn by a seed, and a run says what it sees of the image in front of them', async () => {
  const draw = (query: object): Promise<SwapContext[]> =>
    served.get(`GET ${base}/swap/draw`, { query: { image: 3, ...query } });
  const drawn = SwapContext.array().parse(await draw({ count: 4 }));
  assert.equal(new Set(drawn.map(({ context }) => context)).size, 4);
  assert.deepEqual(await draw({ count: 4, seed: 1 }), drawn);
  assert.notDeepEqual(await draw({ count: 4, seed: 2 }), drawn);
  assert.ok(drawn.every(({ image }) => image !== 3));

  const contexts = drawn.map(({ context }) => context);
  const body = { image: 3, run: 2, contexts, lambdas: [0, 0.5, 1] };
  const preview = SwapPreview.parse(await served.get(`POST ${base}/swap`, { body }));
  assert.deepEqual([preview.heads, preview.judgedBy], [['uniform', 'balanced', 'mean'], 'balanced']);
  assert.deepEqual(
    preview.rows.map(({ context, image, className, mask }) => ({ context, image, className, mask })),
    drawn,
  );
  for (const { cells } of preview.rows) {
    assert.equal(cells.length, 3);
    // With lambda 0 it is the picture as it is.
    for (const [head, answer] of cells[0].entries()) {
      assert.equal(answer.changed, false);
      assert.ok(Math.abs(answer.probability - preview.plain[head].probability) < 1e-5);
    }
    for (const [head, answer] of cells[2].entries()) {
      assert.equal(answer.changed, answer.name !== preview.plain[head].name);
      assert.equal(answer.right, answer.name === preview.className);
      assert.ok(answer.truth !== null && (!answer.right || answer.truth === answer.probability));
    }
  }
  // A whole mask with lambda 1 leaves nothing of the picture but its name: the answer is that to the lender.
  const whole = { image: 3, run: 2, contexts: [2], lambdas: [1] };
  const [lent] = SwapPreview.parse(await served.get(`POST ${base}/swap`, { body: whole })).rows;
  const itself = SwapPreview.parse(
    await served.get(`POST ${base}/swap`, { body: { ...whole, image: lent.image, lambdas: [0] } }),
  );
  assert.deepEqual(
    lent.cells[0].map(({ name }) => name),
    itself.plain.map(({ name }) => name),
  );
});

const picture = (query: object): Promise<Buffer> => png(`GET ${base}/swap/picture`, { image: 3, run: 2, ...query });
/** Where a pixel of a picture of 32 lies. */
const at = (x: number, y: number): number => (y * 32 + x) * 3;

test('the pictures are those that the run sees', async () => {
  const plain = await picture({});
  assert.equal(plain.length, 32 * 32 * 3);
  assert.deepEqual(await picture({ context: 1, lambda: 0 }), plain);
  const half = await picture({ context: 2, lambda: 0.5 });
  const full = await picture({ context: 2, lambda: 1 });
  // Context 2 is a whole picture.
  for (const [i, value] of half.entries()) assert.equal(value, Math.floor((plain[i] + full[i]) / 2 + 0.5));
  assert.deepEqual(await picture({ context: 1, lambda: 1, threshold: 0.5 }), await picture({ context: 1, lambda: 1 }));
});

test('a preview of what is not there is refused', async () => {
  const body = { image: 3, run: 2, contexts: [1], lambdas: [1] };
  for (const [code, change] of [
    ['not-found', { image: 9999 }],
    ['not-found', { run: 99 }],
    ['not-found', { contexts: [1, 9999] }],
    ['usage', { contexts: [] }],
    ['usage', { contexts: Array.from({ length: 13 }, (_, i) => i + 1) }],
    ['usage', { lambdas: [0, 0.1, 0.2, 0.3, 0.4, 0.5] }],
    ['usage', { lambdas: [1.1] }],
    ['usage', { mask: { kind: 'binary' } }],
    ['usage', { mask: { kind: 'binary', threshold: 0 } }],
    ['usage', { other: 1 }],
  ] as const) {
    await served.refused(`POST ${base}/swap`, code, { body: { ...body, ...change } });
  }
  await served.refused(`GET ${base}/swap/draw`, 'not-found', { query: { image: 9999 } });
  await served.refused(`GET ${base}/swap/draw`, 'usage', { query: { image: 3, count: 13 } });
  await served.refused(`GET ${base}/swap/picture`, 'not-found', { query: { image: 3, run: 2, context: 9999 } });
  await served.refused(`GET ${base}/swap/picture`, 'usage', { query: { image: 3, run: 2, lambda: 2 } });
});

test('the bank is checked as a task; what is flagged comes first, with its pictures; fine is remembered', async () => {
  const path = `${base}/leftover`;
  served.takeTopics();
  const task = Task.parse(await served.get(`POST ${path}`, { body: { run: 1 } }));
  assert.deepEqual([task.kind, task.command], ['leftover', 'contexture bank leftover --check --run 1']);
  const ended = await served.ended(task);
  assert.equal(ended.state, 'done');
  assert.deepEqual(served.takeTopics(), ['contexts']);
  const outcome = LeftoverOutcome.parse(ended.result);
  const report = LeftoverReport.parse(await served.get(`GET ${path}`));
  assert.deepEqual([report.run, report.checked, report.open], [1, outcome.checked, outcome.flagged]);
  assert.ok(report.open > 0);
  const list = async (query: object): Promise<{ total: number; contexts: LeftoverContext[] }> =>
    served.get(`GET ${path}/contexts`, { query: { ...query } });
  const { total, contexts } = await list({ limit: 1 });
  const [worst] = LeftoverContext.array().parse(contexts);
  assert.deepEqual([total, worst.flagged, worst.stale, worst.fine], [report.open, true, false, false]);

  const painted = await png(`GET ${path}/contexts/${worst.context}/picture`, { run: 1 });
  const whole = await png(`GET ${path}/contexts/${worst.context}/picture`, { run: 1, whole: true });
  assert.deepEqual(whole, await png(`GET ${base}/swap/picture`, { image: worst.image, run: 1 }));
  const cut = await png(`GET ${path}/contexts/1/picture`, { run: 1 });
  // In the middle of context 1 there is the mean colour, to the left of it the picture.
  const own = await png(`GET ${path}/contexts/1/picture`, { run: 1, whole: true });
  assert.deepEqual([...cut.subarray(at(16, 16), at(17, 16))], [125, 123, 114]);
  assert.deepEqual(cut.subarray(at(2, 2), at(3, 2)), own.subarray(at(2, 2), at(3, 2)));
  assert.equal(painted.length, whole.length);

  assert.deepEqual(await served.get(`POST ${path}/fine`, { body: { ids: [worst.context] } }), { changed: 1 });
  assert.deepEqual(served.takeTopics(), ['contexts']);
  assert.equal((await list({})).total, report.open - 1);
  assert.deepEqual(
    (await list({ part: 'fine' })).contexts.map(({ context }) => context),
    [worst.context],
  );
  await served.get(`POST ${path}/fine`, { body: { ids: [worst.context], fine: false } });
  assert.equal((await list({})).total, report.open);
});

test('a check that cannot be made is refused before a task is', async () => {
  const path = `${base}/leftover`;
  const known = served.service.tasks.list().length;
  await served.refused(`POST ${path}`, 'not-found', { body: { run: 99 } });
  await served.refused(`POST ${path}`, 'not-found', { body: { class: 999 } });
  for (const body of [{ run: 0 }, { unchecked: 'yes' }, { other: 1 }, [], null]) {
    await served.refused(`POST ${path}`, 'usage', { body });
  }
  await served.refused(`GET ${path}`, 'not-found', { query: { run: 99 } });
  await served.refused(`GET ${path}/contexts`, 'usage', { query: { part: 'some' } });
  await served.refused(`GET ${path}/contexts/9999/picture`, 'not-found', { query: { run: 1 } });
  await served.refused(`GET ${path}/contexts/1/picture`, 'empty', { query: { run: 2 } });
  await served.refused(`POST ${path}/fine`, 'not-found', { body: { ids: [1, 9999] } });
  await served.refused(`POST ${path}/fine`, 'usage', { body: { ids: [] } });
  assert.equal(served.service.tasks.list().length, known);
});

test('the command line previews and checks, too', () => {
  assert.equal(printed.swap.code, 0, printed.swap.stderr);
  assert.match(printed.swap.stdout, /^test\/.* \(\w+\), by the model of run 2 \(.*\): .*\(uniform\).*\(mean\)\.$/m);
  assert.match(printed.swap.stdout, /^ +1 +\w+ +0 +\w/m);
  assert.match(printed.swap.stdout, /^\* \d pictures? of 4 with another answer than the picture as it is\.$/m);
  assert.equal(printed.none.code, 7);
  assert.match(printed.none.stderr, /No leftovers were looked for yet: add --check\./);
  assert.equal(printed.check.code, 0, printed.check.stderr);
  assert.match(printed.check.stdout, /^\d+ contexts of the bank were shown to run 1 /m);
  assert.match(
    printed.check.stdout,
    /^ +\d+ +\w+ +\d+\.\d % .* (leftover likely|the class's usual background|outline of the mask) +train\//m,
  );
  assert.match(printed.check.stdout, /^and \d+ more$/m);
  assert.equal(printed.fine.stdout.trim(), '1 context now counts as fine.');
});
