/** Import, look, rescan, relink, remove and bring back, problems: good, bad and hostile. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContextDetail } from '../../core/api/contexts.ts';
import type {
  ImportResult,
  ProblemEntry,
  ProblemKind,
  RemovedSource,
  SourceContent,
  SourceEntry,
  SourceLook,
} from '../../core/api/sources.ts';
import type { OpenedProject } from '../../core/api/projects.ts';
import type { Tail } from '../../core/api/stats.ts';
import type { Task } from '../../core/api/tasks.ts';
import { contextsOf, takeBank } from '../../core/contexts/bank.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { loopbackAccess } from '../../core/server/access.ts';
import { bankSummary } from '../../core/services/bank-summary.ts';
import { contextCounts, selectContexts } from '../../core/services/context-view.ts';
import { decideContexts } from '../../core/services/contexts.ts';
import { excludeImages } from '../../core/services/edits.ts';
import { removeSource } from '../../core/services/removed-sources.ts';
import { startContract, type Contract } from '../fixtures/contract.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { tinyPng } from '../fixtures/images.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { zipFile } from '../fixtures/zip-file.ts';

const P = '/api/projects/{project}';

async function newProject(contract: Contract, folder = temporaryFolder()): Promise<{ project: string }> {
  const file = join(folder, 'test.contexture');
  const { id } = await contract.get<OpenedProject>('POST /api/projects', { body: { file, create: true } });
  return { project: id };
}

/** Class folders with a few odd things among them. */
function pictures(root: string): void {
  for (let i = 0; i < 12; i++) writeTree(root, { [`${i % 3 ? 'dog' : 'cat'}/${i}.png`]: tinyPng(i) });
  writeTree(root, { 'dog/broken.png': 'no picture', 'loose.png': tinyPng(50), 'dog/notes.txt': 'text' });
}

test('a folder is looked at, imported, scanned again; its problems are listed by kind', async () => {
  const contract = startContract();
  const params = await newProject(contract);
  const path = temporaryFolder();
  pictures(path);

  const look = await contract.get<SourceLook>(`POST ${P}/sources/look`, { params, body: { path } });
  assert.deepEqual(
    { ...look, path: '' },
    {
      path: '',
      kind: 'folder',
      known: false,
      removed: false,
      partial: false,
      layout: 'class',
      prefix: '',
      files: 14,
      splits: [],
      classes: [
        { name: 'cat', files: 4 },
        { name: 'dog', files: 9 },
      ],
      classCount: 2,
      unplaced: 1,
      doubts: [],
    },
  );

  const task = await contract.get<Task>(`POST ${P}/imports`, { params, body: { path } });
  assert.equal(task.kind, 'import');
  assert.match(task.command, /^contexture import \S+ --project \S+test\.contexture$/);
  const done = await contract.ended(task);
  assert.equal(done.state, 'done', JSON.stringify(done.error));
  const result = done.result as ImportResult;
  assert.deepEqual([result.images, result.added, result.classes], [12, 12, 2]);
  assert.ok(contract.takeTopics().includes('images'));

  const [source] = await contract.get<SourceEntry[]>(`GET ${P}/sources`, { params });
  assert.deepEqual([source.path, source.images, source.lost], [path, 12, false]);
  assert.deepEqual(source.layout, { layout: 'class', prefix: '' });

  const kinds = await contract.get<ProblemKind[]>(`GET ${P}/problems/kinds`, { params });
  assert.deepEqual(
    kinds.map(({ kind, severity, count }) => [kind, severity, count]),
    [
      ['damaged', 'error', 1],
      ['no-class', 'error', 1],
      ['few-images', 'warning', 1],
      ['not-an-image', 'note', 1],
    ],
  );
  assert.ok(kinds.every(({ title, meaning, advice }) => title !== '' && meaning !== '' && advice !== ''));
  type Page = { total: number; problems: ProblemEntry[] };
  const page = await contract.get<Page>(`GET ${P}/problems`, { params, query: { kind: 'damaged' } });
  assert.deepEqual([page.total, page.problems[0].path], [1, 'dog/broken.png']);
  const second = await contract.get<Page>(`GET ${P}/problems`, { params, query: { offset: 1, limit: 2 } });
  assert.deepEqual([second.total, second.problems.length], [4, 2]);
  const found = await contract.get<Page>(`GET ${P}/problems`, { params, query: { text: 'LOOSE' } });
  assert.deepEqual(
    found.problems.map(({ kind }) => kind),
    ['no-class'],
  );

  writeTree(path, { 'owl/1.png': tinyPng(100) });
  rmSync(join(path, 'cat/0.png'));
  const rescan = await contract.ended(
    await contract.get<Task>(`POST ${P}/sources/{source}/rescan`, {
      params: { ...params, source: source.id },
      body: {},
    }),
  );
  const after = rescan.result as ImportResult;
  assert.deepEqual([after.added, after.missing, after.classes], [1, 1, 3]);
  assert.deepEqual(contract.log, []);
});

