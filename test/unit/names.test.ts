import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePaths, diskName, extensionOf, nameBytes, promisedKind, skipReason } from '../../core/data/names.ts';

test('a valid name is its text, and the text leads back to the bytes', () => {
  for (const text of ['cat.png', 'gato niño.png', 'кошка', '猫', '😀.png', 'e\u0301']) {
    const bytes = Buffer.from(text);
    assert.deepEqual(diskName(bytes), { text });
    assert.deepEqual(nameBytes(text), bytes);
  }
});

test('bytes that are not UTF-8 are shown as codes and kept', () => {
  const cases: [string, string][] = [
    ['caf\xe9.png', 'caf\\xE9.png'],
    ['\xff\xfe', '\\xFF\\xFE'],
    ['a\xc3', 'a\\xC3'],
    ['\xe4\xbd', '\\xE4\\xBD'],
    ['\xf0\x9f\x98', '\\xF0\\x9F\\x98'],
    ['\xed\xa0\x80x', '\\xED\\xA0\\x80x'],
  ];
  for (const [latin1, text] of cases) {
    const bytes = Buffer.from(latin1, 'latin1');
    assert.deepEqual(diskName(bytes), { text, bytes });
    assert.deepEqual(nameBytes(text, bytes), bytes);
  }
  const mixed = Buffer.concat([Buffer.from('猫'), Buffer.from([0xe9]), Buffer.from('é')]);
  assert.equal(diskName(mixed).text, '猫\\xE9é');
});

test('hidden, system and own names are skipped, ordinary ones are not', () => {
  const expected: Record<string, ReturnType<typeof skipReason>> = {
    '.DS_Store': 'hidden',
    '._cat.jpg': 'hidden',
    '.git': 'hidden',
    __MACOSX: 'system',
    'Thumbs.db': 'system',
    'THUMBS.DB': 'system',
    'desktop.ini': 'system',
    '@eaDir': 'system',
    'birds.contexture': 'own',
    'birds.contexture.files': 'own',
    'birds.contexture-wal': 'own',
    'cat.png': undefined,
    'contexture pictures': undefined,
    thumbs: undefined,
  };
  for (const [name, reason] of Object.entries(expected)) assert.equal(skipReason(name), reason, name);
});

test('the ending of a name says what it promises', () => {
  assert.equal(extensionOf('a.b/c.tar.JPG'), 'jpg');
  assert.equal(extensionOf('a.b/c'), '');
  assert.equal(extensionOf('a/.png'), '');
  assert.equal(promisedKind('x/y.JPEG'), 'image');
  assert.equal(promisedKind('x/y.HEIC'), 'other-image');
  assert.equal(promisedKind('x/0123abcd'), 'unnamed');
  assert.equal(promisedKind('x/notes.txt'), 'other');
});

test('paths are ordered part by part', () => {
  const paths = ['a/x', 'a.b/x', 'a', 'a/b/c', 'B', 'a-b/x'];
  assert.deepEqual(paths.toSorted(comparePaths), ['B', 'a', 'a/b/c', 'a/x', 'a-b/x', 'a.b/x']);
});
