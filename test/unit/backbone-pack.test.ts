/** Weights from elsewhere: PyTorch's files read as data, packs laid out and checked tensor by tensor. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { decodeSafetensors, encodeSafetensors, sizeOf, type StoredTensor } from '../../core/base/safetensors.ts';
import { tensorsOfBackbone, type PackTensor } from '../../core/models/backbone-card.ts';
import { backbonePath, findPack, readBackbonePack } from '../../core/models/backbone-pack.ts';
import { fromNamed, fromTorch } from '../../core/models/foreign-backbone.ts';
import { readTorchFile, type TorchTensor } from '../../core/models/torch-file.ts';
import { addBackbone, findBackbone, listBackbones, removeBackbone } from '../../core/services/backbones.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const KIND = 'efficientnet-lite0';
process.env.CONTEXTURE_CACHE = temporaryFolder();

/** torch.save(OrderedDict(a=[[0, 3], [1, 4], [2, 5]], transposed, b=3, c=[1.5, -2]), _use_new_zipfile_serialization=False). */
const SAVED = Buffer.from(
  'gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5xAohYCgAAAHR5cGVfc2l6ZXNxA31xBChYBQAAAHNob3J0cQVLAlgDAAAAaW50cQZLBFgEAAAAbG9uZ3EHSwR1dS6AAmNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxAClScQEoWAEAAABhcQJjdG9yY2guX3V0aWxzCl9yZWJ1aWxkX3RlbnNvcl92MgpxAygoWAcAAABzdG9yYWdlcQRjdG9yY2gKRmxvYXRTdG9yYWdlCnEFWA4AAAA5NDg1MjM2MzU4Njg4MHEGWAMAAABjcHVxB0sGTnRxCFFLAEsDSwKGcQlLAUsDhnEKiWgAKVJxC3RxDFJxDVgBAAAAYnEOaAMoKGgEY3RvcmNoCkxvbmdTdG9yYWdlCnEPWA4AAAA5NDg1MjI3NzI4NTY5NnEQaAdLAU50cRFRSwApKYloAClScRJ0cRNScRRYAQAAAGNxFWgDKChoBGgFWA4AAAA5NDg1MjI3NzE0MTkyMHEWaAdLAk50cRdRSwBLAoVxGEsBhXEZiWgAKVJxGnRxG1JxHHUugAJdcQAoWA4AAAA5NDg1MjI3NzE0MTkyMHEBWA4AAAA5NDg1MjI3NzI4NTY5NnECWA4AAAA5NDg1MjM2MzU4Njg4MHEDZS4CAAAAAAAAAAAAwD8AAADAAQAAAAAAAAADAAAAAAAAAAYAAAAAAAAAAAAAAAAAgD8AAABAAABAQAAAgEAAAKBA',
  'base64',
);
/** The same of something whose unpickling runs os.system("echo hi"). */
const HOSTILE = Buffer.from(
  'gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5xAohYCgAAAHR5cGVfc2l6ZXNxA31xBChYBQAAAHNob3J0cQVLAlgDAAAAaW50cQZLBFgEAAAAbG9uZ3EHSwR1dS6AAmNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxAClScQFYAQAAAGFxAmNwb3NpeApzeXN0ZW0KcQNYBwAAAGVjaG8gaGlxBIVxBVJxBnMugAJdcQAu',
  'base64',
);

const refused = (code: string, pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, pattern);
  return true;
};

test("a state dict of PyTorch's is read as data: transposed tensors row by row, counters left out", () => {
  const tensors = readTorchFile(SAVED, 'saved.pth');
  assert.deepEqual(
    [...tensors],
    [
      ['a', { shape: [3, 2], values: Float32Array.of(0, 3, 1, 4, 2, 5) }],
      ['c', { shape: [2], values: Float32Array.of(1.5, -2) }],
    ],
  );
});

test('what a pickle would run is refused by name', () => {
  assert.throws(() => readTorchFile(HOSTILE, 'x.pth'), refused('damaged', /x\.pth is not .*it names posix\.system\.$/));
});

test('a state dict that is cut off anywhere, or changed anywhere, is refused or read, never more', () => {
  for (let length = 0; length < SAVED.length; length++) {
    assert.throws(() => readTorchFile(SAVED.subarray(0, length), 'cut.pth'), refused('damaged', /cut\.pth/));
  }
  for (let at = 0; at < SAVED.length; at++) {
    for (const value of [0, 0x28, 0x52, 0x63, 0xff]) {
      const changed = Buffer.from(SAVED);
      changed[at] = value;
      try {
        readTorchFile(changed, 'changed.pth');
      } catch (error) {
        assert.ok(error instanceof UserError, `byte ${at} as ${value}: ${String(error)}`);
      }
    }
  }
});

/** Numbers that say where they lie. */
function counted(shape: readonly number[], from = 0): PackTensor {
  return { shape, values: Float32Array.from({ length: sizeOf(shape) }, (_, i) => from + (i % 1000)) };
}

