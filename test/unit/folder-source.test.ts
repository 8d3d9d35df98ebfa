import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { FolderSource, type FolderFs } from '../../core/data/sources/folder.ts';
import type { FileRef, SourceItem } from '../../core/data/sources/source.ts';
import { listing, writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

test('files come in one order, whatever the file system says', async () => {
  const root = temporaryFolder();
  writeTree(root, {
    'b/2.png': '',
    'b/10.png': '',
    'a/1.png': '',
    'a.b/1.png': '',
    'B/1.png': '',
    'a/c/': '',
    'é/1': '',
  });
  const { files, folders, problems } = await listing(new FolderSource(root));
  assert.deepEqual(files, ['B/1.png', 'a/1.png', 'a.b/1.png', 'b/10.png', 'b/2.png', 'é/1']);
  assert.deepEqual(folders, ['B', 'a', 'a/c', 'a.b', 'b', 'é']);
  assert.deepEqual(problems, []);
});

test('hidden, system and own files are listed and not read', async () => {
  const root = temporaryFolder();
  writeTree(root, {
    'cat/1.png': '',
    'cat/.DS_Store': '',
    'cat/Thumbs.db': '',
    '.cache/2.png': '',
    '__MACOSX/cat/._1.png': '',
    'cats.contexture': '',
    'cats.contexture.files/blobs/ab/cd.png': '',
    'project files/blobs/1.png': '',
  });
  const source = new FolderSource(root, { exclude: [join(root, 'project files')] });
  assert.deepEqual(await listing(source), {
    files: ['cat/1.png'],
    folders: ['cat'],
    problems: [
      'hidden-file .cache',
      'system-file __MACOSX',
      'hidden-file cat/.DS_Store',
      'system-file cat/Thumbs.db',
      'own-file cats.contexture',
      'own-file cats.contexture.files',
      'own-file project files',
    ],
  });
});

test('links are followed, loops are cut and listed', { skip: process.platform === 'win32' }, async () => {
  const root = temporaryFolder();
  const outside = temporaryFolder();
  writeTree(outside, { 'dogs/1.png': 'dog', 'single.png': 'one' });
  writeTree(root, { 'cat/1.png': '' });
  symlinkSync(join(outside, 'dogs'), join(root, 'dog'));
  symlinkSync(join(outside, 'single.png'), join(root, 'cat', '2.png'));
  symlinkSync('..', join(root, 'cat', 'up'));
  symlinkSync('.', join(root, 'self'));
  symlinkSync(root, join(outside, 'dogs', 'back'));
  symlinkSync('nowhere', join(root, 'cat', 'dangling.png'));
  symlinkSync('circle', join(root, 'circle'));
  const source = new FolderSource(root);
  assert.deepEqual(await listing(source), {
    files: ['cat/1.png', 'cat/2.png', 'dog/1.png'],
    folders: ['cat', 'dog'],
    problems: [
      'unreadable cat/dangling.png',
      'link-loop cat/up',
      'unreadable circle',
      'link-loop dog/back',
      'link-loop self',
    ],
  });
  assert.equal((await source.read({ path: 'dog/1.png' })).toString(), 'dog');
});

test('folders that link to each other come to an end', { skip: process.platform === 'win32' }, async () => {
  const root = temporaryFolder();
  const outside = temporaryFolder();
  // Each of 24 folders holds two links to the next: 2 ** 24 ways to the last one.
  const folder = (i: number): string => join(outside, `f${i}`);
  for (let i = 0; i < 24; i++) mkdirSync(folder(i));
  for (let i = 0; i < 23; i++) for (const name of ['x', 'y']) symlinkSync(folder(i + 1), join(folder(i), name));
  writeFileSync(join(folder(23), '1.png'), '');
  symlinkSync(folder(0), join(root, 'in'));
  const { files, problems } = await listing(new FolderSource(root));
  assert.ok(files.length > 0 && files.length <= 8, `${files.length} files`);
  assert.ok(problems.every((problem) => problem.startsWith('link-repeated')));
});

test('names that are not UTF-8 are read by their bytes', { skip: process.platform !== 'linux' }, async () => {
  const root = temporaryFolder();
  const folder = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]);
  await fs.mkdir(folder);
  await fs.writeFile(Buffer.concat([folder, Buffer.from('/1.png')]), 'latin');
  await fs.writeFile(Buffer.concat([folder, Buffer.from('/\xff.png', 'latin1')]), 'worse');
  const source = new FolderSource(root);
  const found: FileRef[] = [];
  const problems: string[] = [];
  for await (const item of source.list()) {
    if (item.type === 'file') found.push(item.file);
    if (item.type === 'problem') problems.push(`${item.problem.kind} ${item.problem.path}`);
  }
  assert.deepEqual(
    found.map(({ path }) => path),
    ['caf\\xE9/1.png', 'caf\\xE9/\\xFF.png'],
  );
  assert.deepEqual(problems, ['name-not-utf8 caf\\xE9', 'name-not-utf8 caf\\xE9/\\xFF.png']);
  const contents = await Promise.all(found.map((file) => source.read(file)));
  assert.deepEqual(contents.map(String), ['latin', 'worse']);
  assert.equal((await source.stat(found[0])).size, 5);
});

