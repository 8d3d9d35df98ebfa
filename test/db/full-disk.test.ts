import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../core/storage/blob-store.ts';
import { thisHolder } from '../../core/storage/project.ts';
import { openProjectFile } from '../../db/open.ts';
import { createStore } from '../../db/store.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { newImage, projectFile, refused } from './support.ts';

test('a file that cannot grow takes a batch whole or not at all, and goes on when it can', () => {
  const project = openProjectFile(projectFile(), { create: true, holder: thisHolder('contexture test') });
  const store = createStore(project);
  const batch = (name: string) => Array.from({ length: 200 }, (_, i) => newImage(store, `${name}/${i}`));
  store.images.upsert(batch('a'));
  const { page_count: pages } = project.connection.prepare<[], { page_count: number }>('PRAGMA page_count').get()!;
  project.connection.pragma(`max_page_count = ${pages + 3}`);
  const sentence = refused(() => store.images.upsert(batch('b')), 'no-space');
  assert.ok(sentence.includes(project.connection.file), sentence);
  assert.equal([...store.images.iterate()].length, 200);
  refused(
    () =>
      store.transaction(() => {
        store.settings.set('x', 1);
        store.settings.set('y', sha256('').repeat(10_000));
      }),
    'no-space',
  );
  assert.equal(store.settings.get('x'), undefined);
  project.connection.pragma('max_page_count = 1000000');
  store.images.upsert(batch('b'));
  assert.equal([...store.images.iterate()].length, 400);
  store.close();
});

/** A shell command with a disk of 3 MB of its own at a folder; Linux lets users have one in a name space of their own. */
function onSmallDisk(folder: string, ...command: string[]): string {
  const mount = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"';
  return execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', mount, folder, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const noSmallDisk = (() => {
  try {
    onSmallDisk(temporaryFolder(), 'true');
    return false;
  } catch {
    return 'this system lets nobody mount a small disk';
  }
})();

test('a disk that is full is told, loses nothing, and work goes on when there is space', { skip: noSmallDisk }, () => {
  const script = fileURLToPath(new URL('../fixtures/full-disk.ts', import.meta.url));
  const folder = temporaryFolder();
  const result = JSON.parse(onSmallDisk(folder, process.execPath, script, folder));
  const { batches } = result;
  assert.ok(batches > 1);
  assert.deepEqual(result, {
    making: 'no-space',
    leftByMaking: ['filler'],
    writing: 'no-space',
    batches,
    whileFull: (batches - 1) * 50,
    putting: 'no-space',
    leftByPutting: result.leftByPutting,
    writingOn: 'ok',
    afterwards: batches * 50,
  });
  assert.ok(!result.leftByPutting.some((name: string) => name.endsWith('.part')), result.leftByPutting.join());
});