const OURS = new Map(tensorsOfBackbone({ kind: KIND }).map(({ name, shape }, i) => [name, counted(shape, i)]));

test('kernels of PyTorch change their layout, and every layer has its name', () => {
  const theirs = new Map<string, TorchTensor>();
  const blocks = [...new Set([...OURS.keys()].flatMap((name) => /^stage\d+\.block\d+/.exec(name)?.[0] ?? []))];
  const words: [RegExp, string][] = [
    [/^stem\.conv/, '_conv_stem'],
    [/^stem\.bn/, '_bn0'],
    [/^last\.conv/, '_conv_head'],
    [/^last\.bn/, '_bn1'],
    [/^stage\d+\.block\d+/, ''],
    [/expand\.conv/, '_expand_conv'],
    [/expand\.bn/, '_bn0'],
    [/depthwise\.conv/, '_depthwise_conv'],
    [/depthwise\.bn/, '_bn1'],
    [/project\.conv/, '_project_conv'],
    [/project\.bn/, '_bn2'],
  ];
  for (const [name, { shape, values }] of OURS) {
    const block = blocks.findIndex((one) => name.startsWith(`${one}.`));
    const renamed = words.reduce((text, [from, to]) => text.replace(from, to), name);
    const [height, width, inputs, out] = shape;
    const depthwise = name.includes('depthwise.conv');
    // By the definition: theirs[o][i][y][x] is ours[y][x][i][o], for a depthwise kernel theirs[c][0][y][x] is ours[y][x][c][0].
    const turned = shape.length === 4 && {
      shape: depthwise ? [inputs, 1, height, width] : [out, inputs, height, width],
      values: Float32Array.from({ length: values.length }, (_, at) => {
        const [x, y] = [at % width, Math.floor(at / width) % height];
        const rest = Math.floor(at / (width * height));
        const [i, o] = depthwise ? [rest, 0] : [rest % inputs, Math.floor(rest / inputs)];
        return values[((y * width + x) * inputs + i) * out + o];
      }),
    };
    theirs.set(block >= 0 ? `_blocks.${block}${renamed}` : renamed, turned || { shape, values });
  }
  theirs.set('_fc.weight', counted([1000, 1280]));
  theirs.set('_fc.bias', counted([1000]));
  const found = fromTorch(KIND, theirs, 'x.pth');
  for (const [name, { shape, values }] of OURS) assert.deepEqual(found.get(name), { shape, values }, name);
  const classifier = found.get('classifier.weight')!;
  assert.deepEqual(classifier.shape, [1280, 1000]);
  assert.equal(classifier.values[5 * 1000 + 7], theirs.get('_fc.weight')!.values[7 * 1280 + 5]);
  theirs.delete('_blocks.3._depthwise_conv.weight');
  assert.throws(
    () => fromTorch(KIND, theirs, 'x.pth'),
    refused(
      'damaged',
      /^x\.pth does not fit: its tensor _blocks\.3\._depthwise_conv\.weight should be \[144, 1, 5, 5\] and is not there\. Take a good copy of the right file\.$/,
    ),
  );
});

test("weights may go by Keras' names", () => {
  const renamed = new Map(
    [...OURS].map(([name, tensor]) => {
      const keras = name
        .replace(/^stage(\d)\.block(\d)\./, (_, stage, block) => `block${stage}${'abcd'[Number(block) - 1]}_`)
        .replace(/^last\./, 'top_')
        .replace('stem.', 'stem_')
        .replace('depthwise.conv.weight', 'dwconv/depthwise_kernel')
        .replace('depthwise.bn', 'bn')
        .replace('expand.', 'expand_')
        .replace('project.', 'project_')
        .replace('conv.weight', 'conv/kernel')
        .replace('bn.weight', 'bn/gamma')
        .replace('bn.bias', 'bn/beta')
        .replace('bn.running_mean', 'bn/moving_mean')
        .replace('bn.running_var', 'bn/moving_variance');
      return [keras, tensor] as const;
    }),
  );
  assert.ok(renamed.has('block2b_expand_conv/kernel') && renamed.has('top_bn/moving_variance'));
  assert.deepEqual(fromNamed(KIND, renamed, 'x'), OURS);
});

function writeSafetensors(path: string, tensors: ReadonlyMap<string, PackTensor>): void {
  const stored = [...tensors].map(([name, { shape, values }]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape, data: values },
  ]);
  writeFileSync(path, Buffer.concat(encodeSafetensors(Object.fromEntries(stored))));
}

