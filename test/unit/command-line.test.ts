import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { commandLine } from '../../core/base/command-line.ts';

test('plain words stay as they are', () => {
  assert.equal(commandLine(['contexture', 'import', '/a/b-c_1.zip'], 'linux'), 'contexture import /a/b-c_1.zip');
  assert.equal(commandLine(['contexture', 'C:\\a\\b.zip'], 'win32'), 'contexture C:\\a\\b.zip');
  assert.equal(commandLine(["it's"], 'win32'), "'it''s'");
});

test('a shell reads back the same words', { skip: process.platform === 'win32' && 'a test of sh' }, () => {
  const words = ['a b', "it's", '$HOME', '`id`', 'a\\b', '', '*', '"x"', 'ü', '~', 'a\nb', '-x', '!'];
  const script = `for word in ${commandLine(words)}; do printf '%s\\0' "$word"; done`;
  const read = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
  assert.deepEqual(read, words);
});
