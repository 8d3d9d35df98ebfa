import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { NearOutcome, NearReport } from '../../core/api/near-duplicates.ts';
import { UserError } from '../../core/base/errors.ts';
import type { Progress } from '../../core/base/progress.ts';
import { packFolder } from '../../core/data/packed.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { backbonePath } from '../../core/models/backbone-pack.ts';
import { descriptors } from '../../core/near/descriptors.ts';
import { describeNear, findNear } from '../../core/services/duplicates.ts';
import { keepOne } from '../../core/services/edits.ts';
import { importSource } from '../../core/services/import.ts';
import { findNearDuplicates, nearReport, setNearThreshold } from '../../core/services/near-duplicates.ts';
import { tailReport } from '../../core/services/stats.ts';
import { openProject, type Project } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import { writePack } from '../fixtures/backbones.ts';
import { COPIES, nearTree, sceneFile } from '../fixtures/near-copies.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const act = { author: 'ann', at: '2026-01-01T00:00:00.000Z' };
const folder = temporaryFolder();
const pictures = join(folder, 'pictures');
let project: Project;

before(async () => {
  process.env.CONTEXTURE_CACHE = temporaryFolder();
  writeTree(pictures, await nearTree());
  project = openProject(sqliteStorage, join(folder, 'near.contexture'), { create: true, program: 'test' });
  await importSource(project, { path: pictures }, runJob);
});
after(() => project.close());

/** Paths of each group, with what it is. */
const groups = (): string[] =>
  describeNear(project.store, findNear(project.store)!.groups).map(({ images, leak, conflict }) => {
    const kind = [leak ? 'leak' : '', conflict ? 'conflict' : ''].join('');
    return `${kind} ${images
      .map(({ path }) => path)
      .toSorted()
      .join(', ')}`.trim();
  });

test('copies are found by pixels: what leaks, what contradicts, what is there too often; and one of each is kept', async () => {
  assert.equal(nearReport(project.store), null);
  assert.equal(tailReport(project.store).near, null);
  const events: Progress[] = [];
  const onEvent = (event: Progress): void => void events.push(event);
  const outcome = await findNearDuplicates(project, { by: 'pixels' }, runJob, { onEvent });
  assert.deepEqual(NearOutcome.parse(outcome), outcome);
  assert.deepEqual(outcome, { by: 'pixels', pictures: 25, groups: 3, leaks: 1, conflicts: 1, unreadable: [] });
  assert.deepEqual(groups().toSorted(), [
    'conflict train/a/1.png, train/b/1 mirrored.jpg',
    'leak test/a/0 cropped.jpg, train/a/0.png',
    'train/a/2 coded.jpg, train/a/2 smaller.jpg, train/a/2.png',
  ]);
  assert.deepEqual(
    [...new Set(events.map(({ stage }) => stage))],
    ['Looking at pictures by pixels', 'Comparing pictures'],
  );
  assert.deepEqual([events.at(-1)?.done, events.at(-1)?.total], [300, 300]);
  const report = nearReport(project.store);
  assert.deepEqual(NearReport.parse(report), report);
  const { near, warnings } = tailReport(project.store);
  assert.deepEqual(near, { surplus: 4, copies: 1, leaks: 1, conflicts: 1 });
  assert.ok(warnings.some((text) => text.startsWith('1 group of nearly the same pictures is in more than one split')));

  const leaks = describeNear(project.store, findNear(project.store)!.groups).filter(({ leak }) => leak);
  const edit = keepOne(project.store, { groups: leaks, near: true, prefer: 'test' }, act);
  assert.equal(edit.changes, 1);
  assert.deepEqual(
    [...project.store.images.iterate({ excluded: true })].map(({ path }) => path),
    ['train/a/0.png'],
  );
  assert.equal(nearReport(project.store)?.leaks, 0);
  project.store.edits.undo(act.at);
  assert.equal(nearReport(project.store)?.leaks, 1);
});

