import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextsOf, takeBank } from '../../core/contexts/bank.ts';
import { encodeGrey } from '../../core/data/decode.ts';
import { DEFAULT_RECIPE } from '../../core/export/recipe.ts';
import { countUses, retireContexts } from '../../core/services/bank.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { queueRun } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { makeBirds } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { idsOf, refused, startCaller } from './service.ts';

const caller = await startCaller();

interface Opened {
  base: string;
  project: Project;
  folder: string;
}

/** A project of 6 cats with accepted contexts 1 to 6, 2 owls without, a test cat; open in the service. */
async function withBank(work: (opened: Opened) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const file = await makeBirds(folder);
  const { json } = await caller.call('POST', '/api/projects', { file });
  await work({
    base: `/api/projects/${json.id}`,
    project: caller.running.service.projects.get(json.id).project,
    folder,
  });
  await caller.call('POST', `/api/projects/${json.id}/close`);
}

/** A run that is frozen now, with a curated bank. */
function freeze(project: Project): Run {
  return queueRun(project, { method: 'csa', preset: 'small', overrides: { curatedShare: 1, threads: 1 } });
}

const inBank = ({ store }: Project) => contextsOf(takeBank(store)).map(({ contextId }) => contextId);

test('a retired context is in no later run and no later export, until it is put back', () =>
  withBank(async ({ base, project, folder }) => {
    const post = async (what: string, body: object) => (await caller.call('POST', `${base}/bank/${what}`, body)).json;
    const earlier = freeze(project);
    const retired = await post('retire', { select: { ids: [2, 3, 3] } });
    assert.deepEqual([retired.changed, retired.counts.accepted, retired.counts.bank], [2, 6, 4]);
    assert.deepEqual([retired.counts.lastStep.kind, retired.counts.lastStep.contexts], ['retire', 2]);
    assert.deepEqual(retired.madeWith, {
      runs: 1,
      exports: 0,
      sentence: '1 run was made with them before and stays as it is.',
    });
    assert.deepEqual(inBank(project), [1, 4, 5, 6]);
    const listed = async (query: string) =>
      idsOf(await caller.call('GET', `${base}/contexts/ids?${query}`)).filter((_, index) => index % 2 === 0);
    assert.deepEqual(await listed('retired=true'), [2, 3]);
    assert.deepEqual(await listed('retired=false'), [1, 4, 5, 6]);
    const { json: shown } = await caller.call('GET', `${base}/contexts/2`);
    assert.deepEqual([shown.state, shown.unused], ['accepted', 'It is retired from the bank.']);
    assert.ok(shown.retiredAt !== null);

    const later = freeze(project);
    assert.notEqual(later.bankHash, earlier.bankHash);
    const { json: defaults } = await caller.call('GET', `${base}/exports/defaults`);
    assert.equal(defaults.acceptedContexts, 4);
    const recipe = { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: 12 } };
    const { json: task } = await caller.call('POST', `${base}/exports`, { folder: join(folder, 'out'), recipe });
    assert.equal((await caller.ended(task)).state, 'done');
    const pasted = [...project.store.exports.items(1)].flatMap(({ contextId }) => contextId ?? []);
    assert.equal(pasted.length, 16);
    assert.deepEqual(
      [...new Set(pasted)].toSorted((a, b) => a - b),
      [1, 4, 5, 6],
    );

    assert.equal((await post('retire', { select: { ids: [2, 3] } })).changed, 0, 'they are');
    assert.deepEqual((await post('reinstate', { select: { filter: { retired: true, text: '/1.' } } })).changed, 1);
    assert.deepEqual(inBank(project), [1, 2, 4, 5, 6]);
    const undo = async () => (await caller.call('POST', `${base}/contexts/undo`)).json;
    assert.deepEqual([(await undo()).kind, inBank(project)], ['reinstate', [1, 4, 5, 6]]);
    const { kind, changed, kept } = await undo();
    assert.deepEqual([kind, changed, kept], ['retire', 2, 0]);
    assert.deepEqual(inBank(project), [1, 2, 3, 4, 5, 6]);
    refused(await caller.call('POST', `${base}/bank/retire`, { select: { ids: [1, 99] } }), 'not-found', 404);
    assert.deepEqual(inBank(project), [1, 2, 3, 4, 5, 6], 'all or none');
  }));

test('new masks of many say what was made with those before', () =>
  withBank(async ({ base, project }) => {
    freeze(project);
    const order = { select: { ids: [1] }, operation: 'grow', amount: 1 };
    const { result } = await caller.ended((await caller.call('POST', `${base}/contexts/morph`, order)).json);
    const sentence = '1 run was made with it before and stays as it is.';
    assert.deepEqual(result, { made: 1, madeWith: { runs: 1, exports: 0, sentence } });
  }));

test('with every context retired there is no bank to train with', () =>
  withBank(async ({ base, project }) => {
    await caller.call('POST', `${base}/bank/retire`, { select: { filter: {} } });
    assert.throws(() => freeze(project), { code: 'empty' });
  }));

