/** Edits, their history and previews, the tail and duplicates: good, bad and hostile. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EditEntry, LongTailPreview, SplitPreview } from '../../core/api/edits.ts';
import type { OpenedProject } from '../../core/api/projects.ts';
import type { DuplicateGroup, Tail } from '../../core/api/stats.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { Split } from '../../core/storage/records.ts';
import { startContract, type Contract } from '../fixtures/contract.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const P = '/api/projects/{project}';

/** Images by class: how many, in which split, showing what. */
type Sets = readonly { name: string; split: Split | null; count: number; contents?: string[] }[];

/** A project with records of images; edits need no files. */
async function served(sets: Sets): Promise<{ contract: Contract; params: { project: string } }> {
  const contract = startContract();
  const file = join(temporaryFolder(), 'test.contexture');
  const { id } = await contract.get<OpenedProject>('POST /api/projects', { body: { file, create: true } });
  const { store } = contract.service.projects.get(id).project;
  const source = store.sources.add({ kind: 'folder', path: '/pictures', relativePath: null, addedAt: '' });
  for (const { name, split, count, contents } of sets) {
    const foundClassId = store.classes.ensure(name).id;
    store.images.upsert(
      Array.from({ length: count }, (_, i) => {
        const path = `${split ?? 'all'}/${name}/${i}.png`;
        const hash = sha256(contents?.[i] ?? path);
        const size = { size: 100, width: 32, height: 32 };
        const found = { sourceId: source.id, path, pathBytes: null, mtimeMs: 0, hash, format: 'png', orientation: 1 };
        return { ...found, ...size, foundClassId, foundSplit: split };
      }),
    );
  }
  return { contract, params: { project: id } };
}

const classesOf = ({ classes }: Tail): [string, number][] => classes.map(({ name, train }) => [name, train]);

test('exclude, include, relabel, merge: each one step that is taken back', async () => {
  const { contract, params } = await served([
    { name: 'owl', split: 'train', count: 3 },
    { name: 'eagle', split: 'train', count: 2 },
  ]);
  const tail = () => contract.get<Tail>(`GET ${P}/tail`, { params });
  const edit = (action: string, body: object) => contract.get<EditEntry>(`POST ${P}/edits/${action}`, { params, body });
  const before = await tail();
  contract.takeTopics();

  const excluded = await edit('exclude', { ids: [1, 2, 2], reason: 'blurred' });
  assert.deepEqual([excluded.changes, excluded.text], [2, 'Excluded 2 images: blurred.']);
  assert.deepEqual(contract.takeTopics(), ['classes', 'edits', 'images']);
  assert.deepEqual(classesOf(await tail()), [
    ['eagle', 2],
    ['owl', 1],
  ]);
  await edit('include', { ids: [1] });
  await edit('relabel', { ids: [3], class: 'eagle' });
  await edit('relabel', { ids: [1], class: ' E\u0301tourneau ', create: true });
  const merged = await edit('merge', { classes: ['eagle', 'owl'], into: 'bird of prey' });
  assert.equal(merged.text, 'Merged eagle, owl into bird of prey.');
  const now = await tail();
  assert.deepEqual(classesOf(now), [
    ['bird of prey', 3],
    ['Étourneau', 1],
  ]);
  assert.deepEqual(now.classes[0].merged, ['owl', 'eagle']);

  const history = await contract.get<EditEntry[]>(`GET ${P}/edits`, { params });
  assert.deepEqual(
    history.map(({ kind }) => kind),
    ['merge', 'relabel', 'relabel', 'include', 'exclude'],
  );
  const stale = await contract.refused(`POST ${P}/edits/undo`, 'changed', { params, body: { edit: excluded.id } });
  assert.match(stale, /The newest edit is another one by now: Merged eagle/);
  for (const { id } of history) {
    const undone = await edit('undo', { edit: id });
    assert.notEqual(undone.undoneAt, null);
  }
  assert.deepEqual(
    classesOf(await tail()).filter(([, count]) => count > 0),
    classesOf(before),
  );
  await contract.refused(`POST ${P}/edits/undo`, 'empty', { params, body: {} });

  // And back again, oldest first, as long as nothing else is done.
  const undone = await contract.get<EditEntry[]>(`GET ${P}/edits`, { params });
  assert.ok(undone.every(({ redoable }) => redoable));
  const wrong = await contract.refused(`POST ${P}/edits/redo`, 'changed', { params, body: { edit: undone[0].id } });
  assert.match(wrong, /another one by now: Excluded 2 images: blurred/);
  const again = await edit('redo', { edit: excluded.id });
  assert.deepEqual([again.text, again.undoneAt, again.redoable], [excluded.text, null, false]);
  assert.deepEqual(contract.takeTopics(), ['classes', 'edits', 'images']);
  for (let i = 1; i < undone.length; i++) await edit('redo', {});
  await contract.refused(`POST ${P}/edits/redo`, 'empty', { params, body: {} });
  await edit('undo', {});
  await edit('exclude', { ids: [1] });
  const made = await contract.refused(`POST ${P}/edits/redo`, 'empty', { params, body: {} });
  assert.match(made, /none was taken back since/);
  assert.equal((await contract.get<EditEntry[]>(`GET ${P}/edits`, { params, query: { limit: 2 } })).length, 2);
});

