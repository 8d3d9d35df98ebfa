import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { EXIT_CODES } from '../../core/base/errors.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { lastJson, run, type Result } from './command-line.ts';

const cwd = temporaryFolder();
const contexture = (...args: string[]): Promise<Result> => run(args, { cwd });

before(async () => {
  const root = join(cwd, 'pictures');
  const pictures = [
    ...classOf('train/cat', 3, { width: 20, height: 16 }, 1),
    ...classOf('train/owl', 2, { width: 16, height: 20 }, 9),
  ];
  for (const picture of pictures) await writePicture(root, picture);
  const project = await makeProject(join(cwd, 'own.contexture'), root, pictures);
  await findSome(
    project,
    Array.from(project.store.images.iterate(), ({ id }) => id),
  );
  project.close();
});

test('masks go out, are changed, and come in again', async () => {
  const out = await contexture('masks', 'export', 'out', '--class', 'cat');
  assert.equal(out.code, 0, out.stderr);
  assert.match(out.stdout, /^3 masks written to .*out\.\n$/);
  assert.deepEqual(readdirSync(join(cwd, 'out', 'train')), ['cat']);
  const again = await contexture('masks', 'export', 'out');
  assert.equal(again.code, EXIT_CODES.exists);

  const changed = await contexture('bank', 'morph', 'invert', '1', '2');
  assert.equal(changed.stdout, '2 masks made. Nothing was made with them yet.\n');
  assert.equal((await contexture('bank', 'morph', 'melt')).code, EXIT_CODES.usage);

  writeFileSync(join(cwd, 'out', 'stranger.png'), 'no picture');
  const read = await contexture('masks', 'import', 'out');
  assert.equal(read.code, 0, read.stderr);
  assert.equal(
    read.stdout,
    '2 masks read, 1 were there already.\n\nNot taken, 1:\nstranger.png: no image of the project has this name\n',
  );
  const { imported, unchanged } = lastJson((await contexture('masks', 'import', 'out', '--json', '--quiet')).stdout);
  assert.deepEqual([imported, unchanged], [0, 3]);

  await contexture('masks', 'export', 'coco', '--format', 'coco-rle');
  const coco = lastJson((await contexture('masks', 'import', 'coco/masks.json', '--json', '--quiet')).stdout);
  // Soft masks come back cut at half.
  assert.deepEqual([coco.imported, coco.problems], [5, []]);
  assert.equal((await contexture('masks', 'import', 'nowhere')).code, EXIT_CODES['not-found']);
});

test('without a search by a model no mask is disputed, and it is said why', async () => {
  const { code, stderr } = await contexture('bank', 'disputed');
  assert.equal(code, EXIT_CODES.empty);
  assert.match(stderr, /No contexts were found with a run yet/);
});
