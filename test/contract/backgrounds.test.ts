import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { makeBirds, writePicture } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { refused, startCaller } from './service.ts';

const caller = await startCaller();

test('backgrounds are added as a task, shown, noted, retired and forgotten', async () => {
  const folder = temporaryFolder();
  const file = await makeBirds(folder);
  const scenes = join(temporaryFolder(), 'scenes');
  for (let i = 0; i < 3; i++)
    await writePicture(scenes, { file: `${i}.png`, width: 500 + i, height: 90, seed: 50 + i });
  const { json: opened } = await caller.call('POST', '/api/projects', { file });
  const base = `/api/projects/${opened.id}/backgrounds`;
  assert.deepEqual((await caller.call('GET', base)).json, []);

  refused(await caller.call('POST', base, { folders: [] }), 'usage', 400);
  assert.match(refused(await caller.call('POST', base, { folders: ['scenes'] }), 'usage', 400), /not an absolute path/);
  refused(await caller.call('POST', base, { folders: [join(scenes, 'none')] }), 'not-found', 404);
  refused(await caller.call('POST', base, { folders: [file] }), 'usage', 400);

  const started = (await caller.call('POST', base, { folders: [scenes] })).json;
  assert.equal(started.command, `contexture bank add-backgrounds ${scenes} --project ${file}`);
  const task = await caller.ended(started);
  const result = { files: 3, added: 3, known: 0, changed: 0, refused: 0, problems: [] };
  assert.deepEqual([task.state, task.result], ['done', result]);
  const list = async () => (await caller.call('GET', base)).json;
  const [first] = await list();
  assert.deepEqual([first.id, first.file, first.width, first.retiredAt], [1, join(scenes, '0.png'), 500, null]);

  const picture = await caller.call('GET', `${base}/1/picture`);
  assert.equal(picture.media, 'image/webp');
  assert.deepEqual((await sharp(picture.bytes).metadata()).width, 384);
  assert.match(refused(await caller.call('GET', `${base}/99/picture`), 'not-found', 404), /no background 99/);

  assert.deepEqual((await caller.call('PUT', `${base}/1/note`, { note: ' dusk ' })).json, { note: 'dusk' });
  refused(await caller.call('PUT', `${base}/99/note`, { note: '' }), 'not-found', 404);
  assert.deepEqual((await caller.call('POST', `${base}/retire`, { ids: [1, 1, 2] })).json, { changed: 2 });
  refused(await caller.call('POST', `${base}/retire`, { ids: [3, 99] }), 'not-found', 404);
  assert.deepEqual(
    (await list()).map(({ retiredAt }: { retiredAt: string | null }) => retiredAt === null),
    [false, false, true],
  );
  assert.deepEqual((await caller.call('POST', `${base}/reinstate`, { ids: [1] })).json, { changed: 1 });
  assert.deepEqual((await caller.call('DELETE', `${base}/2`)).json, { removed: 1 });
  refused(await caller.call('DELETE', `${base}/2`), 'not-found', 404);

  // A file that is no longer the one that was added, or gone, is not shown.
  await writePicture(scenes, { file: '2.png', width: 40, height: 40, seed: 99 });
  refused(await caller.call('GET', `${base}/3/picture`), 'changed', 409);
  rmSync(join(scenes, '2.png'));
  assert.match(refused(await caller.call('GET', `${base}/3/picture`), 'not-found', 404), /2\.png/);

  // Nothing but what is no picture.
  const empty = temporaryFolder();
  writeFileSync(join(empty, 'a.png'), 'no picture');
  const failed = await caller.ended((await caller.call('POST', base, { folders: [empty] })).json);
  assert.equal(failed.state, 'failed');
  assert.match(failed.error!.message, /holds no picture that can be a background\. .*a\.png/);
});