test('what a look understands: split folders in a zip, the other reading by hand, a list, a known source', async () => {
  const contract = startContract();
  const params = await newProject(contract);
  const folder = temporaryFolder();
  const zip = join(folder, 'set.zip');
  const entries = ['train/a/1.png', 'train/b/2.png', 'train/b/3.png', 'test/a/4.png', 'readme.txt'];
  writeFileSync(zip, zipFile(entries.map((name, i) => ({ name: `set/${name}`, data: tinyPng(i) }))));
  const auto = await contract.get<SourceLook>(`POST ${P}/sources/look`, { params, body: { path: zip } });
  assert.deepEqual([auto.kind, auto.layout, auto.prefix, auto.classCount], ['zip', 'split-class', 'set', 2]);
  assert.deepEqual(auto.splits, [
    { split: 'train', folder: 'train', files: 3 },
    { split: 'test', folder: 'test', files: 1 },
  ]);
  const byHand = await contract.get<SourceLook>(`POST ${P}/sources/look`, {
    params,
    body: { path: zip, layout: 'class' },
  });
  assert.deepEqual(
    byHand.classes.map(({ name }) => name),
    ['set/test/a', 'set/train/a', 'set/train/b'],
  );

  const list = join(folder, 'labels.csv');
  writeTree(folder, { '1.png': tinyPng(1), '2.png': tinyPng(2), 'labels.csv': '1.png,owl,train\n2.png,owl,maybe\n' });
  const csv = await contract.get<SourceLook>(`POST ${P}/sources/look`, { params, body: { path: list } });
  assert.deepEqual([csv.kind, csv.files, csv.unplaced, csv.classCount], ['csv', 2, 1, 1]);
  assert.match(csv.doubts[0], /"maybe" is no split/);

  await contract.ended(await contract.get<Task>(`POST ${P}/imports`, { params, body: { path: zip, layout: 'class' } }));
  const again = await contract.get<SourceLook>(`POST ${P}/sources/look`, { params, body: { path: zip } });
  assert.deepEqual([again.known, again.layout], [true, 'class'], 'what was decided at the first import is kept');
});

test('a source that has moved is lost, and relinked after its pictures were compared', async () => {
  const contract = startContract();
  const params = await newProject(contract);
  const before = join(temporaryFolder(), 'before');
  pictures(before);
  await contract.ended(await contract.get<Task>(`POST ${P}/imports`, { params, body: { path: before } }));
  const now = join(temporaryFolder(), 'now');
  renameSync(before, now);
  const [lost] = await contract.get<SourceEntry[]>(`GET ${P}/sources`, { params });
  assert.equal(lost.lost, true);
  const source = { ...params, source: lost.id };
  const failed = await contract.ended(
    await contract.get<Task>(`POST ${P}/sources/{source}/rescan`, { params: source, body: {} }),
  );
  assert.equal(failed.error?.code, 'not-found');
  const other = temporaryFolder();
  writeTree(other, { 'cat/1.png': tinyPng(200) });
  const refused = await contract.ended(
    await contract.get<Task>(`POST ${P}/sources/{source}/relink`, { params: source, body: { path: other } }),
  );
  assert.equal(refused.error?.code, 'changed');
  const linked = await contract.ended(
    await contract.get<Task>(`POST ${P}/sources/{source}/relink`, { params: source, body: { path: now } }),
  );
  assert.equal(linked.state, 'done', JSON.stringify(linked.error));
  const [found] = await contract.get<SourceEntry[]>(`GET ${P}/sources`, { params });
  assert.deepEqual([found.path, found.lost], [now, false]);
});