test('a split is previewed, then dealt as previewed', async () => {
  const { contract, params } = await served([
    { name: 'owl', split: null, count: 20 },
    { name: 'ant', split: null, count: 2 },
  ]);
  assert.deepEqual(await contract.get(`GET ${P}/edits/split`, { params }), { val: false, test: false });
  const options = { val: 0.1, test: 0.2, seed: 7 };
  const preview = await contract.get<SplitPreview>(`POST ${P}/edits/split/preview`, { params, body: options });
  assert.deepEqual(preview.classes, [
    { name: 'ant', train: 1, val: 0, test: 1 },
    { name: 'owl', train: 14, val: 2, test: 4 },
  ]);
  assert.equal(preview.changes, 22);
  assert.deepEqual(await contract.get(`GET ${P}/edits`, { params }), [], 'a preview changes nothing');
  await contract.get(`POST ${P}/edits/split`, { params, body: options });
  const { splits } = await contract.get<Tail>(`GET ${P}/tail`, { params });
  assert.deepEqual(splits, { train: 15, val: 2, test: 5, unassigned: 0 });
  await contract.refused(`POST ${P}/edits/split`, 'empty', { params, body: options });
  for (const body of [
    { val: 0, test: 0, seed: 1 },
    { val: 0.6, test: 0.5, seed: 1 },
    { val: -0.1, test: 0.5, seed: 1 },
    { val: 0.1, test: 0.1, seed: 1.5 },
    { val: 'a', test: 0.1, seed: 1 },
    {},
  ]) {
    await contract.refused(`POST ${P}/edits/split`, 'usage', { params, body });
    await contract.refused(`POST ${P}/edits/split/preview`, 'usage', { params, body });
  }
});

test('a split that the import found stays; only the other one is dealt', async () => {
  const { contract, params } = await served([
    { name: 'owl', split: 'train', count: 10 },
    { name: 'owl', split: 'test', count: 3 },
  ]);
  assert.deepEqual(await contract.get(`GET ${P}/edits/split`, { params }), { val: false, test: true });
  const both = { val: 0.2, test: 0.2, seed: 1 };
  assert.match(
    await contract.refused(`POST ${P}/edits/split/preview`, 'usage', { params, body: both }),
    /has a test split of its own/,
  );
  await contract.get(`POST ${P}/edits/split`, { params, body: { ...both, test: 0 } });
  const { splits } = await contract.get<Tail>(`GET ${P}/tail`, { params });
  assert.deepEqual(splits, { train: 8, val: 2, test: 3, unassigned: 0 });
});

test('a long tail is previewed, then made as previewed', async () => {
  const { contract, params } = await served([
    { name: 'a', split: 'train', count: 20 },
    { name: 'b', split: 'train', count: 20 },
    { name: 'c', split: 'train', count: 20 },
  ]);
  const options = { ratio: 10, order: 'name', seed: 1 };
  const preview = await contract.get<LongTailPreview>(`POST ${P}/edits/long-tail/preview`, { params, body: options });
  assert.deepEqual(
    preview.classes.map(({ kept }) => kept),
    [20, 6, 2],
  );
  assert.equal(preview.excluded, 32);
  const made = await contract.get<EditEntry>(`POST ${P}/edits/long-tail`, { params, body: options });
  assert.equal(made.changes, 32);
  assert.deepEqual((await contract.get<Tail>(`GET ${P}/tail`, { params })).images, {
    usable: 28,
    excluded: 32,
    missing: 0,
    changed: 0,
  });
  for (const body of [{ ratio: 0.5, order: 'name', seed: 1 }, { ratio: 1e9, order: 'name', seed: 1 }, { ratio: 10 }]) {
    await contract.refused(`POST ${P}/edits/long-tail`, 'usage', { params, body });
  }
  await contract.refused(`POST ${P}/edits/long-tail`, 'empty', { params, body: { ...options, ratio: 10 } });
});

