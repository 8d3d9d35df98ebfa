import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LeftoverOutcome, type LeftoverContext } from '../../core/api/leftover.ts';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import type { Progress } from '../../core/base/progress.ts';
import { verdictOf } from '../../core/contexts/leftover-verdict.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { retireContexts } from '../../core/services/bank.ts';
import { checkLeftovers, leftoverContexts, leftoverReport, markFine } from '../../core/services/leftover.ts';
import { tryPictures } from '../../core/services/try-pictures.ts';
import type { Project } from '../../core/storage/project.ts';
import { acceptMask } from '../fixtures/accept-mask.ts';
import { leftoverProject } from '../fixtures/leftovers.ts';
import { makeTrainingProject } from '../fixtures/training.ts';

const act = { author: 'ann', at: '2026-01-01T00:00:00.000Z' };
let project: Project;
/** Contexts whose masks cut nothing out. */
let whole: Set<number>;

before(async () => {
  const made = await leftoverProject();
  project = made.project;
  whole = new Set(made.whole);
});
after(() => project.close());

const refusal = (code: ErrorCode, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === code && text.test(error.message);
const listed = (runId: number): LeftoverContext[] =>
  leftoverContexts(project, runId, { part: 'all', limit: 500, offset: 0 }).contexts;
const byNumber = (a: number, b: number): number => a - b;
const mean = (rows: readonly LeftoverContext[]): number =>
  rows.reduce((sum, { score }) => sum + score, 0) / rows.length;

test('without a run or a bank there is nothing to look at', async () => {
  const { project: empty } = await makeTrainingProject();
  await assert.rejects(checkLeftovers(empty, {}, runJob), refusal('empty', /No run has finished yet/));
  assert.equal(leftoverReport(empty), null);
  empty.close();
  await assert.rejects(checkLeftovers(project, { runId: 9 }, runJob), refusal('not-found', /no run 9/));
});

test('what nothing was cut out of scores as the whole picture does, and far above what lost its object', async () => {
  const stages = new Set<string>();
  const onEvent = ({ stage }: { stage: string }): void => void stages.add(stage);
  const outcome = await checkLeftovers(project, { runId: 1 }, runJob, { onEvent });
  assert.deepEqual(LeftoverOutcome.parse(outcome), outcome);
  assert.ok(stages.has('Looking for leftovers'));
  const rows = listed(1);
  assert.equal(rows.length, outcome.checked);
  const kept = rows.filter(({ context }) => whole.has(context));
  const cut = rows.filter(({ context }) => !whole.has(context));
  for (const row of kept) assert.ok(Math.abs(row.probability - row.whole) < 1e-5, `context ${row.context}`);
  assert.ok(mean(kept) > mean(cut) + 0.1, `${mean(kept)} against ${mean(cut)}`);
  const flagged = rows.filter((row) => row.flagged);
  assert.equal(flagged.length, outcome.flagged);
  assert.ok(flagged.length >= 2 && flagged.filter(({ context }) => whole.has(context)).length > flagged.length / 2);
  assert.deepEqual(rows.slice(0, flagged.length), flagged);
  assert.ok(flagged.every(({ named, answer, className }) => named && answer === className));

  // The whole picture is answered as where a person tries it.
  const pictures = kept.slice(0, 5).map(({ image }) => ({ image }));
  const { answers } = await tryPictures(project, { run: 1, pictures }, runJob, {});
  for (const [i, { heads }] of answers.entries()) {
    const own = heads[0].guesses.find(({ name }) => name === kept[i].className);
    if (own) assert.ok(Math.abs(own.probability - kept[i].whole) < 1e-4, kept[i].path);
  }
});

test('where everything is painted over all pictures are one, and no class scores', async () => {
  const { project: blank } = await makeTrainingProject();
  const { blobs } = project;
  const run = project.store.runs.get(1)!;
  const { id: _, ...rest } = run;
  const { id: runId } = blank.store.runs.add({ ...rest, modelBlob: blank.blobs.put(blobs.get(run.modelBlob!)) });
  for (const { id: imageId, width, height } of [...blank.store.images.iterate({ split: 'train' })].slice(0, 60)) {
    const mask = { width, height, data: new Uint8Array(width * height) };
    await acceptMask(blank, { imageId, mask, probability: 1, act });
  }
  const { checked, flagged } = await checkLeftovers(blank, { runId }, runJob);
  assert.deepEqual([checked, flagged], [60, 0]);
  const { contexts } = leftoverContexts(blank, runId, { part: 'all', limit: 100, offset: 0 });
  for (const row of contexts) assert.ok(Math.abs(row.score) < 1e-5, `context ${row.context}: ${row.score}`);
  assert.equal(new Set(contexts.map(({ answer }) => answer)).size, 1);
  blank.close();
});

test('only what is new is looked at again; fine holds until the mask changes; the base rates stay near', async () => {
  const [first, second] = listed(1);
  await assert.rejects(checkLeftovers(project, { runId: 1, unchecked: true }, runJob), refusal('empty', /already/));
  assert.equal(await markFine(project, [first.context], true, act), 1);
  await assert.rejects(markFine(project, [first.context, 999], true, act), refusal('not-found', /no context 999/));
  const { store } = project;
  const mask = store.masks.get(store.contexts.get(second.context)!.maskId)!;
  const { id: _, ...copy } = mask;
  store.contexts.setMask(second.context, store.masks.add(copy).id, 'ann', act.at);
  const changed = leftoverReport(project, 1)!;
  assert.deepEqual([changed.fine, changed.stale, changed.unchecked], [1, 1, 1]);
  await checkLeftovers(project, { runId: 1, unchecked: true }, runJob);
  const checked = leftoverReport(project, 1)!;
  assert.deepEqual([checked.fine, checked.stale, checked.unchecked], [1, 0, 0]);
  const again = listed(1).find(({ context }) => context === second.context)!;
  assert.ok(Math.abs(again.base - second.base) < 1e-5 && Math.abs(again.score - second.score) < 1e-5);
  retireContexts(project, [second.context], true, act);
  assert.equal(leftoverReport(project, 1)!.checked, changed.checked - 1);
});

test('the run that was asked last is told of, by its own head', async () => {
  await checkLeftovers(project, { runId: 2 }, runJob);
  const report = leftoverReport(project)!;
  assert.deepEqual([report.run, report.head], [2, 'balanced']);
  assert.equal(leftoverReport(project, 1)!.head, 'uniform');
});

test('what is flagged has a verdict that its figures bear out, and a reason; what is not has none', () => {
  const rows = listed(1);
  for (const { flagged, verdict, reason, filled, grown, usual, className } of rows) {
    if (!flagged) {
      assert.deepEqual([verdict, reason, filled, grown, usual], [null, null, null, null, null]);
      continue;
    }
    assert.equal(verdict, verdictOf({ filled: filled!, grown: grown!, usual }));
    assert.ok(reason!.includes(className), reason!);
  }
  const open = rows.filter(({ flagged, stale, fine }) => flagged && !stale && !fine);
  const firstOther = open.findIndex(({ verdict }) => verdict !== 'leftover');
  assert.ok(firstOther < 0 || open.slice(firstOther).every(({ verdict }) => verdict !== 'leftover'), 'leftovers first');
  const report = leftoverReport(project, 1)!;
  assert.equal(report.leftovers + report.backgrounds + report.outlines, report.open);
  assert.equal(report.leftovers, open.filter(({ verdict }) => verdict === 'leftover').length);
  // A whole picture has no hole to be filled.
  for (const row of rows) if (row.flagged && whole.has(row.context)) assert.notEqual(row.verdict, 'outline');
});

test('a cancelled check keeps what was known, and what it has come to', async () => {
  const known = listed(1);
  const stopped = (when: (event: Progress) => boolean): Promise<LeftoverOutcome> => {
    const abort = new AbortController();
    const onEvent = (event: Progress): void => {
      if (when(event)) abort.abort();
    };
    return checkLeftovers(project, { runId: 1 }, runJob, { signal: abort.signal, onEvent });
  };
  await assert.rejects(
    stopped(() => true),
    refusal('cancelled', /./),
  );
  const [present, original] = [listed(1), known].map((rows) => rows.map(({ context }) => context).toSorted(byNumber));
  assert.deepEqual(present, original);
  // Stopped before it looked closely, it has told of all that is not flagged.
  const { id: _, ...first } = project.store.runs.get(1)!;
  const again = project.store.runs.add({ ...first, name: 'again' }).id;
  const abort = new AbortController();
  const onEvent = ({ stage }: Progress): void => {
    if (stage === 'Looking closely at what is flagged') abort.abort();
  };
  const check = checkLeftovers(project, { runId: again }, runJob, { signal: abort.signal, onEvent });
  await assert.rejects(check, refusal('cancelled', /^\d+ of \d+ contexts were looked at; what was found is kept\.$/));
  const kept = listed(again);
  assert.ok(kept.length > 0 && kept.length < known.length, `${kept.length} of ${known.length}`);
  assert.ok(kept.every(({ flagged, verdict }) => flagged === (verdict !== null)));
  const left = leftoverReport(project, again)!.unchecked;
  assert.equal(left, project.store.contexts.bankSize() - kept.length);
  const rest = await checkLeftovers(project, { runId: again, unchecked: true }, runJob);
  assert.ok(rest.checked >= left);
  assert.equal(leftoverReport(project, again)!.unchecked, 0);
});
