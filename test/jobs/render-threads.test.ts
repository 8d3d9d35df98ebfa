import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { takeBank } from '../../core/contexts/bank.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { planExport } from '../../core/export/plan.ts';
import { DEFAULT_RECIPE } from '../../core/export/recipe.ts';
import { LocalMaker, type RenderOrder, type RenderSettings } from '../../core/export/render.ts';
import { ThreadedMaker } from '../../core/export/render-threads.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { Project } from '../../core/storage/project.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
/** A shelf that holds a few pictures only: most are pushed out while others wait for them. */
const SHELF_BYTES = 20_000;
const PICTURES = classOf('train/cat', 6, { width: 40, height: 30, context: true }, 1);
let project: Project;
let settings: RenderSettings;
let orders: RenderOrder[];

before(async () => {
  const root = join(folder, 'pictures');
  for (const picture of PICTURES) await writePicture(root, picture);
  project = await makeProject(join(folder, 'test.contexture'), root, PICTURES);
  const snapshot = takeSnapshot(project.store);
  const images = new Map(snapshot.images.map((image) => [image.id, image]));
  const plan = planExport(snapshot, takeBank(project.store), {
    ...DEFAULT_RECIPE,
    amount: { kind: 'add', images: 30 },
    size: 25,
  });
  const { mask, format } = DEFAULT_RECIPE;
  settings = { roots: snapshot.roots, blobFolder: project.blobs.folder, mask, format };
  orders = plan.items.map((item) => ({
    item,
    source: images.get(item.source.id)!,
    context: item.context && images.get(item.context.image.id!)!,
    path: null,
  }));
});
after(() => project.close());

test('threads make the same pictures as one thread does', async () => {
  const local = new LocalMaker(settings, SHELF_BYTES);
  const threads = new ThreadedMaker(settings, SHELF_BYTES, 3);
  try {
    const [here, there] = await Promise.all(
      [local, threads].map((maker) => Promise.all(orders.map((order) => maker.make(order)))),
    );
    assert.deepEqual(there, here);
    assert.equal(new Set(here.map(({ sha256: hash }) => hash)).size, 36);
    const path = join(folder, 'written.png');
    const made = await threads.make({ ...orders[0], path });
    assert.deepEqual(made, { sha256: sha256(readFileSync(path)), bytes: readFileSync(path).length });
  } finally {
    await Promise.all([local.close(), threads.close()]);
  }
});

test('what one thread has decoded is not read again by another', async () => {
  const root = join(folder, 'going');
  const [picture] = PICTURES;
  await writePicture(root, picture);
  const [folderRoot] = settings.roots;
  const threads = new ThreadedMaker({ ...settings, roots: [{ ...folderRoot, path: root }] }, 2 ** 20, 2);
  const order = orders.find(({ item }) => item.kind === 'original' && item.source.path === picture.file)!;
  try {
    const first = await threads.make(order);
    rmSync(join(root, picture.file));
    const again = await Promise.all(Array.from({ length: 6 }, () => threads.make(order)));
    assert.deepEqual(again, Array(6).fill(first));
  } finally {
    await threads.close();
  }
});

test('an error on a thread is the one it would be here, and the thread goes on', async () => {
  const threads = new ThreadedMaker(settings, SHELF_BYTES, 1);
  try {
    const path = join(folder, 'never.png');
    const gone = { ...orders[0].source, hash: sha256('other'), path: 'train/cat/1.png' };
    await assert.rejects(
      threads.make({ ...orders[0], source: gone, path }),
      (error) => error instanceof UserError && error.code === 'changed' && error.message.includes('1.png'),
    );
    assert.ok(!existsSync(path));
    assert.equal(typeof (await threads.make(orders[1])).sha256, 'string');
  } finally {
    await threads.close();
  }
});

test('a thread that dies fails its orders, those at work and those to come', async () => {
  // Without a rule for masks it ends as it starts.
  const { mask: _none, ...broken } = settings;
  const threads = new ThreadedMaker(broken as RenderSettings, SHELF_BYTES, 1);
  await assert.rejects(threads.make(orders[0]), (error) => !(error instanceof UserError));
  await assert.rejects(threads.make(orders[0]), (error) => !(error instanceof UserError));
  await threads.close();
});
