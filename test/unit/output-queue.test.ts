/** Output that waits for its reader: in memory up to a bound, then in a file. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { OutputQueue } from '../../core/server/output-queue.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
const usual = process.env.TMPDIR;
before(() => void (process.env.TMPDIR = folder));
after(() => {
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
});

/** Bytes that say where they stand. */
function numbered(from: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (from + index) % 251);
}

test('all comes out in order whatever is in memory and what is not; the file goes when it has been read', async () => {
  const queue = new OutputQueue(1000);
  let pushed = 0;
  let taken = 0;
  const push = (length: number): void => {
    queue.push(numbered(pushed, length));
    pushed += length;
  };
  const take = async (): Promise<void> => {
    const bytes = (await queue.take())!;
    assert.deepEqual(Buffer.from(bytes), Buffer.from(numbered(taken, bytes.length)));
    taken += bytes.length;
  };
  push(600);
  push(400);
  assert.deepEqual([queue.size, readdirSync(folder).length], [{ memory: 1000, file: 0 }, 0]);
  push(1);
  push(200_000);
  assert.deepEqual([queue.size, readdirSync(folder).length], [{ memory: 1000, file: 200_001 }, 1]);
  await take();
  // There is room in memory, but this comes after what is in the file.
  push(7);
  while (queue.size.memory + queue.size.file > 0) await take();
  assert.deepEqual([taken, queue.size, readdirSync(folder).length], [201_008, { memory: 0, file: 0 }, 0]);
  // And in memory again.
  push(5);
  assert.deepEqual(queue.size, { memory: 5, file: 0 });
  queue.end();
  push(5);
  await take();
  assert.equal(await queue.take(), undefined);
});

test('a reader that is ahead waits; one that has gone leaves nothing', async () => {
  const queue = new OutputQueue(10);
  const waiting = queue.take();
  queue.push(numbered(0, 3));
  assert.equal((await waiting)!.length, 3);
  const last = queue.take();
  queue.end();
  assert.equal(await last, undefined);
  const left = new OutputQueue(10);
  left.push(numbered(0, 100));
  assert.equal(readdirSync(folder).length, 1);
  left.discard();
  assert.deepEqual([await left.take(), readdirSync(folder).length], [undefined, 0]);
});

test('where it has to go to the disk and cannot, it says so', () => {
  process.env.TMPDIR = `${folder}/gone`;
  assert.throws(() => new OutputQueue(1).push(numbered(0, 2)), { code: 'not-found', message: /output of the command/ });
  process.env.TMPDIR = folder;
});
