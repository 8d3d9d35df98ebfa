import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answersFromLogits } from '../../core/evaluation/answers.ts';

function near(value: number, expected: number): void {
  assert.ok(Math.abs(value - expected) < 1e-6, `${value} is not near ${expected}`);
}

test('answers have the probabilities of the predicted and of the true class', () => {
  const logits = Float32Array.from([Math.log(1), Math.log(2), Math.log(5), 0, 0, 0]);
  const { predicted, confidence, trueProbability } = answersFromLogits(logits, Int32Array.from([1, 0]), 3);
  assert.deepEqual([...predicted], [2, 0]);
  near(confidence[0], 5 / 8);
  near(trueProbability[0], 2 / 8);
  near(confidence[1], 1 / 3);
  near(trueProbability[1], 1 / 3);
});

test('logits of any size give probabilities', () => {
  const { confidence, trueProbability } = answersFromLogits(Float32Array.from([3e4, -3e4]), Int32Array.from([1]), 2);
  assert.deepEqual([confidence[0], trueProbability[0]], [1, 0]);
  assert.throws(() => answersFromLogits(Float32Array.from([Number.NaN, 0]), Int32Array.from([0]), 2), /not numbers/);
});
