/** A real long-tailed set with a class called `train`: counts by class and split as they are documented. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { importJob, type ImportEvent } from '../../core/data/import-job.ts';
import type { FoundImage } from '../../core/data/scan.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const PACK = resolve(import.meta.dirname, '../../../shared/data/cifar100-lt100.tar.xz');

test('CIFAR-100-LT', { skip: !existsSync(PACK) && `${PACK} is missing` }, async () => {
  const folder = temporaryFolder();
  // All of train; of test only the classes that begin with t, which keeps the test short.
  const wanted = ['cifar100-lt100/train/*', 'cifar100-lt100/test/t*'];
  execFileSync('tar', ['-xJf', PACK, '-C', folder, '--wildcards', ...wanted]);
  const images: FoundImage[] = [];
  const problems: string[] = [];
  const emit = (event: ImportEvent): void => {
    if (event.type === 'images') images.push(...event.images);
    if (event.type === 'problems') problems.push(...event.problems.map(({ kind, path }) => `${kind} ${path}`));
  };
  const { signal } = new AbortController();
  const spec = { kind: 'folder', layout: 'auto', decided: null, exclude: [], knownFile: null } as const;
  // The folder around the pack is looked through.
  const result = await importJob(
    { ...spec, exclude: [], path: folder },
    { emit, signal, drained: () => Promise.resolve() },
  );
  assert.deepEqual(
    [result.layout, result.prefix, result.images, result.classes],
    ['split-class', 'cifar100-lt100', 10_847 + 1000, 100],
  );
  assert.deepEqual(problems, []);
  const classes = [...new Set(images.map(({ className }) => className))].toSorted();
  assert.deepEqual([classes[0], classes.at(-1)], ['apple', 'worm']);
  assert.ok(classes.includes('train'));
  const count = (name: string, split: string): number =>
    images.filter((image) => image.className === name && image.split === split).length;
  for (const [k, name] of classes.entries()) {
    // n_k = floor(500 * 100 ^ (-k / 99)), the profile that the pack was cut by.
    assert.equal(count(name, 'train'), Math.floor(500 * 100 ** (-k / 99) + 1e-9), name);
    assert.equal(count(name, 'test'), name.startsWith('t') ? 100 : 0, name);
  }
  assert.ok(images.every(({ width, height, format }) => width === 32 && height === 32 && format === 'png'));
  assert.ok(images[0].path.startsWith(join('cifar100-lt100', 'test', 'table')));
});