test('the threshold moves without another look, as far as links were kept', () => {
  const { floor, threshold } = nearReport(project.store)!;
  const { groups: found } = findNear(project.store)!;
  const weakest = Math.min(...found.map((group) => group.weakest));
  setNearThreshold(project.store, weakest + 1e-9);
  assert.equal(
    nearReport(project.store)?.groups,
    found.length - 1 + (found.find((group) => group.weakest === weakest)!.imageIds.length > 2 ? 1 : 0),
  );
  for (const wrong of [floor - 0.01, 1.01]) {
    assert.throws(() => setNearThreshold(project.store, wrong), { code: 'usage' });
  }
  setNearThreshold(project.store, threshold);
});

test('what is new is described, and nothing else; what cannot be read is told', async () => {
  const vectors = (): number[] =>
    readdirSync(packFolder(project.cacheFolder))
      .filter((name) => name.endsWith('.vectors'))
      .map((name) => statSync(join(packFolder(project.cacheFolder), name)).size);
  const [old] = vectors();
  writeTree(pictures, {
    'train/b/41.png': await sceneFile(41),
    'train/b/42.png': await sceneFile(42),
    'train/b/41 brighter.jpg': await sceneFile(41, 'brighter'),
  });
  await importSource(project, { path: pictures }, runJob);
  assert.equal(nearReport(project.store)?.unseen, 3);
  rmSync(join(pictures, 'train/b/42.png'));
  setNearThreshold(project.store, 0.9);
  const { pictures: seen, groups: count, unreadable } = await findNearDuplicates(project, { by: 'pixels' }, runJob);
  assert.deepEqual([seen, count], [27, 4]);
  assert.match(unreadable[0].reason, /^Cannot read .*42\.png/);
  const [now] = vectors();
  assert.equal((now - old) / 2, (old - 64) / 25, 'two records more');
  const { unseen, unreadable: lost, threshold } = nearReport(project.store)!;
  assert.deepEqual([unseen, lost, threshold], [0, 1, 0.9], 'the threshold stays');
  // A damaged file is described anew.
  const [name] = readdirSync(packFolder(project.cacheFolder)).filter((each) => each.endsWith('.vectors'));
  writeFileSync(join(packFolder(project.cacheFolder), name), 'nonsense');
  assert.equal((await findNearDuplicates(project, { by: 'pixels' }, runJob)).pictures, 27);
});

test('a backbone and pixels together find every kind of copy; a look that is cancelled changes nothing', async () => {
  const last = nearReport(project.store);
  await assert.rejects(
    findNearDuplicates(project, { by: 'nothing' }, runJob),
    (error) => error instanceof UserError && error.code === 'not-found' && error.message.endsWith(' pixels.'),
  );
  await assert.rejects(findNearDuplicates(project, { by: 'pixels' }, runJob, { signal: AbortSignal.abort() }), {
    code: 'cancelled',
  });
  assert.deepEqual(nearReport(project.store), last);

  writePack('drawn', 'efficientnet-lite0', 1);
  const files: Record<string, Buffer> = {};
  for (const name of Object.keys(COPIES)) files[`train/a/50 ${name}.jpg`] = await sceneFile(50, name);
  files['train/a/50.png'] = await sceneFile(50);
  writeTree(pictures, files);
  await importSource(project, { path: pictures }, runJob);
  const { by, pictures: seen } = await findNearDuplicates(project, { by: 'drawn' }, runJob);
  assert.deepEqual([by, seen], ['drawn', 33]);
  assert.ok(groups().includes(Object.keys(files).toSorted().join(', ')), groups().join('\n'));
  assert.ok(groups().includes('leak test/a/0 cropped.jpg, train/a/0.png'));
  writeFileSync(backbonePath('drawn'), 'nonsense');
  assert.deepEqual(
    descriptors().map(({ name }) => name),
    ['pixels'],
    'a damaged one is not offered',
  );
});