test('bad requests are refused in one sentence', async () => {
  const contract = startContract();
  const params = await newProject(contract);
  const folder = temporaryFolder();
  writeTree(folder, { 'note.txt': 'x', 'empty/': '' });
  const body = (path: unknown, more: object = {}) => ({ params, body: { path, ...more } });
  for (const route of [`POST ${P}/imports`, `POST ${P}/sources/look`]) {
    await contract.refused(route, 'not-found', body(join(folder, 'nowhere')));
    await contract.refused(route, 'usage', body(join(folder, 'note.txt')));
    await contract.refused(route, 'usage', body('relative/path'));
    await contract.refused(route, 'usage', body(`${folder}\0`));
    await contract.refused(route, 'usage', body(''));
    await contract.refused(route, 'usage', body(5));
    await contract.refused(route, 'usage', body(folder, { layout: 'other' }));
    await contract.refused(route, 'not-found', { ...body(folder), params: { project: 'unknown' } });
    await contract.refused(route, 'usage', { params });
  }
  const empty = await contract.ended(
    await contract.get<Task>(`POST ${P}/imports`, { params, body: { path: join(folder, 'empty') } }),
  );
  assert.equal(empty.error?.code, 'empty');
  for (const action of ['rescan', 'relink']) {
    const route = `POST ${P}/sources/{source}/${action}`;
    const request = { body: { path: folder } };
    await contract.refused(route, 'not-found', { ...request, params: { ...params, source: 99 } });
    await contract.refused(route, 'usage', { ...request, params: { ...params, source: '../1' } });
    await contract.refused(route, 'usage', { ...request, params: { ...params, source: -1 } });
  }
  await contract.refused(`GET ${P}/problems`, 'usage', { params, query: { limit: 100_000 } });
  await contract.refused(`GET ${P}/problems`, 'usage', { params, query: { offset: -1 } });
  await contract.refused(`GET ${P}/problems`, 'usage', { params, query: { colour: 'red' } });
  await contract.refused(`GET ${P}/problems/kinds`, 'usage', { params, query: { source: 'one' } });
  assert.deepEqual(contract.log, [], 'no defect');
});

test('a browser imports from below the roots only, also through links', async () => {
  const root = temporaryFolder();
  const outside = temporaryFolder();
  pictures(outside);
  pictures(join(root, 'inside'));
  symlinkSync(outside, join(root, 'link'));
  mkdirSync(join(root, 'project'));
  const contract = startContract(loopbackAccess([root]));
  const params = await newProject(contract, join(root, 'project'));
  for (const route of [`POST ${P}/imports`, `POST ${P}/sources/look`]) {
    for (const path of [outside, join(root, 'link'), `${root}/../`, `${root}/inside/../../x`, '/etc']) {
      await contract.refused(route, 'no-permission', { params, body: { path } });
    }
  }
  const task = await contract.get<Task>(`POST ${P}/imports`, { params, body: { path: join(root, 'inside') } });
  assert.equal((await contract.ended(task)).state, 'done');
});

/** A project with pictures of two folders, a context for each, accepted. */
async function twoSources(contract: Contract) {
  const params = await newProject(contract);
  const [right, wrong] = [join(temporaryFolder(), 'right'), join(temporaryFolder(), 'wrong')];
  pictures(right);
  for (let i = 0; i < 6; i++) writeTree(wrong, { [`${i % 2 ? 'car' : 'cat'}/w${i}.png`]: tinyPng(100 + i) });
  writeTree(wrong, { 'car/broken.png': 'no picture' });
  for (const path of [right, wrong]) {
    const { state } = await contract.ended(
      await contract.get<Task>(`POST ${P}/imports`, { params, body: { path, layout: 'class' } }),
    );
    assert.equal(state, 'done');
  }
  const { project } = contract.service.projects.get(params.project);
  const images = [...project.store.images.iterate()];
  const contexts = await findSome(
    project,
    images.map(({ id }) => id),
  );
  decideContexts(project, contexts, 'accepted', { author: 'anna', at: new Date().toISOString() });
  contract.takeTopics();
  return { params, source: { ...params, source: 2 }, project, wrong };
}

