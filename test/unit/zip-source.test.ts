import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { ZipSource } from '../../core/data/sources/zip.ts';
import { listing } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { zipFile, type ZipEntryOptions } from '../fixtures/zip-file.ts';

function zipAt(entries: readonly ZipEntryOptions[]): string {
  const path = join(temporaryFolder(), 'pictures.zip');
  writeFileSync(path, zipFile(entries));
  return path;
}

const text = (content: string): Buffer => Buffer.from(content);

test('files, packed or stored, in the order of a folder walk', async () => {
  const long = text('squeeze '.repeat(20_000));
  const path = zipAt([
    { name: 'set/dog/2.png', data: text('two'), method: 0 },
    { name: 'set/dog/10.png', data: long },
    { name: 'set/empty/' },
    { name: 'set/cat/1.png', data: text('') },
  ]);
  const source = await ZipSource.open(path);
  assert.deepEqual(await listing(source), {
    files: ['set/cat/1.png', 'set/dog/10.png', 'set/dog/2.png'],
    folders: ['set', 'set/cat', 'set/dog', 'set/empty'],
    problems: [],
  });
  assert.deepEqual(await source.read({ path: 'set/dog/10.png' }), long);
  assert.equal((await source.read({ path: 'set/dog/2.png' })).toString(), 'two');
  assert.equal((await source.read({ path: 'set/cat/1.png' })).length, 0);
  assert.equal((await source.read({ path: 'set/dog/10.png' }, 7)).toString(), 'squeeze');
  assert.equal((await source.read({ path: 'set/dog/2.png' }, 2)).toString(), 'tw');
  const mtimeMs = Date.UTC(2020, 0, 1, 12);
  assert.deepEqual(await source.stat({ path: 'set/dog/10.png' }), { size: long.length, mtimeMs });
  await source.close();
});

test('reads many entries at once', async () => {
  const entries = Array.from({ length: 300 }, (_, i) => ({ name: `c/${i}.bin`, data: Buffer.alloc(i * 311, i) }));
  const source = await ZipSource.open(zipAt(entries));
  const all = await Promise.all(entries.map(({ name }) => source.read({ path: name })));
  assert.ok(all.every((bytes, i) => bytes.equals(entries[i].data)));
  await source.close();
});

test('hidden and system entries are listed once, at their top', async () => {
  const source = await ZipSource.open(
    zipAt([
      { name: 'cat/1.png' },
      { name: '__MACOSX/cat/._1.png' },
      { name: '__MACOSX/cat/._2.png' },
      { name: 'cat/.hidden/x.png' },
      { name: 'cat/.hidden/y.png' },
    ]),
  );
  const { files, problems } = await listing(source);
  assert.deepEqual(files, ['cat/1.png']);
  assert.deepEqual(problems, ['system-file __MACOSX', 'hidden-file cat/.hidden']);
  await source.close();
});

test('names: UTF-8 with and without saying so, old code page, back slashes', async () => {
  const source = await ZipSource.open(
    zipAt([
      { name: 'café/1.png' },
      { name: 'köln/1.png', flags: 0 },
      { name: Buffer.from('M\x81nchen/1.png', 'latin1'), flags: 0 },
      { name: 'win\\dows\\1.png', flags: 0 },
    ]),
  );
  assert.deepEqual((await listing(source)).files, ['München/1.png', 'café/1.png', 'köln/1.png', 'win/dows/1.png']);
  await source.close();
});

test('names that lead outside, repeated names and encrypted entries are listed', async () => {
  const source = await ZipSource.open(
    zipAt([
      { name: '../evil.png' },
      { name: '/etc/evil.png' },
      { name: 'a/./b.png' },
      { name: 'a/1.png', data: text('first') },
      { name: 'a/1.png', data: text('second') },
      { name: 'a/2.png', flags: 0x801 },
    ]),
  );
  const { files, problems } = await listing(source);
  assert.deepEqual(files, ['a/1.png']);
  assert.deepEqual(problems, [
    'hidden-file ..',
    'unsafe-name /etc/evil.png',
    'hidden-file a/.',
    'repeated-name a/1.png',
    'unreadable a/2.png',
  ]);
  assert.equal((await source.read({ path: 'a/1.png' })).toString(), 'first');
  await source.close();
});

test('damaged entries are found out when they are read', async () => {
  const source = await ZipSource.open(
    zipAt([
      { name: 'a/sum.png', data: text('hello'), wrongChecksum: true },
      { name: 'a/bomb.png', data: Buffer.alloc(1_000_000), claimedSize: 100 },
      { name: 'a/short.png', data: text('hello'), claimedSize: 100 },
    ]),
  );
  for (const path of ['a/sum.png', 'a/bomb.png', 'a/short.png']) {
    await assert.rejects(
      source.read({ path }),
      (error) => error instanceof UserError && error.code === 'damaged',
      path,
    );
  }
  await assert.rejects(source.read({ path: 'a/none.png' }), { code: 'not-found' });
  await source.close();
});

const refused = (file: string, code: string): Promise<void> =>
  assert.rejects(ZipSource.open(file), (error) => error instanceof UserError && error.code === code, file);

test('a file that is no zip, one that is cut, and none', async () => {
  const path = zipAt([{ name: 'a/1.png', data: Buffer.alloc(1000) }]);
  truncateSync(path, 60);
  await refused(path, 'damaged');
  writeFileSync(path, 'hello');
  await refused(path, 'damaged');
  writeFileSync(path, '');
  await refused(path, 'damaged');
  await refused(`${path}.none`, 'not-found');
  await refused(temporaryFolder(), 'usage');
});
