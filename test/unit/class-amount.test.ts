import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classAmountText, readClassAmount, type ClassAmount } from '../../core/export/class-amount.ts';

test('an amount of a class is read as it was written, whatever its name', () => {
  const amounts: ClassAmount['amount'][] = [
    { kind: 'fill', to: 500 },
    { kind: 'add', images: 0 },
    { kind: 'multiply', by: 3 },
  ];
  for (const name of ['owl', 'a=b', '=', '-x', 'two words', 'x=+1', 'Étourneau\n2']) {
    for (const amount of amounts) {
      const row = { class: name, amount };
      assert.deepEqual(readClassAmount(classAmountText(row)), row);
    }
  }
  assert.deepEqual(
    amounts.map((amount) => classAmountText({ class: 'owl', amount })),
    ['owl=500', 'owl=+0', 'owl=x3'],
  );
});

test('what is no amount is refused', () => {
  for (const text of ['owl', 'owl=', '=5', 'owl=-5', 'owl=0', 'owl=x0', 'owl=1.5', 'owl=+1000001', 'owl=xx3']) {
    assert.throws(() => readClassAmount(text), { code: 'usage', message: /CLASS=500/ }, text);
  }
});