/** What is in use: images and contexts of a snapshot and a bank frozen now, and what pages show. */
async function inUse(contract: Contract, params: { project: string }) {
  const { project } = contract.service.projects.get(params.project);
  const tail = await contract.get<Tail>(`GET ${P}/tail`, { params });
  const { total } = await contract.get<{ total: number }>(`GET ${P}/problems`, { params });
  const kinds = await contract.get<ProblemKind[]>(`GET ${P}/problems/kinds`, { params });
  const sources = await contract.get<SourceEntry[]>(`GET ${P}/sources`, { params });
  const shown = await contract.ask(`GET ${P}/images/ids`, { params });
  return {
    snapshot: takeSnapshot(project.store).images.map(({ id, path }) => [id, path]),
    bank: contextsOf(takeBank(project.store)).map(({ contextId, imageId }) => [contextId, imageId]),
    found: selectContexts(project.store, {}).length,
    counts: contextCounts(project.store).accepted,
    summary: bankSummary(project).contexts,
    classes: tail.classes.map(({ name, train }) => [name, train]),
    images: tail.images,
    warnings: tail.warnings,
    shown: new Uint32Array(await shown.arrayBuffer()).length,
    problems: [total, kinds.length],
    sources: sources.map(({ id }) => id),
  };
}

test('a source is removed and brought back: the same images, the same contexts, nothing of it meanwhile', async () => {
  const contract = startContract();
  const { params, source, project, wrong } = await twoSources(contract);
  excludeImages(project.store, [13], { author: 'anna', at: new Date().toISOString() }, 'blurred');
  const before = await inUse(contract, params);
  assert.deepEqual([before.snapshot.length, before.bank.length, before.shown], [17, 18, 18]);

  const content = await contract.get<SourceContent>(`GET ${P}/sources/{source}/content`, { params: source });
  assert.deepEqual(content, { images: 5, contexts: 6, bank: 6 });
  const route = `POST ${P}/sources/{source}/remove`;
  assert.deepEqual(await contract.get<SourceContent>(route, { params: source }), content);
  assert.deepEqual(contract.takeTopics(), ['classes', 'contexts', 'images', 'problems', 'sources']);
  const meanwhile = await inUse(contract, params);
  assert.deepEqual(
    [meanwhile.snapshot, meanwhile.bank],
    [before.snapshot.slice(0, 12), before.bank.slice(0, 12)],
    'what is left is what it was',
  );
  assert.deepEqual([meanwhile.found, meanwhile.counts, meanwhile.summary, meanwhile.shown], [12, 12, 12, 12]);
  assert.deepEqual(
    meanwhile.classes.map(([name]) => name),
    ['cat', 'dog'],
  );
  assert.deepEqual(meanwhile.images, { usable: 12, excluded: 0, missing: 0, changed: 0 });
  assert.ok(!meanwhile.warnings.some((warning) => warning.includes('gone')), meanwhile.warnings.join(' '));
  assert.deepEqual([meanwhile.sources, meanwhile.problems], [[1], [4, 4]]);
  const { unused } = await contract.get<ContextDetail>(`GET ${P}/contexts/{context}`, {
    params: { ...params, context: 18 },
  });
  assert.equal(unused, 'The source of its picture was removed from the project.');
  const [out] = await contract.get<RemovedSource[]>(`GET ${P}/sources/removed`, { params });
  assert.deepEqual([out.id, out.path, out.images, out.lost], [2, wrong, 6, false]);

  const sentence = await contract.refused(route, 'usage', { params: source });
  assert.match(sentence, /^Source 2 \(.*wrong\) was removed already\.$/);
  const relink = await contract.ended(
    await contract.get<Task>(`POST ${P}/sources/{source}/relink`, { params: source, body: { path: wrong } }),
  );
  assert.match(relink.error?.message ?? '', /was removed: bring it back/);

  const restore = `POST ${P}/sources/{source}/restore`;
  assert.deepEqual(await contract.get(restore, { params: source }), { ...content, scan: null });
  assert.deepEqual(await inUse(contract, params), before);
  assert.match(await contract.refused(restore, 'usage', { params: source }), /is in the project already\.$/);
  assert.deepEqual(await contract.get(`GET ${P}/sources/removed`, { params }), []);
  for (const key of [route, restore, `GET ${P}/sources/{source}/content`]) {
    await contract.refused(key, 'not-found', { params: { ...params, source: 99 } });
  }

  await contract.get(route, { params: source });
  const look = await contract.get<SourceLook>(`POST ${P}/sources/look`, { params, body: { path: wrong } });
  assert.deepEqual([look.known, look.removed], [true, true]);
  const again = await contract.ended(await contract.get<Task>(`POST ${P}/imports`, { params, body: { path: wrong } }));
  assert.deepEqual([(again.result as ImportResult).sourceId, (again.result as ImportResult).added], [2, 0]);
  assert.deepEqual(await inUse(contract, params), before, 'importing it again does the same');
  assert.deepEqual(contract.log, []);
});

