/** The native binding: what goes in and out of it, and what it says when it is asked for what cannot be. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { NativeBinding } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { startTestEngine } from '../fixtures/engine.ts';

let binding: NativeBinding;
before(() => {
  binding = startTestEngine().backend.binding;
});

const ofType = (name: string, type: number) => ({ name, type: binding.TF_ATTR_TYPE, value: type });

test('a tensor has a copy of its values: changing or detaching the array afterwards changes nothing', () => {
  for (const [dtype, values] of [
    [binding.TF_FLOAT, new Float32Array([1, 2, 3, 4])],
    [binding.TF_INT32, new Int32Array([1, 2, 3, 4])],
    [binding.TF_UINT8, new Uint8Array([1, 2, 3, 4])],
  ] as const) {
    const id = binding.createTensor([2, 2], dtype, values);
    values.fill(9);
    structuredClone(values.buffer, { transfer: [values.buffer] });
    assert.deepEqual([...binding.tensorDataSync(id)], [1, 2, 3, 4]);
    binding.tensorDataSync(id).fill(7);
    assert.deepEqual([...binding.tensorDataSync(id)], [1, 2, 3, 4]);
    binding.deleteTensor(id);
  }
});

test('a part of a buffer goes in as that part, an empty tensor as an empty one', () => {
  const part = binding.createTensor([2], binding.TF_FLOAT, new Float32Array([1, 2, 3, 4]).subarray(1, 3));
  assert.deepEqual([...binding.tensorDataSync(part)], [2, 3]);
  const none = binding.createTensor([0, 3], binding.TF_FLOAT, new Float32Array(0));
  assert.deepEqual([...binding.tensorDataSync(none)], []);
  binding.deleteTensor(part);
  binding.deleteTensor(none);
});

test('numbers of tensors are not used again', () => {
  const count = binding.getNumOfTensors();
  const first = binding.createTensor([], binding.TF_FLOAT, new Float32Array(1));
  binding.deleteTensor(first);
  const second = binding.createTensor([], binding.TF_FLOAT, new Float32Array(1));
  assert.ok(second > first);
  assert.equal(binding.getNumOfTensors(), count + 1);
  binding.deleteTensor(second);
  assert.throws(() => binding.deleteTensor(second), new RegExp(`there is no tensor ${second} to delete`));
  assert.throws(() => binding.tensorDataSync(second), new RegExp(`there is no tensor ${second}`));
  assert.throws(() => binding.executeOp('Neg', [ofType('T', binding.TF_FLOAT)], [second], 1), /there is no tensor/);
});

test('bfloat16 comes back as the numbers that it stands for', () => {
  const id = binding.createTensor([3], binding.TF_FLOAT, new Float32Array([1, -0.5, 1 / 3]));
  const [cast] = binding.executeOp(
    'Cast',
    [ofType('SrcT', binding.TF_FLOAT), ofType('DstT', binding.TF_BFLOAT16)],
    [id],
    1,
  );
  assert.equal(cast.dtype, binding.TF_BFLOAT16);
  // 1/3 in 8 significant bits is 171/512.
  assert.deepEqual([...binding.tensorDataSync(cast.id)], [1, -0.5, 171 / 512]);
  binding.deleteTensor(id);
  binding.deleteTensor(cast.id);
});

test('mistakes are errors with a sentence, and leave no tensor behind', () => {
  const count = binding.getNumOfTensors();
  assert.throws(() => binding.createTensor([3], binding.TF_FLOAT, new Float32Array(2)), /2 values for a shape of 3/);
  assert.throws(
    () => binding.createTensor([2], binding.TF_INT32, new Float32Array(2)),
    /cannot be made of these values/,
  );
  assert.throws(() => binding.executeOp('NoSuchOperation', [], [], 1), /NoSuchOperation/);
  const id = binding.createTensor([2], binding.TF_FLOAT, new Float32Array(2));
  assert.throws(() => binding.executeOp('MatMul', [ofType('T', binding.TF_FLOAT)], [id, id], 1), /^Error: MatMul: /);
  assert.throws(() => binding.removeFunction('no_such_function'), /no_such_function/);
  binding.deleteTensor(id);
  assert.equal(binding.getNumOfTensors(), count);
});

test('each thread has its own tensors, and several may work at a time', async () => {
  const work = `
    const { parentPort, workerData } = require('node:worker_threads');
    const binding = require(workerData.path);
    const T = [{ name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
    const first = binding.createTensor([1], binding.TF_FLOAT, new Float32Array([workerData.seed]));
    let last = first;
    for (let i = 0; i < 2000; i++) {
      const [sum] = binding.executeOp('Add', T, [last, first], 1);
      if (last !== first) binding.deleteTensor(last);
      last = sum.id;
    }
    parentPort.postMessage([first, binding.tensorDataSync(last)[0], binding.getNumOfTensors()]);
  `;
  const { binding: path } = readEngineInstall();
  const results = await Promise.all(
    [1, 2, 3].map(
      (seed) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(work, { eval: true, workerData: { path, seed } });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  assert.deepEqual(
    results,
    [1, 2, 3].map((seed) => [0, seed * 2001, 2]),
  );
});
