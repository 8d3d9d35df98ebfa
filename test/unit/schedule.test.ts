import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRate, scaledSchedule, stepsPerEpoch } from '../../core/training/schedule.ts';

test("200 epochs have the paper's schedule: warm-up 5, second stream from 10, drops at 160 and 180", () => {
  const schedule = scaledSchedule(200);
  assert.deepEqual(schedule, { warmupEpochs: 5, startBalanced: 10, dropEpochs: [160, 180] });
  const rate = (epoch: number): number => learningRate({ ...schedule, learningRate: 0.2 }, epoch);
  const expected: [number, number][] = [
    [0, 0.04],
    [3, 0.16],
    [4, 0.2],
    [5, 0.2],
    [159, 0.2],
    [160, 0.02],
    [179, 0.02],
    [180, 0.002],
    [199, 0.002],
  ];
  for (const [epoch, value] of expected) {
    assert.ok(Math.abs(rate(epoch) - value) < 1e-12, `epoch ${epoch}: ${rate(epoch)} is not ${value}`);
  }
});

test('shorter schedules scale: warm-up 5 %, second stream from 10 %, drops at 80 and 90 %', () => {
  assert.deepEqual(scaledSchedule(30), { warmupEpochs: 2, startBalanced: 3, dropEpochs: [24, 27] });
  assert.deepEqual(scaledSchedule(60), { warmupEpochs: 3, startBalanced: 6, dropEpochs: [48, 54] });
  assert.deepEqual(scaledSchedule(10), { warmupEpochs: 1, startBalanced: 1, dropEpochs: [8, 9] });
  assert.deepEqual(scaledSchedule(2), { warmupEpochs: 1, startBalanced: 1, dropEpochs: [2, 2] });
  assert.deepEqual(scaledSchedule(1), { warmupEpochs: 1, startBalanced: 0, dropEpochs: [1, 1] });
});

const rateAt = (warmupEpochs: number, dropEpochs: [number, number], epoch: number): number =>
  learningRate({ learningRate: 1, warmupEpochs, dropEpochs }, epoch);

test('without warm-up the first epoch has the full rate; two drops in one epoch both count', () => {
  assert.equal(rateAt(0, [8, 9], 0), 1);
  assert.ok(Math.abs(rateAt(0, [3, 3], 3) - 0.01) < 1e-12);
});

test('an epoch is a pass, but never below the least number of steps', () => {
  assert.equal(stepsPerEpoch({ batchSize: 128, minSteps: 20 }, 10_847), 84);
  assert.equal(stepsPerEpoch({ batchSize: 32, minSteps: 20 }, 639), 20);
  assert.equal(stepsPerEpoch({ batchSize: 32, minSteps: 20 }, 672), 21);
  assert.equal(stepsPerEpoch({ batchSize: 32, minSteps: 20 }, 5), 20);
});