test('a source whose files have changed is scanned when it comes back; one that is gone comes back to be relinked', async () => {
  const contract = startContract();
  const { params, source, project, wrong } = await twoSources(contract);
  const remove = (): Promise<unknown> => contract.get(`POST ${P}/sources/{source}/remove`, { params: source });
  const restore = (): Promise<SourceContent & { scan: Task | null }> =>
    contract.get(`POST ${P}/sources/{source}/restore`, { params: source });
  const ofWrong = (): string[] =>
    [...project.store.images.iterate({ sourceId: 2 })].map(
      ({ id, path, state }) => `${path} ${state} ${project.store.contexts.ofImage(id)?.state}`,
    );
  await remove();
  writeTree(wrong, { 'cat/w0.png': tinyPng(200, 9), 'cat/new.png': tinyPng(201) });
  rmSync(join(wrong, 'car/w1.png'));
  const { scan } = await restore();
  assert.equal((await contract.ended(scan!)).state, 'done');
  assert.deepEqual(ofWrong().toSorted(), [
    'car/w1.png missing accepted',
    'car/w3.png ok accepted',
    'car/w5.png ok accepted',
    'cat/new.png ok undefined',
    'cat/w0.png ok undecided',
    'cat/w2.png ok accepted',
    'cat/w4.png ok accepted',
  ]);
  const before = ofWrong();

  await remove();
  const elsewhere = join(temporaryFolder(), 'elsewhere');
  renameSync(wrong, elsewhere);
  assert.equal((await restore()).scan, null);
  assert.deepEqual(ofWrong(), before, 'what had been missing is still');
  const sources = await contract.get<SourceEntry[]>(`GET ${P}/sources`, { params });
  assert.deepEqual(
    sources.map(({ lost }) => lost),
    [false, true],
  );
  const linked = await contract.ended(
    await contract.get<Task>(`POST ${P}/sources/{source}/relink`, { params: source, body: { path: elsewhere } }),
  );
  assert.equal(linked.state, 'done', JSON.stringify(linked.error));
  assert.deepEqual(contract.log, []);
});

test('an import that is gone on with does not bring back a source that was removed meanwhile', async () => {
  const contract = startContract();
  const { params, source, project, wrong } = await twoSources(contract);
  const ask = (): Promise<Task> => contract.get(`POST ${P}/imports`, { params, body: { path: wrong } });
  const { id } = await ask();
  const paused = await contract.get<Task>('POST /api/tasks/{task}/cancel', { params: { task: id } });
  assert.equal(paused.state, 'cancelled');
  await contract.get(`POST ${P}/sources/{source}/remove`, { params: source });
  const again = await contract.ended(
    await contract.get<Task>('POST /api/tasks/{task}/resume', { params: { task: id } }),
  );
  assert.equal(again.state, 'failed');
  assert.match(
    again.error!.message,
    /wrong was removed from the project after this import was asked for\. Import it anew/,
  );
  assert.notEqual(project.store.sources.get(2)!.removedAt, null);
  assert.equal((await contract.ended(await ask())).state, 'done');
  assert.equal(project.store.sources.get(2)!.removedAt, null);
  assert.deepEqual(contract.log, []);
});

test('a source is not removed while a task scans it, or waits to', async () => {
  const contract = startContract();
  const { params, source, project, wrong } = await twoSources(contract);
  const remove = `POST ${P}/sources/{source}/remove`;
  const first = await contract.get<Task>(`POST ${P}/sources/{source}/rescan`, {
    params: { ...params, source: 1 },
    body: {},
  });
  const second = await contract.get<Task>(`POST ${P}/imports`, { params, body: { path: wrong } });
  const sentence = await contract.refused(remove, 'usage', { params: source });
  assert.match(sentence, /^Source 2 \(.*wrong\) is being imported or relinked: wait .* then remove the source\.$/);
  await contract.refused(remove, 'usage', { params: { ...params, source: 1 } });
  assert.throws(() => removeSource(project, 1), /is being imported or relinked/);
  for (const task of [first, second]) assert.equal((await contract.ended(task)).state, 'done');
  await contract.get(remove, { params: source });
  assert.deepEqual(contract.log, []);
});
