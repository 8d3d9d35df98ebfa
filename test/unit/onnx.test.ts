import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import type { ModelFile } from '../../core/models/model-file.ts';
import { checkOnnx } from '../../core/onnx/onnx-check.ts';
import { decodeOnnx, encodeOnnx, type OnnxModel } from '../../core/onnx/onnx-file.ts';
import { onnxModel, type OnnxOptions } from '../../core/onnx/onnx-model.ts';
import type { ModelConfig } from '../../core/training/config.ts';
import { startTestEngine } from '../fixtures/engine.ts';
import { randomModel } from '../fixtures/random-model.ts';

before(() => {
  startTestEngine();
});

const PLAIN: OnnxOptions = { head: null, bothHeads: false, fold: false, batch: null };
const SMALL: ModelConfig = { kind: 'resnet-cifar', blocks: 1 };

const operations = ({ graph }: OnnxModel): Set<string> => new Set(graph.node.map(({ opType }) => opType));

for (const { config, size } of [
  { config: { kind: 'resnet-cifar', blocks: 2 }, size: 32 },
  // Odd sizes: what is left over at the edges must be cut as the engine cuts it.
  { config: SMALL, size: 29 },
  { config: { kind: 'resnet18' }, size: 64 },
  { config: { kind: 'resnet18' }, size: 75 },
  { config: { kind: 'efficientnet-lite0' }, size: 64 },
  { config: { kind: 'efficientnet-lite0' }, size: 75 },
  { config: { kind: 'efficientnet-lite2' }, size: 65 },
] as const) {
  test(`${config.kind} at ${size} px: ONNX Runtime gives the engine's logits, folded or not, in batches or not`, async () => {
    const model = randomModel(config, { size });
    for (const fold of [false, true]) {
      for (const batch of [null, 1, 2]) {
        const { bytes, head, outputs } = onnxModel(model, { head: null, bothHeads: true, fold, batch }, '1.2.3');
        assert.equal(head, 'balanced');
        assert.deepEqual(
          outputs.map(({ name }) => name),
          ['logits', 'probabilities', 'uniform_logits', 'balanced_logits'],
        );
        const difference = await checkOnnx(bytes, model, outputs, batch);
        assert.ok(difference <= 1e-4, `fold ${fold}, batch ${batch}: ${difference}`);
        assert.equal(operations(decodeOnnx(bytes)).has('BatchNormalization'), !fold);
      }
    }
  });
}

test('each head can be the one that answers; one that was not trained is refused', async () => {
  const model = randomModel(SMALL);
  for (const head of ['uniform', 'balanced', 'mean'] as const) {
    const made = onnxModel(model, { ...PLAIN, head }, '1.2.3');
    assert.equal(made.head, head);
    assert.ok((await checkOnnx(made.bytes, model, made.outputs, null)) <= 1e-4);
  }
  const single: ModelFile = { ...model, card: { ...model.card, method: 'ce', head: 'uniform' } };
  const { outputs } = onnxModel(single, { ...PLAIN, bothHeads: true }, '1.2.3');
  assert.deepEqual(
    outputs.map(({ of }) => of),
    [{ logits: 'uniform' }, { probabilities: 'uniform' }],
  );
  assert.throws(() => onnxModel(single, { ...PLAIN, head: 'balanced' }, '1.2.3'), /"ce" trains one head/);
});

test("a variant's temperatures are part of the graph, and its head answers", async () => {
  const model = randomModel(SMALL);
  const variant = {
    head: 'mean',
    kind: 'logit-adjustment',
    tau: 1,
    calibration: 'group',
    temperatures: [0.5, 3, 0.7, 2, 5],
  } as const;
  const varied: ModelFile = {
    ...model,
    card: { ...model.card, variant: { ...variant, temperatures: [...variant.temperatures] } },
  };
  const { bytes, head, outputs } = onnxModel(varied, PLAIN, '1.2.3');
  assert.equal(head, 'mean');
  assert.ok((await checkOnnx(bytes, varied, outputs, null)) <= 1e-4);
  // The same file against a card without them must fail: probabilities differ, logits do not.
  const plain = { ...varied, card: { ...varied.card, variant: { ...varied.card.variant!, temperatures: null } } };
  await assert.rejects(checkOnnx(bytes, plain, outputs, null), /was not kept/);
});

