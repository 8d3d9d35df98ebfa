import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { CsvSource } from '../../core/data/sources/csv.ts';
import { writeTree } from '../fixtures/sources.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

async function rows(content: string | Buffer): Promise<(string | null)[][]> {
  const path = join(temporaryFolder(), 'list.csv');
  writeFileSync(path, content);
  const found: (string | null)[][] = [];
  for await (const item of new CsvSource(path).list()) {
    if (item.type === 'file') found.push([item.file.path, item.given!.className, item.given!.split]);
    if (item.type === 'problem') found.push([item.problem.kind, item.problem.path]);
  }
  return found;
}

test('path and label, with and without split, header and order', async () => {
  const plain = [
    ['a/1.png', 'cat', null],
    ['a/2.png', 'dog', null],
  ];
  assert.deepEqual(await rows('a/1.png,cat\na/2.png,dog\n'), plain);
  assert.deepEqual(await rows('path,label\r\na/1.png,cat\r\na/2.png,dog'), plain);
  assert.deepEqual(await rows('\ufeffLabel,Filename,x\ncat,a/1.png,1\ndog,a/2.png,2\n'), plain);
  const split = [
    ['a/1.png', 'cat', 'train'],
    ['a/2.png', 'dog', 'val'],
    ['a/3.png', 'dog', null],
  ];
  assert.deepEqual(await rows('a/1.png,cat,train\na/2.png,dog,Validation\na/3.png,dog,\n'), split);
  assert.deepEqual(await rows('image;class;set\na/1.png;cat;train\na/2.png;dog;valid\na/3.png;dog;'), split);
  assert.deepEqual(await rows('a/1.png\tcat\ttrain\na/2.png\tdog\tval\na/3.png\tdog\t'), split);
});

test('quotes, blanks, empty lines and Windows paths', async () => {
  assert.deepEqual(await rows('"a/one, two.png" , "big ""cat"""\n\n\nb\\c\\3.png,dog\n./d/4.png,dog\n'), [
    ['a/one, two.png', 'big "cat"', null],
    ['b/c/3.png', 'dog', null],
    ['d/4.png', 'dog', null],
  ]);
});

test('labels in both Unicode forms are one class', async () => {
  const [[, first], [, second]] = await rows('1.png,caf\u00e9\n2.png,cafe\u0301\n');
  assert.equal(first, second);
});

test('rows that say too little, too much or something else are listed', async () => {
  assert.deepEqual(
    await rows('path,label,split\n1.png\n,cat\n2.png,cat,holdout\n3.png,cat,test\n3.png,dog,test\n3.png,cat\n'),
    [
      ['no-class', '1.png'],
      ['csv-row', ''],
      ['no-split', '2.png'],
      ['3.png', 'cat', 'test'],
      ['label-conflict', '3.png'],
      ['repeated-name', '3.png'],
    ],
  );
});

test('stray quotes are taken as they are; one that is never closed is listed', async () => {
  assert.deepEqual(await rows('1.png,cat\n3.png,b"i"g\n4.png,cat\n'), [
    ['1.png', 'cat', null],
    ['3.png', 'b"i"g', null],
    ['4.png', 'cat', null],
  ]);
  for (const open of ['"2.png,dog', '2.png,"do"g']) {
    assert.deepEqual(await rows(`1.png,cat\n${open}\n3.png,cat\n`), [
      ['1.png', 'cat', null],
      ['csv-row', ''],
    ]);
  }
});

test('files are found relative to the CSV file, absolute, and in the other Unicode form', async () => {
  const folder = temporaryFolder();
  const elsewhere = temporaryFolder();
  writeTree(folder, { 'lists/x.csv': '', 'pictures/cafe\u0301.png': 'decomposed', 'pictures/1.png': 'one' });
  writeTree(elsewhere, { '2.png': 'two' });
  const source = new CsvSource(join(folder, 'lists', 'x.csv'));
  const read = async (path: string): Promise<string> => (await source.read({ path })).toString();
  assert.equal(await read('../pictures/1.png'), 'one');
  assert.equal(await read(join(elsewhere, '2.png')), 'two');
  assert.equal(await read('../pictures/caf\u00e9.png'), 'decomposed');
  assert.equal((await source.stat({ path: '../pictures/caf\u00e9.png' })).size, 10);
  assert.equal((await source.read({ path: '../pictures/1.png' }, 2)).toString(), 'on');
  await assert.rejects(source.read({ path: '../pictures/none.png' }), { code: 'ENOENT' });
  await assert.rejects(source.stat({ path: '../pictures' }), UserError);
});

test('paths that are not UTF-8 keep their bytes', { skip: process.platform !== 'linux' }, async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'a'));
  const name = Buffer.from('a/caf\xe9.png', 'latin1');
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'latin');
  const path = join(folder, 'x.csv');
  writeFileSync(path, Buffer.concat([name, Buffer.from(',cat\n')]));
  const source = new CsvSource(path);
  for await (const item of source.list()) {
    assert.ok(item.type === 'file');
    assert.equal(item.file.path, 'a/caf\\xE9.png');
    assert.equal((await source.read(item.file)).toString(), 'latin');
  }
});

test('a CSV file that is not there, is empty, or is no text', async () => {
  await assert.rejects(
    async () => {
      for await (const _ of new CsvSource(join(temporaryFolder(), 'none.csv')).list());
    },
    (error) => error instanceof UserError && error.code === 'not-found',
  );
  assert.deepEqual(await rows(''), []);
  const junk = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) % 251));
  assert.ok((await rows(junk)).every(([kind]) => kind !== null));
});