test('what is neither file nor folder is listed and never opened', { skip: process.platform === 'win32' }, async () => {
  const root = temporaryFolder();
  writeTree(root, { 'cat/1.png': '' });
  execFileSync('mkfifo', [join(root, 'cat', 'pipe.png')]);
  symlinkSync('pipe.png', join(root, 'cat', 'to-pipe.png'));
  assert.deepEqual(await listing(new FolderSource(root)), {
    files: ['cat/1.png'],
    folders: ['cat'],
    problems: ['not-a-file cat/pipe.png', 'not-a-file cat/to-pipe.png'],
  });
});

test('a folder that cannot be read is listed, and the rest is read', async () => {
  const root = temporaryFolder();
  writeTree(root, { 'bad/1.png': '', 'good/1.png': '' });
  const failing: FolderFs = {
    ...fs,
    // The one signature that is used of the many that readdir has.
    readdir: (async (path: Buffer, options: never) => {
      if (path.toString().endsWith('/bad')) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      return fs.readdir(path, options);
    }) as FolderFs['readdir'],
  };
  const problems: SourceItem[] = [];
  const files: string[] = [];
  for await (const item of new FolderSource(root, { fs: failing }).list()) {
    if (item.type === 'problem') problems.push(item);
    if (item.type === 'file') files.push(item.file.path);
  }
  assert.deepEqual(files, ['good/1.png']);
  const reason = 'The folder cannot be read: the disk cannot read it.';
  assert.deepEqual(problems, [
    { type: 'problem', problem: { path: 'bad', kind: 'unreadable-folder', severity: 'error', reason } },
  ]);
});

test('a folder deeper than any is listed', async () => {
  const root = temporaryFolder();
  writeTree(root, { [`${'a/'.repeat(70)}1.png`]: '', 'b/1.png': '' });
  const { files, problems } = await listing(new FolderSource(root));
  assert.deepEqual(files, ['b/1.png']);
  assert.equal(problems.length, 1);
  assert.match(problems[0], /^too-deep a\/a/);
});

test('the source itself: missing, or a file', async () => {
  const root = temporaryFolder();
  writeTree(root, { file: '' });
  await assert.rejects(
    listing(new FolderSource(join(root, 'none'))),
    (error) => error instanceof UserError && error.code === 'not-found',
  );
  await assert.rejects(
    listing(new FolderSource(join(root, 'file'))),
    (error) => error instanceof UserError && error.code === 'usage',
  );
});

test('size, time and the first bytes of a file', async () => {
  const root = temporaryFolder();
  writeTree(root, { 'a/1.png': '0123456789' });
  utimesSync(join(root, 'a/1.png'), 1000.1234, 1000.1234);
  const source = new FolderSource(root);
  assert.deepEqual(await source.stat({ path: 'a/1.png' }), { size: 10, mtimeMs: 1_000_123 });
  assert.equal((await source.read({ path: 'a/1.png' }, 4)).toString(), '0123');
  assert.equal((await source.read({ path: 'a/1.png' }, 400)).toString(), '0123456789');
  rmSync(join(root, 'a/1.png'));
  await assert.rejects(source.stat({ path: 'a/1.png' }), { code: 'ENOENT' });
  await assert.rejects(source.stat({ path: 'a' }), UserError);
});

test('a cancelled listing ends', async () => {
  const root = temporaryFolder();
  writeTree(root, { 'a/1.png': '', 'a/2.png': '', 'b/1.png': '' });
  const abort = new AbortController();
  const seen: string[] = [];
  for await (const item of new FolderSource(root).list(abort.signal)) {
    if (item.type === 'file') seen.push(item.file.path);
    abort.abort();
  }
  assert.deepEqual(seen, []);
});