test("weights of one's own are added, found, listed and removed; their normalisation goes with them", async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'mine.safetensors');
  writeSafetensors(file, OURS);
  await assert.rejects(addBackbone(file, {}), refused('usage', /kind/));
  writeFileSync(join(folder, 'mine.json'), JSON.stringify({ kind: KIND, mean: 0.5, deviation: [0.25, 0.5, 1] }));
  const entry = await addBackbone(file, { licence: 'MIT' });
  assert.deepEqual(
    [entry.name, entry.kind, entry.state, entry.licence, entry.command],
    ['mine', KIND, 'here', 'MIT', null],
  );
  const { hash, path } = findBackbone('mine');
  const pack = readBackbonePack(path, { kind: KIND });
  assert.equal(pack.hash, hash);
  for (const [name, { values }] of OURS) assert.deepEqual(pack.weights.get(name), values, name);
  assert.deepEqual(findPack('mine')?.normalisation, { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.5, 1] });
  assert.ok(Object.hasOwn(decodeSafetensors(readFileSync(path), path).metadata, 'contexture'));
  assert.deepEqual(
    (await listBackbones()).map(({ name, state }) => [name, state]),
    [
      ['efficientnet-lite0', 'available'],
      ['efficientnet-lite2', 'available'],
      ['mine', 'here'],
    ],
  );
  await assert.rejects(addBackbone(file, {}), refused('exists', /--name/));
  await assert.rejects(addBackbone(file, { name: KIND }), refused('usage', /published/));
  await assert.rejects(addBackbone(file, { name: '../x' }), refused('usage', /cannot be a backbone's name/));
  await removeBackbone('mine');
  assert.throws(() => findBackbone('mine'), refused('not-found', /add it again/));
  assert.throws(() => findBackbone(KIND), refused('not-found', /contexture backbone get efficientnet-lite0/));
  await assert.rejects(removeBackbone('mine'), refused('not-found', /not here/));
});

test('a wrong one is refused with the tensor that does not fit', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'wrong.safetensors');
  const name = 'stage4.block2.depthwise.conv.weight';
  writeSafetensors(file, new Map([...OURS, [name, counted([5, 5, 480, 1])]]));
  await assert.rejects(
    addBackbone(file, { kind: KIND }),
    refused('damaged', /stage4\.block2\.depthwise\.conv\.weight should be \[3, 3, 480, 1\] and is \[5, 5, 480, 1\]/),
  );
  await assert.rejects(addBackbone(file, { kind: 'resnet18' }), refused('damaged', /tensor .* should be .* and is/));
  await assert.rejects(addBackbone(file, { kind: KIND, mean: 0.5 }), refused('damaged', /does not fit/));
  writeFileSync(file, 'no tensors');
  await assert.rejects(addBackbone(file, { kind: KIND }), refused('damaged', /safetensors/));
  await assert.rejects(addBackbone(join(folder, 'no'), { kind: KIND }), refused('not-found', /no/));
});

test('a TensorFlow.js model is added; quantised weights, missing files and files elsewhere are refused', async () => {
  const folder = join(temporaryFolder(), 'tfjs');
  mkdirSync(folder);
  const weights = [...OURS].map(([name, { shape }]) => ({ name, shape, dtype: 'float32' }));
  const bytes = Buffer.concat([...OURS.values()].map(({ values }) => Buffer.from(values.buffer)));
  const half = 4 * Math.floor(bytes.length / 8) + 2;
  const file = join(folder, 'model.json');
  const write = (paths: string[], change: object = {}): void =>
    writeFileSync(
      file,
      JSON.stringify({ weightsManifest: [{ paths, weights: weights.map((one) => ({ ...one, ...change })) }] }),
    );
  writeFileSync(join(folder, 'a.bin'), bytes.subarray(0, half));
  writeFileSync(join(folder, 'b.bin'), bytes.subarray(half));
  write(['a.bin', 'b.bin']);
  const entry = await addBackbone(file, { kind: KIND });
  assert.equal(entry.name, 'tfjs');
  const pack = readBackbonePack(backbonePath('tfjs'), { kind: KIND });
  for (const [name, { values }] of OURS) assert.deepEqual(pack.weights.get(name), values, name);
  await removeBackbone('tfjs');
  write(['a.bin']);
  await assert.rejects(addBackbone(file, { kind: KIND }), refused('damaged', /end before/));
  write(['a.bin', '../b.bin']);
  await assert.rejects(addBackbone(file, { kind: KIND }), refused('damaged', /does not lie beside it/));
  write(['a.bin', 'b.bin'], { quantization: { dtype: 'uint8' } });
  await assert.rejects(addBackbone(file, { kind: KIND }), refused('damaged', /quantised/));
  writeFileSync(file, '{}');
  await assert.rejects(addBackbone(file, { kind: KIND }), refused('damaged', /not a TensorFlow\.js model/));
});

test('a file that is no pack is listed as damaged', async () => {
  mkdirSync(join(backbonePath('x'), '..'), { recursive: true });
  writeFileSync(backbonePath('broken'), 'something else');
  assert.equal((await listBackbones()).find(({ name }) => name === 'broken')?.state, 'damaged');
  assert.throws(() => findBackbone('broken'), refused('damaged', /broken/));
  await removeBackbone('broken');
});