test('labels, preprocessing and origin can be read from the file', () => {
  const model = randomModel(SMALL, { size: 40 });
  const read = decodeOnnx(onnxModel(model, { ...PLAIN, fold: true }, '1.2.3').bytes);
  assert.deepEqual([read.producerName, read.producerVersion, read.irVersion], ['Contexture', '1.2.3', 8]);
  assert.deepEqual(
    read.opsetImport.map(({ version }) => version),
    [17],
  );
  const metadata = new Map(read.metadataProps.map(({ key, value }) => [key, value]));
  assert.deepEqual(JSON.parse(metadata.get('labels')!), model.card.classes);
  assert.deepEqual(JSON.parse(metadata.get('train_counts')!), model.card.trainCounts);
  assert.equal(metadata.get('dataset_hash'), model.card.datasetHash);
  assert.deepEqual([metadata.get('method'), metadata.get('head')], ['csa', 'balanced']);
  assert.deepEqual([metadata.get('input_size'), metadata.get('resize_shorter_side')], ['40', '40']);
  assert.match(metadata.get('preprocessing')!, /centre of 40 x 40/);
  const [input] = read.graph.input;
  assert.deepEqual(input.type.tensorType.shape.dim, [
    { dimParam: 'batch' },
    { dimValue: 3 },
    { dimValue: 40 },
    { dimValue: 40 },
  ]);
  const fixed = decodeOnnx(onnxModel(model, { ...PLAIN, batch: 4 }, '1.2.3').bytes);
  assert.deepEqual(fixed.graph.output[0].type.tensorType.shape.dim, [{ dimValue: 4 }, { dimValue: 5 }]);
});

/** Add to one number of a kernel. */
function changeWeight({ graph }: OnnxModel, by: number): void {
  const tensor = graph.initializer.find(({ name }) => name === 'stage1.block1.conv1.weight')!;
  const raw = Buffer.from(tensor.rawData);
  raw.writeFloatLE(raw.readFloatLE(40) + by, 40);
  tensor.rawData = raw;
}

test('a graph with one weight, pad or operation changed fails the check', async () => {
  const model = randomModel(SMALL);
  const { bytes, outputs } = onnxModel(model, PLAIN, '1.2.3');
  const changed = (change: (model: OnnxModel) => void): Uint8Array => {
    const read = decodeOnnx(bytes);
    change(read);
    return encodeOnnx(read);
  };
  const fails = (file: Uint8Array, message: RegExp): Promise<void> =>
    assert.rejects(checkOnnx(file, model, outputs, null), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.code, 'damaged');
      assert.match(error.message, message);
      return true;
    });
  assert.ok(
    (await checkOnnx(
      changed(() => {}),
      model,
      outputs,
      null,
    )) <= 1e-4,
  );
  await fails(
    changed((read) => changeWeight(read, 0.5)),
    /answers to the model's self-test are .* % off/,
  );
  await fails(
    changed((read) => changeWeight(read, Number.NaN)),
    /no numbers/,
  );
  await fails(
    changed(({ graph }) => {
      const pads = graph.node[2].attribute.find(({ name }) => name === 'pads')!;
      pads.ints = [0, 0, 2, 2];
    }),
    /% off/,
  );
  await fails(
    changed(({ graph }) => {
      graph.node.find(({ opType }) => opType === 'Relu')!.opType = 'Rectify';
    }),
    /ONNX Runtime does not load it/,
  );
  await fails(Buffer.from('no model at all'), /ONNX Runtime does not load it/);
});

test('a model without a self-test cannot be checked', async () => {
  const model = randomModel(SMALL);
  const { bytes, outputs } = onnxModel(model, PLAIN, '1.2.3');
  const none = { pixels: new Uint8Array(0), uniform: new Float32Array(0), balanced: new Float32Array(0) };
  await assert.rejects(checkOnnx(bytes, { ...model, selfTest: none }, outputs, null), /no self-test/);
});
