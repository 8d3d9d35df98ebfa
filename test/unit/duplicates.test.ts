import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { duplicateLines, judgeDuplicates, type DuplicateImage } from '../../core/data/duplicates.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { Split } from '../../core/storage/records.ts';

const image = (id: number, split: Split, className: string): DuplicateImage => {
  return { id, split, className, path: `${split}/${className}/${id}.png` };
};

test('copies, leaks and conflicts are told apart', () => {
  const report = judgeDuplicates([
    { hash: 'd', images: [image(9, 'train', 'owl'), image(8, 'test', 'auk')] },
    { hash: 'a', images: [image(3, 'train', 'owl'), image(1, 'train', 'owl'), image(2, 'train', 'owl')] },
    { hash: 'b', images: [image(4, 'train', 'owl'), image(5, 'val', 'owl')] },
    { hash: 'c', images: [image(6, 'test', 'owl'), image(7, 'test', 'auk')] },
    { hash: 'e', images: [image(10, 'train', 'owl')] },
  ]);
  assert.deepEqual(
    report.groups.map(({ hash, leak, conflict }) => [hash, leak, conflict]),
    [
      ['a', false, false],
      ['b', true, false],
      ['c', false, true],
      ['d', true, true],
    ],
  );
  const { surplus, copies, leaks, conflicts } = report;
  assert.deepEqual({ surplus, copies, leaks, conflicts }, { surplus: 5, copies: 1, leaks: 2, conflicts: 2 });
  assert.deepEqual(duplicateLines(report), [
    'copy: train/owl/1.png (train, owl) = train/owl/2.png (train, owl) = train/owl/3.png (train, owl)',
    'leak: train/owl/4.png (train, owl) = val/owl/5.png (val, owl)',
    'conflict: test/owl/6.png (test, owl) = test/auk/7.png (test, auk)',
    'leak and conflict: test/auk/8.png (test, auk) = train/owl/9.png (train, owl)',
  ]);
  assert.deepEqual(judgeDuplicates([]), { groups: [], surplus: 0, copies: 0, leaks: 0, conflicts: 0 });
});

const PACK = resolve(import.meta.dirname, '../../../shared/data/cifar100-lt100.tar.xz');

/** The plain files of a tar archive, by path. */
function* tarFiles(archive: Buffer): Generator<[path: string, bytes: Buffer]> {
  const text = (at: number, length: number): string =>
    archive.toString('latin1', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; archive[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    if (text(at + 156, 1) === '0') yield [text(at, 100), archive.subarray(at + 512, at + 512 + size)];
    at += 512 + 512 * Math.ceil(size / 512);
  }
}

test('CIFAR-100-LT: the known leaks, copies and conflicts', { skip: !existsSync(PACK) && `${PACK} is missing` }, () => {
  const archive = execFileSync('xz', ['-dc', PACK], { maxBuffer: 2 ** 30 });
  const byHash = new Map<string, DuplicateImage[]>();
  let id = 0;
  for (const [path, bytes] of tarFiles(archive)) {
    const [, split, className] = path.replace(/^\.\//, '').split('/');
    assert.ok(split === 'train' || split === 'test');
    const hash = sha256(bytes);
    byHash.set(hash, [...(byHash.get(hash) ?? []), { ...image(++id, split, className), path }]);
  }
  assert.equal(id, 20_847);
  const { groups, copies, leaks, conflicts } = judgeDuplicates([...byHash].map(([hash, images]) => ({ hash, images })));
  assert.deepEqual({ copies, leaks, conflicts }, { copies: 5, leaks: 4, conflicts: 2 });
  const classesWhere = (wanted: (group: (typeof groups)[number]) => boolean): string[] =>
    groups
      .filter(wanted)
      .map(({ images }) => [...new Set(images.map(({ className }) => className))].toSorted().join('/'));
  assert.deepEqual(new Set(classesWhere(({ leak }) => leak)), new Set(['aquarium_fish']));
  assert.deepEqual(new Set(classesWhere(({ leak, conflict }) => !leak && !conflict)), new Set(['aquarium_fish']));
  assert.deepEqual(classesWhere(({ conflict }) => conflict).toSorted(), ['baby/girl', 'otter/seal']);
});
