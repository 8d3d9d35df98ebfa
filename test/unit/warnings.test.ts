import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeConfig } from '../../core/training/presets.ts';
import { bankWarnings, oneAnswerWarning, type BankFigures } from '../../core/training/warnings.ts';

const NAMES = ['ant', 'bee', 'cat'];
const CONFIG = makeConfig('csa', 'small', 32, { startBalanced: 2 });
const HEALTHY: BankFigures = { count: 100, capacity: 256, classes: [60, 30, 10], meanArea: 0.6 };

/** Names of the warnings, and their sentences. */
function warned(
  bank: Partial<BankFigures>,
  { steps = 20, mixedSteps = 20, epoch = 2, config = CONFIG } = {},
): [string[], string] {
  const found = bankWarnings(config, epoch, { steps, mixedSteps, bank: { ...HEALTHY, ...bank } }, NAMES);
  return [found.map(({ name }) => name), found.map(({ message }) => message).join(' ')];
}

test('a healthy epoch is quiet', () => {
  assert.deepEqual(warned({}), [[], '']);
});

test('starving bank: fewer than half of the steps had contexts', () => {
  assert.deepEqual(warned({}, { mixedSteps: 10 })[0], []);
  const [names, sentence] = warned({}, { mixedSteps: 9 });
  assert.deepEqual(names, ['starving-bank']);
  assert.match(sentence, /epoch 3 only 9 of 20 steps.*delta \(0\.8\)/);
});

test('dominant class: one class has more than four fifths of the bank, and is named', () => {
  assert.deepEqual(warned({ classes: [10, 80, 10] })[0], []);
  const [names, sentence] = warned({ classes: [10, 81, 9] });
  assert.deepEqual(names, ['dominant-class']);
  assert.match(sentence, /81 %.*bee/);
});

test('masks all on or all off; an empty bank is neither', () => {
  assert.deepEqual(warned({ meanArea: 0.98 })[0], []);
  assert.deepEqual(warned({ meanArea: 0.99 })[0], ['masks-all-on']);
  assert.deepEqual(warned({ meanArea: 0.02 })[0], []);
  assert.deepEqual(warned({ meanArea: 0.01 })[0], ['masks-all-off']);
  assert.deepEqual(warned({ count: 0, classes: [0, 0, 0], meanArea: null }, { mixedSteps: 0 })[0], ['starving-bank']);
});

test('nothing is said before the balanced branch starts, nor of other methods', () => {
  const bad = { classes: [100, 0, 0], meanArea: 1 };
  assert.equal(warned(bad, { mixedSteps: 0 })[0].length, 3);
  assert.deepEqual(warned(bad, { mixedSteps: 0, epoch: 1 })[0], []);
  assert.deepEqual(warned(bad, { mixedSteps: 0, config: { ...CONFIG, method: 'control' } })[0], []);
});

test('one answer: a model that names one class for nearly every image', () => {
  assert.deepEqual(oneAnswerWarning({ label: 1, share: 0.949 }, NAMES), []);
  assert.deepEqual(oneAnswerWarning(null, NAMES), []);
  assert.deepEqual(oneAnswerWarning({ label: 0, share: 1 }, ['ant']), [], 'there is but one');
  const [{ name, message }] = oneAnswerWarning({ label: 1, share: 0.95 }, NAMES);
  assert.equal(name, 'one-answer');
  assert.match(message, /bee for 95 %/);
});
