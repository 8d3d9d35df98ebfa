import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../core/base/safetensors.ts';
import { decodeModelFile, encodeModelFile, type ModelFile } from '../../core/models/model-file.ts';
import { Network } from '../../core/models/network.ts';
import { decodePredictions, encodePredictions, type Predictions } from '../../core/training/predictions-file.ts';

const NETWORK = new Network({ kind: 'resnet-cifar', blocks: 1 }, 3);
const random = Random.stream(1, 'model file');

const MODEL: ModelFile = {
  card: {
    format: 'contexture model 1',
    model: NETWORK.config,
    method: 'csa',
    head: 'balanced',
    classes: ['ant', 'bée', 'cat'],
    trainCounts: [100, 20, 5],
    preprocessing: {
      inputSize: 32,
      resize: 'cover-crop',
      enlarge: 1,
      mean: [0.4914, 0.4822, 0.4465],
      deviation: [0.2023, 0.1994, 0.201],
    },
    datasetHash: 'a'.repeat(64),
    seed: 7,
    epochs: 20,
    codeVersion: '0.1.0',
    variant: null,
  },
  weights: {
    trunk: NETWORK.trunk.initialize(random),
    balanced: NETWORK.balanced.initialize(random),
    statistics: NETWORK.statistics.initialize(random),
  },
  selfTest: {
    pixels: Uint8Array.from({ length: 2 * 32 * 32 * 3 }, () => random.below(256)),
    uniform: Float32Array.from({ length: 6 }, () => random.normal()),
    balanced: Float32Array.from({ length: 6 }, () => random.normal()),
  },
};
const encode = (model: ModelFile): Buffer => Buffer.concat(encodeModelFile(model));

test('a model file gives back the very model; equal models give equal bytes', () => {
  const bytes = encode(MODEL);
  assert.deepEqual(decodeModelFile(bytes, 'm'), MODEL);
  assert.deepEqual(encode(structuredClone(MODEL)), bytes);
});

test('tensors have names and shapes that other programs can use', () => {
  const { tensors, metadata } = decodeSafetensors(encode(MODEL), 'm');
  assert.deepEqual(tensors['stem.conv.weight'].shape, [3, 3, 3, 16]);
  assert.deepEqual(tensors['uniform.weight'].shape, [64, 3]);
  assert.deepEqual(tensors['balanced.bias'].data, MODEL.weights.balanced.slice(-3));
  assert.deepEqual(tensors['stem.conv.weight'].data, MODEL.weights.trunk.slice(0, 432));
  assert.equal((JSON.parse(metadata.contexture) as { classes: string[] }).classes[1], 'bée');
});

/** The file with its tensors or description changed, laid out anew so that the container itself is sound. */
function tampered(change: (tensors: Record<string, StoredTensor>, card: Record<string, unknown>) => void): Buffer {
  const { tensors, metadata } = decodeSafetensors(encode(MODEL), 'm');
  const card = JSON.parse(metadata.contexture) as Record<string, unknown>;
  const changed = { ...tensors };
  change(changed, card);
  return Buffer.concat(encodeSafetensors(changed, { contexture: JSON.stringify(card) }));
}

const damaged = (bytes: Buffer, message: RegExp): void =>
  assert.throws(
    () => decodeModelFile(bytes, '/models/m.safetensors'),
    (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.code, 'damaged');
      assert.match(error.message, /^\/models\/m\.safetensors .*\.$/);
      assert.match(error.message, message);
      return true;
    },
  );

test('a file that does not fit is refused, and the tensor named', () => {
  damaged(
    tampered((tensors) => delete tensors['stage2.block1.conv1.weight']),
    /stage2\.block1\.conv1\.weight should be F32 \[3, 3, 16, 32\] and is not there/,
  );
  damaged(
    tampered((tensors) => {
      tensors['uniform.bias'] = { dtype: 'F32', shape: [4], data: new Float32Array(4) };
    }),
    /uniform\.bias should be F32 \[3\] and is F32 \[4\]/,
  );
  damaged(
    tampered((tensors) => {
      tensors['stem.bn.running_var'] = { dtype: 'F64', shape: [16], data: new Float64Array(16) };
    }),
    /stem\.bn\.running_var .* is F64 \[16\]/,
  );
  damaged(
    tampered((tensors) => delete tensors['self_test.pixels']),
    /self_test\.pixels/,
  );
  damaged(
    tampered((_, card) => {
      card.classes = ['ant', 'bee'];
    }),
    /uniform\.weight/,
  );
});

test('a file that is no model of ours is refused', () => {
  damaged(
    tampered((_, card) => {
      card.format = 'contexture model 2';
    }),
    /not a Contexture model/,
  );
  damaged(
    tampered((_, card) => delete card.preprocessing),
    /not a Contexture model/,
  );
  damaged(
    Buffer.concat(encodeSafetensors({ x: { dtype: 'F32', shape: [1], data: new Float32Array(1) } })),
    /not a Contexture model/,
  );
  damaged(encode(MODEL).subarray(0, -1), /./);
  damaged(Buffer.from('not safetensors at all'), /./);
});

test('predictions come back as they were, with one head or two; others are refused', () => {
  const predictions: Predictions = {
    split: 'test',
    imageIds: Int32Array.of(5, 9),
    labels: Int32Array.of(0, 2),
    uniform: Float32Array.of(1, 2, 3, 4, 5, 6),
    balanced: Float32Array.of(6, 5, 4, 3, 2, 1),
    val: null,
    trainIds: Int32Array.of(1, 2, 3),
    trainConfidence: Float32Array.of(0.5, Number.NaN, 1),
  };
  for (const balanced of [predictions.balanced, null]) {
    const bytes = Buffer.concat(encodePredictions({ ...predictions, balanced }));
    assert.deepEqual(decodePredictions(bytes, 'p'), { ...predictions, balanced });
    const [imageIds, labels] = [Int32Array.of(7), Int32Array.of(1)];
    const val = { imageIds, labels, uniform: Float32Array.of(3, 2, 1), balanced: balanced && Float32Array.of(0, 1, 0) };
    const withVal = { ...predictions, balanced, val };
    assert.deepEqual(decodePredictions(Buffer.concat(encodePredictions(withVal)), 'p'), withVal);
  }
  assert.throws(
    () => decodePredictions(encode(MODEL), '/blobs/p'),
    (error) => error instanceof UserError && error.code === 'damaged' && /\/blobs\/p .*image_ids/.test(error.message),
  );
});
