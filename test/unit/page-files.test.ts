/** The built page as a running service gives it, before and after a new build. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PageFiles } from '../../core/server/page-files.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

/** Write a page as a build does: the old one away, then the new one. @param age of its files, seconds */
function build(folder: string, name: string, age: number): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'assets', `${name}.js`), `run ${name}`);
  const index = join(folder, 'index.html');
  writeFileSync(index, `<script src="/assets/${name}.js"></script>`);
  const at = Date.now() / 1000 - age;
  utimesSync(index, at, at);
}

const textOf = (page: PageFiles, path: string): Promise<string> | undefined => page.get(path)?.text();

test('a new build is served by a service that runs; pages of the one before keep their files', async () => {
  const folder = join(temporaryFolder(), 'page');
  build(folder, 'first', 60);
  const page = new PageFiles(folder);
  assert.match((await textOf(page, '/p/1/explore'))!, /first/);
  // Between two builds there is no page on the disk.
  rmSync(folder, { recursive: true });
  assert.match((await textOf(page, '/'))!, /first/);
  // One that is being written is not looked at yet.
  build(folder, 'second', 0);
  assert.match((await textOf(page, '/'))!, /first/);
  build(folder, 'second', 30);
  assert.match((await textOf(page, '/index.html'))!, /second/);
  assert.equal(await textOf(page, '/assets/second.js'), 'run second');
  assert.equal(await textOf(page, '/assets/first.js'), 'run first');
  build(folder, 'third', 15);
  assert.match((await textOf(page, '/'))!, /third/);
  assert.equal(textOf(page, '/assets/first.js'), undefined);
});

test('a page that is built after the start is found', async () => {
  const folder = join(temporaryFolder(), 'page');
  const page = new PageFiles(folder);
  assert.deepEqual([page.empty, page.get('/')], [true, undefined]);
  build(folder, 'first', 60);
  assert.match((await textOf(page, '/'))!, /first/);
  assert.equal(page.empty, false);
});
