import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, decideLayout, splitOfName, type LayoutDecision } from '../../core/data/layout.ts';

/** Decide over folders given as "path: pictures". */
function decide(
  folders: Record<string, number>,
  wanted: Parameters<typeof decideLayout>[1] = 'auto',
): LayoutDecision & { kinds: string[] } {
  const { problems, layout, prefix } = decideLayout(new Map(Object.entries(folders)), wanted);
  return { layout, prefix, kinds: problems.map(({ kind }) => kind) };
}
const classes = (prefix = '', kinds: string[] = []) => ({ layout: 'class', prefix, kinds });
const splits = (prefix = '', kinds: string[] = []) => ({ layout: 'split-class', prefix, kinds });

test('class folders', () => {
  assert.deepEqual(decide({ cat: 5, dog: 3 }), classes());
  assert.deepEqual(decide({ cat: 5 }), classes());
  assert.deepEqual(decide({ 'birds/owl': 5, 'birds/crow': 3, fish: 1 }), classes());
});

test('split folders with class folders inside, in any case and spelling', () => {
  assert.deepEqual(decide({ 'train/cat': 5, 'train/dog': 3, 'test/cat': 1 }), splits());
  assert.deepEqual(decide({ 'Training/cat': 5, 'VALIDATION/cat': 3, 'Testing/cat': 1 }), splits());
  assert.deepEqual(decide({ 'train/cat': 5 }), splits());
  assert.deepEqual(decide({ 'train/animals/cat': 5, 'val/animals/cat': 5 }), splits());
});

test('a class called train among others is a class', () => {
  assert.deepEqual(decide({ train: 5, bus: 3, apple: 9 }), classes());
  assert.deepEqual(decide({ 'train/train': 5, 'train/bus': 3, 'test/train': 1, 'test/bus': 1 }), splits());
});

test('validation pictures alone are no split level', () => {
  assert.deepEqual(decide({ 'val/cat': 5, 'valid/cat': 5 }), classes('', ['layout-doubt']));
});

test('folders named like splits that hold pictures directly are classes, with a warning', () => {
  assert.deepEqual(decide({ train: 50, test: 20 }), classes('', ['layout-doubt']));
});

test('an unlabelled test folder does not hide the training classes', () => {
  const folders = { 'train/cat': 5, 'train/dog': 5, test: 100 };
  assert.deepEqual(decide(folders), splits());
  const problem = classify('test/1.png', { layout: 'split-class', prefix: '' });
  assert.ok('problem' in problem && problem.problem.kind === 'no-class');
});

test('stray pictures in a split folder do not make it a class', () => {
  assert.deepEqual(decide({ train: 2, 'train/cat': 50, 'test/cat': 5 }), splits());
});

test('other folders beside split folders make all of them classes, with a warning', () => {
  assert.deepEqual(decide({ 'train/cat': 5, 'test/cat': 5, extras: 3 }), classes('', ['layout-doubt']));
});

test('a folder around everything is looked through', () => {
  assert.deepEqual(decide({ 'pack/train/cat': 5, 'pack/test/cat': 5 }), splits('pack'));
  assert.deepEqual(decide({ 'a/b/cat': 5, 'a/b/dog': 5 }), classes('a/b'));
  assert.deepEqual(decide({ 'pack/cat': 5, readme: 0 }), classes('pack'));
  assert.deepEqual(decide({ '': 1, 'pack/cat': 5, 'pack/dog': 5 }), classes());
});

test('what the user asks for outranks what the tree looks like', () => {
  assert.deepEqual(decide({ 'train/cat': 5, 'test/cat': 5 }, 'class'), classes());
  assert.deepEqual(decide({ 'train/cat': 5, 'test/cat': 5, extras: 3 }, 'split-class'), splits());
  assert.deepEqual(decide({ 'pack/val/cat': 5 }, 'split-class'), splits('pack'));
  assert.deepEqual(decide({ cat: 5, dog: 5 }, 'split-class'), splits());
});

test('nothing at all is class folders', () => {
  assert.deepEqual(decide({}), classes());
  assert.deepEqual(decide({ '': 7 }), classes());
});

/** Class and split of a path, or why it has none. */
function at(path: string, decision: LayoutDecision): string | (string | null)[] {
  const found = classify(path, decision);
  return 'problem' in found ? found.problem.kind : [found.className, found.split];
}

test('class and split come from the depth', () => {
  const plain: LayoutDecision = { layout: 'class', prefix: '' };
  const split: LayoutDecision = { layout: 'split-class', prefix: '' };
  const wrapped: LayoutDecision = { layout: 'split-class', prefix: 'pack' };
  assert.deepEqual(at('train/1.png', plain), ['train', null]);
  assert.deepEqual(at('birds/owl/1.png', plain), ['birds/owl', null]);
  assert.deepEqual(at('train/train/1.png', split), ['train', 'train']);
  assert.deepEqual(at('Valid/a/b/1.png', split), ['a/b', 'val']);
  assert.deepEqual(at('pack/testing/owl/1.png', wrapped), ['owl', 'test']);
  assert.equal(at('1.png', plain), 'no-class');
  assert.equal(at('1.png', split), 'no-class');
  assert.equal(at('train/1.png', split), 'no-class');
  assert.equal(at('extras/owl/1.png', split), 'no-split');
  assert.equal(at('other/train/owl/1.png', wrapped), 'outside-layout');
});

test('both Unicode forms of a name are one class', () => {
  const decision: LayoutDecision = { layout: 'class', prefix: '' };
  const composed = classify('caf\u00e9/1.png', decision);
  const decomposed = classify('cafe\u0301/1.png', decision);
  assert.ok('className' in composed && 'className' in decomposed);
  assert.equal(decomposed.className, composed.className);
  assert.notEqual(decomposed.spelling, composed.spelling);
});

test('split names', () => {
  const names = ['train', 'TRAINING', 'val', 'valid', 'Validation', 'test', ' testing ', 'holdout', 'constructor'];
  const expected = ['train', 'train', 'val', 'val', 'val', 'test', 'test', undefined, undefined];
  assert.deepEqual(
    names.map((name) => splitOfName(name)),
    expected,
  );
});