test('a context tells which runs and exports used it, how often, and with which mask', () =>
  withBank(async ({ base, project, folder }) => {
    const uses = async (id: number) => (await caller.call('GET', `${base}/contexts/${id}/uses`)).json;
    assert.deepEqual(await uses(1), { runs: [], exports: [], sentence: 'Nothing was made with it yet.' });
    const run = freeze(project);
    const recipe = { ...DEFAULT_RECIPE, amount: { kind: 'fill', to: 12 } };
    const { json: task } = await caller.call('POST', `${base}/exports`, { folder: join(folder, 'out'), recipe });
    assert.equal((await caller.ended(task)).state, 'done');
    const items = [...project.store.exports.items(1)];
    const pictures = items.filter(({ contextId }) => contextId === 1).length;
    assert.ok(pictures > 0);
    const used = await uses(1);
    assert.deepEqual(used, {
      runs: [{ run: run.id, name: run.name, state: 'queued', model: false, mask: 1, current: true }],
      exports: [{ export: 1, path: join(folder, 'out'), pictures, mask: 1, current: true }],
      sentence: '1 run and 1 export were made with it.',
    });
    const { json: counts } = await caller.call('POST', `${base}/bank/uses`, { ids: [2, 1] });
    assert.deepEqual(counts[1], { context: 1, runs: 1, exports: 1, pictures });
    assert.equal(counts[0].pictures, items.filter(({ contextId }) => contextId === 2).length);

    const mask = await encodeGrey({ width: 40, height: 30, data: new Uint8Array(1200).fill(255) });
    assert.equal((await caller.upload(`${base}/contexts/1/mask?name=white.png`, mask)).status, 200);
    const edited = await uses(1);
    assert.equal(edited.sentence, '1 run and 1 export were made with it, with an earlier mask.');
    assert.deepEqual([edited.runs[0].current, edited.exports[0].current], [false, false]);
    const second = freeze(project);
    const both = await uses(1);
    assert.equal(
      both.sentence,
      '2 runs and 1 export were made with it; 1 run and 1 export were made with an earlier mask.',
    );
    const [newest, oldest] = both.runs;
    assert.deepEqual([newest.run, newest.current, oldest.current], [second.id, true, false]);
    refused(await caller.call('GET', `${base}/contexts/99/uses`), 'not-found', 404);
  }));

test('a note is written, shown and removed', () =>
  withBank(async ({ base }) => {
    const put = (id: number, note: string) => caller.call('PUT', `${base}/contexts/${id}/note`, { note });
    assert.equal((await put(1, '  night, wet road\n')).json.note, 'night, wet road');
    assert.equal((await caller.call('POST', `${base}/contexts/details`, { ids: [1] })).json[0].note, 'night, wet road');
    assert.equal((await put(1, '')).json.note, '');
    refused(await put(99, 'no'), 'not-found', 404);
  }));

test('the bank is listed by uses, reviewer and what notes hold, and told as a whole', () =>
  withBank(async ({ base, project }) => {
    const ids = async (query: string) =>
      idsOf(await caller.call('GET', `${base}/contexts/ids?${query}`)).filter((_, index) => index % 2 === 0);
    const summary = async () => (await caller.call('GET', `${base}/bank`)).json;
    const retire = async (...contexts: number[]) =>
      caller.call('POST', `${base}/bank/retire`, { select: { ids: contexts } });
    assert.deepEqual(await ids('used=true'), []);
    freeze(project);
    await retire(1, 2);
    freeze(project);
    await retire(3);
    freeze(project);
    assert.deepEqual(await ids('used=true'), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await ids('sort=uses'), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await ids('sort=uses&descending=true&retired=true'), [3, 1, 2]);
    const act = { author: 'Zoe', at: '2026-01-02T00:00:00.000Z' };
    decideContexts(project, [5], 'undecided', act);
    assert.equal((await caller.call('GET', `${base}/contexts/5`)).json.reviewer, null);
    decideContexts(project, [5], 'accepted', act);
    assert.equal((await caller.call('GET', `${base}/contexts/5`)).json.reviewer, 'Zoe');
    assert.deepEqual(await ids('reviewer=Zoe'), [5]);
    assert.deepEqual(await ids('reviewer=zoe'), []);
    assert.deepEqual(await ids('sort=reviewer&descending=true'), [5, 1, 2, 3, 4, 6]);
    await caller.call('PUT', `${base}/contexts/6/note`, { note: 'Night, wet road' });
    assert.deepEqual(await ids('note=WET'), [6]);
    assert.deepEqual(await ids('note=%25'), []);
    const { next, ...whole } = await summary();
    assert.deepEqual(whole, {
      contexts: 3,
      retired: 3,
      groups: { many: 0, medium: 0, few: 3 },
      backgrounds: { held: 0, retired: 0 },
      classes: [{ id: 1, name: 'cat', group: 'few', contexts: 3, retired: 3 }],
      reviewers: [
        { name: 'Zoe', contexts: 1 },
        { name: 'test', contexts: 5 },
      ],
      diversity: null,
    });
    assert.equal(next.where, 'diversity');
    const narrowed = await caller.call('POST', `${base}/bank/retire`, {
      select: { filter: { used: true, retired: false, reviewer: 'test' } },
    });
    assert.equal(narrowed.json.changed, 2);
    await retire(5);
    const { next: emptied, ...none } = await summary();
    assert.deepEqual([none.contexts, none.retired], [0, 6]);
    assert.match(emptied.sentence, /^Every context is retired/);
  }));

test('many banks are counted as a task that can be stopped and goes on, few at once', () =>
  withBank(async ({ base, project }) => {
    const count = async () => (await caller.call('POST', `${base}/bank/uses/count`)).json.task;
    freeze(project);
    assert.equal(await count(), null);
    assert.equal(project.store.uses.newBanks(), 0);
    const act = { author: 'test', at: '2026-01-02T00:00:00.000Z' };
    for (const id of [1, 2, 3]) {
      retireContexts(project, [id], true, act);
      freeze(project);
    }
    const waiting = project.store.uses.newBanks();
    assert.equal(waiting, 3);
    await assert.rejects(countUses(project, { signal: AbortSignal.abort() }), { code: 'cancelled' });
    assert.equal(project.store.uses.newBanks(), waiting);
    const ended = await caller.ended(await count());
    assert.deepEqual([ended.kind, ended.state], ['uses', 'done']);
    assert.equal(project.store.uses.newBanks(), 0);
    assert.equal(await count(), null);
  }));
