import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { queueRun } from '../../core/services/runs.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { run, runJson, type Result } from './command-line.ts';

let cwd: string;
const contexture = (...args: string[]): Promise<Result> => run(args, { cwd });
const json = (...args: string[]): Promise<Record<string, unknown>> => runJson(args, { cwd });

before(async () => {
  cwd = temporaryFolder();
  const root = join(cwd, 'pictures');
  const pictures = [
    ...classOf('train/cat', 4, { width: 40, height: 30, context: true }, 1),
    ...classOf('test/cat', 1, { width: 40, height: 30 }, 200),
  ];
  for (const picture of pictures) await writePicture(root, picture);
  const project = await makeProject(join(cwd, 'birds.contexture'), root, pictures);
  queueRun(project, { method: 'csa', preset: 'small', overrides: { curatedShare: 1, threads: 1 } });
  project.close();
});

test('contexts are retired, listed as such and put back; a note is kept', async () => {
  const { stdout } = await contexture('bank', 'retire', '2', '3');
  assert.match(
    stdout,
    /^2 contexts retired\. The bank holds 2 contexts\. 1 run was made with them before and stays as it is\.$/m,
  );
  const listed = await contexture('bank', 'list', '--retired');
  assert.match(listed.stdout, /^ +2 +accepted, retired .*cat\/1\.png$/m);
  assert.doesNotMatch(listed.stdout, /cat\/0\.png/);
  assert.doesNotMatch((await contexture('bank', 'list', '--no-retired')).stdout, /cat\/1\.png/);
  await contexture('bank', 'note', '2', 'night, wet road');
  const shown = await contexture('bank', 'show', '2');
  assert.match(shown.stdout, /^Context +2, accepted, retired$/m);
  assert.match(shown.stdout, /^Note +night, wet road$/m);
  assert.match(shown.stdout, /^Made with it +1 run was made with it\.$/m);
  assert.match(shown.stdout, /^run 1 +Context-shift augmentation, seed 1 +2$/m);
  assert.deepEqual(await json('bank', 'restore').then(({ changed, bank }) => [changed, bank]), [2, 4]);
  const none = await contexture('bank', 'restore');
  assert.equal(none.code, 7);
  assert.match(none.stderr, /No context fits/);
});

const listed = async (...options: string[]): Promise<number[]> => {
  const { contexts } = await json('bank', 'list', ...options);
  return (contexts as { context: { id: number } }[]).map(({ context }) => context.id);
};

test('contexts are listed by use, reviewer, note, class, group and probability, in the order asked for', async () => {
  await contexture('bank', 'note', '3', 'Fog over the road');
  await contexture('bank', 'reject', '4');
  const me = userInfo().username;
  assert.deepEqual(await listed('--used', '--sort', 'uses', '--descending'), [1, 2, 3, 4]);
  assert.deepEqual(await listed('--no-used'), []);
  assert.deepEqual(await listed('--note', 'fog'), [3]);
  assert.deepEqual(await listed('--reviewer', me), [4]);
  assert.deepEqual(await listed('--reviewer', 'test', '--sort', 'id', '--descending'), [3, 2, 1]);
  assert.deepEqual(await listed('--class', 'cat', '--group', 'few', '--state', 'accepted'), [1, 2, 3]);
  assert.deepEqual(await listed('--group', 'many'), []);
  assert.deepEqual(await listed('--max-probability', '0.5'), []);
  const { stdout } = await contexture('bank', 'list', '--reviewer', me);
  assert.match(stdout, new RegExp(`^ +4 +rejected +cat .* ${me} +1 +train/cat/3\\.png$`, 'm'));
  assert.match(stdout, /The bank holds 3 contexts\.$/m);
  assert.match((await contexture('bank', 'list', '--class', 'dog')).stderr, /no class called dog/);
  assert.equal((await contexture('bank', 'list', '--sort', 'size')).code, 2);
  await contexture('bank', 'accept', '4');
});

test('a mask that is replaced says what was made with the one before', async () => {
  await json('bank', 'save-mask', '1', 'mask.png');
  const { stdout } = await contexture('bank', 'load-mask', '1', 'mask.png');
  assert.match(stdout, /1 run was made with it, with an earlier mask\.$/m);
  const { stdout: back } = await contexture('bank', 'restore-mask', '1', '1');
  assert.match(back, /^Context 1 has mask 1 again\. 1 run was made with it\.$/m);
});

test('plain backgrounds are added, listed, retired, put back, noted and forgotten', async () => {
  const scenes = join(cwd, 'empty scenes');
  for (const i of [0, 1]) await writePicture(scenes, { file: `${i}.png`, width: 60 + i, height: 40, seed: 70 + i });
  const added = await contexture('bank', 'add-backgrounds', 'empty scenes');
  assert.match(added.stdout, /^2 backgrounds added\. The bank holds 2 plain backgrounds\.$/m);
  const again = await json('bank', 'add-backgrounds', 'empty scenes');
  assert.deepEqual([again.added, again.known, again.held], [0, 2, 2]);
  assert.match(
    (await contexture('bank', 'retire-backgrounds', '1', '2')).stdout,
    /^2 backgrounds retired\. .* 0 plain/m,
  );
  assert.match((await contexture('bank', 'restore-backgrounds', '2')).stdout, /^1 background put back\./m);
  assert.match((await contexture('bank', 'note-background', '2', 'wet road')).stdout, /^Background 2: wet road$/m);
  const { stdout } = await contexture('bank', 'backgrounds');
  assert.match(stdout, /^ +1 +retired +60 x 40 .*0\.png/m);
  assert.match(stdout, /^ +2 +in the bank +61 x 40 .*1\.png +wet road$/m);
  assert.match((await contexture('bank', 'remove-backgrounds', '1')).stdout, /^1 background removed\.$/m);
  const gone = await contexture('bank', 'retire-backgrounds', '1');
  assert.match(gone.stderr, /There is no background 1 in this project\./);
  const missing = await contexture('bank', 'add-backgrounds', 'nowhere');
  assert.match(missing.stderr, /nowhere/);
});
