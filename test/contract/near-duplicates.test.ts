/** Looking for near-duplicates over the service and the command line: good, bad and hostile. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import type { EditEntry } from '../../core/api/edits.ts';
import { NearDescriptor, NearOutcome, NearReport, type NearDuplicateGroup } from '../../core/api/near-duplicates.ts';
import type { OpenedProject } from '../../core/api/projects.ts';
import { Tail } from '../../core/api/stats.ts';
import { Task } from '../../core/api/tasks.ts';
import type { TrainingPlan } from '../../core/api/training.ts';
import { openProject } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import { lastJson, run } from '../cli/command-line.ts';
import { startContract } from '../fixtures/contract.ts';
import { nearTree } from '../fixtures/near-copies.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const P = '/api/projects/{project}';
const contract = startContract();
const folder = temporaryFolder();
let params: { project: string };
let file: string;

interface Overview {
  descriptors: NearDescriptor[];
  report: NearReport | null;
}
const overview = (): Promise<Overview> => contract.get<Overview>(`GET ${P}/near-duplicates`, { params });
const groups = (query: object = {}): Promise<{ total: number; groups: NearDuplicateGroup[] }> =>
  contract.get(`GET ${P}/near-duplicates/groups`, { params, query: { ...query } });

before(async () => {
  process.env.CONTEXTURE_CACHE = temporaryFolder();
  writeTree(join(folder, 'pictures'), await nearTree());
  file = join(folder, 'near.contexture');
  const { id } = await contract.get<OpenedProject>('POST /api/projects', { body: { file, create: true } });
  params = { project: id };
  const task = await contract.get<Task>(`POST ${P}/imports`, { params, body: { path: join(folder, 'pictures') } });
  assert.equal((await contract.ended(task)).state, 'done');
});

test('before the first look there is nothing to list, and wrong wishes are refused', async () => {
  const { descriptors, report } = await overview();
  assert.deepEqual([report, descriptors.map(({ name }) => name)], [null, ['pixels']]);
  assert.deepEqual(NearDescriptor.parse(descriptors[0]), descriptors[0]);
  assert.deepEqual(await groups(), { total: 0, groups: [] });
  const threshold = `PUT ${P}/near-duplicates/threshold`;
  await contract.refused(threshold, 'empty', { params, body: { threshold: 0.9 } });
  await contract.refused(threshold, 'usage', { params, body: { threshold: 2 } });
  await contract.refused(`POST ${P}/near-duplicates`, 'not-found', { params, body: { by: '../../etc/passwd' } });
  await contract.refused(`POST ${P}/near-duplicates`, 'usage', { params, body: { by: 7 } });
  await contract.refused(`POST ${P}/edits/keep-one`, 'empty', { params, body: { near: true } });
  const empty = join(temporaryFolder(), 'empty.contexture');
  openProject(sqliteStorage, empty, { create: true, program: 'test' }).close();
  const { stderr } = await run(['near-duplicates'], { cwd: dirname(empty) });
  assert.match(stderr, /not looked for yet: run `contexture near-duplicates --find`/);
  const { stderr: none } = await run(['near-duplicates', '--find', '--quiet'], { cwd: dirname(empty) });
  assert.match(none, /There are no images to compare: import some first\.$/m);
});

test('a look is a task; its groups are listed by kind, and one of each is kept as one step', async () => {
  const task = Task.parse(await contract.get(`POST ${P}/near-duplicates`, { params, body: {} }));
  assert.deepEqual([task.kind, task.title], ['near-duplicates', 'Near-duplicates by pixels']);
  assert.equal(task.command, `contexture near-duplicates --find --by pixels --project ${file}`);
  const ended = await contract.ended(task);
  assert.equal(ended.state, 'done', JSON.stringify(ended.error));
  assert.deepEqual(NearOutcome.parse(ended.result), {
    by: 'pixels',
    pictures: 25,
    groups: 3,
    leaks: 1,
    conflicts: 1,
    unreadable: [],
  });
  const { report } = await overview();
  assert.deepEqual(NearReport.parse(report), report);
  const all = await groups();
  assert.deepEqual([all.total, (await groups({ kind: 'copy' })).total], [3, 1]);
  assert.deepEqual((await groups({ offset: 1, limit: 1 })).groups, all.groups.slice(1, 2));
  const [leak] = (await groups({ kind: 'leak' })).groups;
  assert.deepEqual(leak.images.map(({ path, split }) => `${split}: ${path}`).toSorted(), [
    'test: test/a/0 cropped.jpg',
    'train: train/a/0.png',
  ]);
  const tail = Tail.parse(await contract.get(`GET ${P}/tail`, { params }));
  assert.deepEqual(tail.near, { surplus: 4, copies: 1, leaks: 1, conflicts: 1 });

  const request = { preset: 'small', methods: ['ce'], seeds: [1], settings: {} };
  const plan = await contract.get<TrainingPlan>(`POST ${P}/training/plan`, { params, body: request });
  assert.deepEqual(
    plan.checks.filter(({ name }) => name.endsWith('leaks')).map(({ name, message }) => [name, message]),
    [
      [
        'near-leaks',
        '1 group of nearly the same pictures is in more than one split: figures will look better than they are.',
      ],
    ],
  );

  const body = { near: true, hashes: [leak.hash], prefer: 'test' };
  const edit = await contract.get<EditEntry>(`POST ${P}/edits/keep-one`, { params, body });
  assert.deepEqual([edit.changes, edit.text.includes('nearly the same as another image')], [1, true]);
  assert.equal((await groups({ kind: 'leak' })).total, 0);
  await contract.get(`POST ${P}/edits/undo`, { params, body: {} });
  assert.equal((await groups({ kind: 'leak' })).total, 1);
});

test('a threshold is kept for every caller; the command line prints the same and excludes', async () => {
  const body = { threshold: 1 };
  const report = await contract.get<NearReport>(`PUT ${P}/near-duplicates/threshold`, { params, body });
  assert.deepEqual([report.threshold, report.groups], [1, 0]);
  const cli = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(args, { cwd: dirname(file) });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await contract.service.closeProject(params.project);
  const usual = (await overviewOfCli('--threshold', '0.9')).near as NearReport;
  assert.deepEqual([usual.groups, usual.leaks], [3, 1]);
  const text = await cli('near-duplicates', '--kind', 'leak');
  assert.match(text, /^25 pictures compared by pixels, .*; alike from a cosine of 0\.9 on/);
  assert.match(text, /^3 groups of near-duplicates: 4 beyond the first of their kind; 1 leak .*, 1 conflict /m);
  assert.match(text, /^0\.\d\d leak: .*0 cropped\.jpg \(test, a\)/m);
  assert.doesNotMatch(text, /mirrored/);
  assert.match(await cli('edit', 'exclude', '--near-duplicates'), /4 images/);
  const none = (await overviewOfCli('--find', '--by', 'pixels')).near as NearReport;
  assert.deepEqual([none.pictures, none.groups], [21, 0]);
  const { code } = await run(['near-duplicates', '--threshold', '0.1'], { cwd: dirname(file) });
  assert.equal(code, 2);
});

async function overviewOfCli(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(['near-duplicates', ...args, '--json', '--quiet'], { cwd: dirname(file) });
  assert.equal(code, 0, stdout + stderr);
  return lastJson(stdout);
}
