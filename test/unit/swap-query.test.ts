import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLambdas, swapQueryOf } from '../../renderer/pages/bank/swap/query.ts';

test('strengths are read from what a person types, or not at all', () => {
  assert.deepEqual(readLambdas('0.25, 1'), [0.25, 1]);
  assert.deepEqual(readLambdas(' .5,0, 1 '), [0.5, 0, 1]);
  assert.deepEqual(readLambdas('0.5,0.5'), [0.5]);
  for (const text of ['', 'a', '0.5,', '1.5', '-1', '0,0.1,0.2,0.3,0.4,0.5', '0.12345', '1e-1']) {
    assert.deepEqual(readLambdas(text), [], text);
  }
});

test('the address says what is shown; what it cannot mean is passed over', () => {
  assert.deepEqual(swapQueryOf({}), {
    image: undefined,
    run: undefined,
    contexts: [],
    count: 6,
    seed: 1,
    lambdas: [0.25, 0.5, 1],
    threshold: undefined,
  });
  assert.deepEqual(
    swapQueryOf({
      image: '7',
      run: '2',
      contexts: '3,x,5,3',
      count: '40',
      seed: '9',
      lambda: '1',
      threshold: '0.4',
    }),
    { image: 7, run: 2, contexts: [3, 5], count: 12, seed: 9, lambdas: [1], threshold: 0.4 },
  );
  const wrong = swapQueryOf({ image: '-1', run: 'x', count: '0', seed: '1.5', lambda: '7', threshold: '2' });
  assert.deepEqual(wrong, swapQueryOf({}));
});