test('of identical images one is kept, in the split that is preferred', async () => {
  const { contract, params } = await served([
    { name: 'owl', split: 'train', count: 4, contents: ['x', 'x', 'leak', 'own'] },
    { name: 'owl', split: 'test', count: 1, contents: ['leak'] },
    { name: 'ant', split: 'train', count: 1, contents: ['x'] },
  ]);
  type Page = { total: number; groups: DuplicateGroup[] };
  const groups = (query: object) => contract.get<Page>(`GET ${P}/duplicates`, { params, query: { ...query } });
  const all = await groups({});
  assert.deepEqual(
    all.groups.map(({ leak, conflict, images }) => [leak, conflict, images.map(({ path }) => path)]),
    [
      [false, true, ['train/owl/0.png', 'train/owl/1.png', 'train/ant/0.png']],
      [true, false, ['train/owl/2.png', 'test/owl/0.png']],
    ],
  );
  assert.deepEqual([(await groups({ kind: 'copy' })).total, (await groups({ kind: 'leak' })).total], [0, 1]);
  assert.deepEqual((await groups({ offset: 1, limit: 1 })).groups, all.groups.slice(1));
  const { duplicates } = await contract.get<Tail>(`GET ${P}/tail`, { params });
  assert.deepEqual(duplicates, { surplus: 3, copies: 0, leaks: 1, conflicts: 1 });

  const body = { kind: 'leak', prefer: 'test' };
  await contract.get(`POST ${P}/edits/keep-one`, { params, body });
  const { store } = contract.service.projects.get(params.project).project;
  const left = [...store.images.iterate({ excluded: true })].map(({ path }) => path);
  assert.deepEqual(left, ['train/owl/2.png'], 'the copy for training goes, the test stays whole');
  await contract.refused(`POST ${P}/edits/keep-one`, 'empty', { params, body });
  await contract.get(`POST ${P}/edits/keep-one`, { params, body: { hashes: [sha256('x')] } });
  assert.equal((await groups({})).total, 0);
  await contract.refused(`POST ${P}/edits/keep-one`, 'usage', { params, body: { hashes: ['x'] } });
  await contract.refused(`POST ${P}/edits/keep-one`, 'usage', { params, body: { prefer: 'none' } });
  await contract.refused(`GET ${P}/duplicates`, 'usage', { params, query: { kind: 'twin' } });
});

test('thresholds of the groups are kept', async () => {
  const { contract, params } = await served([
    { name: 'a', split: 'train', count: 12 },
    { name: 'b', split: 'train', count: 3 },
  ]);
  const groups = async () => (await contract.get<Tail>(`GET ${P}/tail`, { params })).classes.map(({ group }) => group);
  assert.deepEqual(await groups(), ['few', 'few']);
  await contract.get(`PUT ${P}/groups`, { params, body: { many: 10, few: 5 } });
  assert.deepEqual(await groups(), ['many', 'few']);
  assert.ok(contract.takeTopics().includes('classes'));
  for (const body of [{ many: 5, few: 10 }, { many: 0, few: 0 }, { many: 1.5, few: 1 }, { many: 10 }, []]) {
    await contract.refused(`PUT ${P}/groups`, 'usage', { params, body });
  }
  assert.deepEqual(await groups(), ['many', 'few']);
});

test('edits of what is not there, or would change nothing, are refused and leave no step', async () => {
  const { contract, params } = await served([{ name: 'owl', split: 'train', count: 2 }]);
  const refused = (action: string, code: string, body: unknown) =>
    contract.refused(`POST ${P}/edits/${action}`, code, { params, body });
  assert.match(await refused('exclude', 'not-found', { ids: [1, 99] }), /no image 99/);
  await refused('include', 'empty', { ids: [1] });
  await refused('relabel', 'not-found', { ids: [1], class: 'eagle' });
  await refused('relabel', 'empty', { ids: [1], class: 'owl' });
  await refused('merge', 'not-found', { classes: ['eagle'], into: 'owl' });
  await refused('merge', 'empty', { classes: ['owl'], into: 'owl' });
  for (const ids of [[], [0], [-1], [1.5], ['1'], 'all', null]) await refused('exclude', 'usage', { ids });
  await refused('relabel', 'usage', { ids: [1], class: '  ' });
  await refused('relabel', 'usage', { ids: [1], class: 'x'.repeat(501), create: true });
  await refused('merge', 'usage', { classes: [], into: null });
  await refused('exclude', 'usage', { ids: [1], reason: 'x'.repeat(501) });
  assert.deepEqual(await contract.get(`GET ${P}/edits`, { params }), []);
  const tail = await contract.get<Tail>(`GET ${P}/tail`, { params });
  assert.deepEqual(classesOf(tail), [['owl', 2]], 'no class was made on the way');
  assert.deepEqual(contract.log, []);
});
