import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import { decodeSafetensors, encodeSafetensors, readMetadata, type StoredTensor } from '../../core/base/safetensors.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const TENSORS: Record<string, StoredTensor> = {
  'b/weight': { dtype: 'F32', shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) },
  a: { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) },
  step: { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) },
  h: { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3e00, 0xc000) },
  none: { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) },
  state: { dtype: 'U32', shape: [2], data: Uint32Array.of(0xffffffff, 1) },
  order: { dtype: 'I32', shape: [1, 2], data: Int32Array.of(-1, 5) },
  // Names that are keys of every object must be nothing special.
  ['__proto__']: { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) },
};

/** What Python's safetensors 0.8 (numpy) writes for five of the tensors above and metadata {format: np, é: ü}. */
const PYTHON_FILE =
  '50010000000000007b225f5f6d657461646174615f5f223a7b22c3a9223a22c3bc222c22666f726d6174223a226e70227d2c2273746570223a' +
  '7b226474797065223a22493634222c227368617065223a5b5d2c22646174615f6f666673657473223a5b302c385d7d2c22622f776569676874' +
  '223a7b226474797065223a22463332222c227368617065223a5b322c335d2c22646174615f6f666673657473223a5b382c33325d7d2c226e6f' +
  '6e65223a7b226474797065223a22463332222c227368617065223a5b302c335d2c22646174615f6f666673657473223a5b33322c33325d7d2c' +
  '2268223a7b226474797065223a22463136222c227368617065223a5b325d2c22646174615f6f666673657473223a5b33322c33365d7d2c2261' +
  '223a7b226474797065223a225538222c227368617065223a5b335d2c22646174615f6f666673657473223a5b33362c33395d7d7d2020202020' +
  '20200700000000000000000000000000803e0000003f0000403f0000803f0000a03f003e00c0010203';

const encode = (tensors = TENSORS, metadata: Record<string, string> = { run: '3', π: 'yes' }): Buffer =>
  Buffer.concat(encodeSafetensors(tensors, metadata));

const sorted = (of: object): [string, unknown][] => Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** A header's entry of bytes. */
const entry = (begin: number, end: number): string =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;

/** A file from a header and data, without any check. */
function craft(header: string, data = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([head, Buffer.from(header), data]);
}

test('tensors and metadata come back as they were', () => {
  const { tensors, metadata } = decodeSafetensors(encode(), 'x');
  assert.deepEqual(sorted(tensors), sorted(TENSORS));
  assert.deepEqual(metadata, { run: '3', π: 'yes' });
});

test('equal content gives equal bytes, with aligned data', () => {
  const reversed = Object.fromEntries(Object.entries(TENSORS).toReversed());
  assert.deepEqual(encode(reversed, { π: 'yes', run: '3' }), encode());
  assert.equal(encodeSafetensors(TENSORS)[0].length % 8, 0);
  assert.deepEqual(decodeSafetensors(encode({}, {}), 'x'), { tensors: {}, metadata: {} });
});

test('a file from any offset in memory can be read', () => {
  const file = encode();
  for (let shift = 0; shift < 8; shift++) {
    const buffer = new ArrayBuffer(file.length + 8);
    const bytes = new Uint8Array(buffer, shift, file.length);
    bytes.set(file);
    const { tensors } = decodeSafetensors(bytes, 'x');
    assert.deepEqual(tensors['b/weight'], TENSORS['b/weight']);
    assert.deepEqual(tensors['step'], TENSORS['step']);
  }
});

test("a file by Python's safetensors is read", () => {
  const { tensors, metadata } = decodeSafetensors(Buffer.from(PYTHON_FILE, 'hex'), 'x');
  assert.deepEqual(metadata, { é: 'ü', format: 'np' });
  assert.deepEqual(Object.keys(tensors), ['step', 'b/weight', 'none', 'h', 'a']);
  for (const [name, tensor] of Object.entries(tensors)) assert.deepEqual(tensor, TENSORS[name]);
});

test('tensors that do not fit their shape or type are refused', () => {
  const data = Float32Array.of(1, 2);
  assert.throws(() => encode({ x: { dtype: 'F32', shape: [3], data } }), /\[3\] is not 2/);
  // @ts-expect-error what a caller without types could pass
  assert.throws(() => encode({ x: { dtype: 'I32', shape: [2], data } }), /does not hold I32/);
});

test('what is wrong with a file is said, with its name', () => {
  const cases: [Buffer, RegExp][] = [
    [Buffer.alloc(3), /too short/],
    [Buffer.alloc(8, 0xff), /header is longer/],
    [craft(''), /not JSON/],
    [craft(' {}'), /not JSON/],
    [craft('{"a":'), /not JSON/],
    [craft('[]'), /not JSON/],
    [craft('{"a":3}'), /entry of "a" is not an object/],
    [craft('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,0]}}'), /unknown type/],
    [craft('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}'), /shape/],
    [craft('{"a":{"dtype":"U8","shape":[1e300,0],"data_offsets":[0,0]}}'), /shape/],
    [craft('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}'), /offsets/],
    [craft('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1]}}', Buffer.alloc(1)), /size of its shape/],
    [craft(`{"a":${entry(0, 2)},"b":${entry(1, 3)}}`, Buffer.alloc(3)), /"b" does not follow/],
    [craft(`{"a":${entry(0, 2)},"b":${entry(3, 4)}}`, Buffer.alloc(4)), /"b" does not follow/],
    [craft(`{"a":${entry(0, 2)}}`, Buffer.alloc(1)), /beyond its end/],
    [craft(`{"a":${entry(0, 2)}}`, Buffer.alloc(3)), /1 bytes at its end/],
    [craft('{"__metadata__":{"a":1}}'), /metadata is not text/],
    [craft('{"__metadata__":[]}'), /metadata is not an object/],
  ];
  for (const [file, problem] of cases) {
    assert.throws(
      () => decodeSafetensors(file, 'model.safetensors'),
      (error) =>
        error instanceof UserError &&
        error.code === 'damaged' &&
        problem.test(error.message) &&
        error.message.startsWith('model.safetensors '),
      `${problem} for ${file.toString('latin1')}`,
    );
  }
});

test('no corruption does more than a UserError', () => {
  const random = Random.stream(1, 'safetensors fuzz');
  const good = encode();
  let refused = 0;
  for (let round = 0; round < 5000; round++) {
    let bytes = Buffer.from(good);
    for (let flips = random.below(4); flips >= 0; flips--) {
      // Most of the damage goes where it matters: into the header.
      bytes[random.below(random.below(4) > 0 ? 400 : bytes.length)] = random.below(256);
    }
    if (random.below(8) === 0) bytes = bytes.subarray(0, random.below(bytes.length));
    try {
      decodeSafetensors(bytes, 'x');
    } catch (error) {
      assert.ok(error instanceof UserError && error.code === 'damaged', String(error));
      refused++;
    }
  }
  assert.ok(refused > 2500, `only ${refused} of 5000 were refused`);
});

test('the text of a file is read from its header alone; what is no header is refused by name', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'some.safetensors');
  const data = new Float32Array(1000);
  const bytes = Buffer.concat(encodeSafetensors({ x: { dtype: 'F32', shape: [1000], data } }, { who: 'mé' }));
  // The data may be cut off: nobody looks at them.
  writeFileSync(path, bytes.subarray(0, bytes.length - 3000));
  assert.deepEqual(await readMetadata(path), { who: 'mé' });
  writeFileSync(path, Buffer.concat(encodeSafetensors({ x: { dtype: 'F32', shape: [1000], data } })));
  assert.deepEqual(await readMetadata(path), {});
  for (const damaged of [bytes.subarray(0, 5), bytes.subarray(0, 40), Buffer.alloc(100, 0xff), Buffer.alloc(100, 1)]) {
    writeFileSync(path, damaged);
    await assert.rejects(readMetadata(path), (error) => {
      assert.ok(error instanceof UserError && error.code === 'damaged', String(error));
      return /some\.safetensors is not a whole safetensors file/.test(error.message);
    });
  }
  await assert.rejects(
    readMetadata(join(folder, 'gone')),
    (error) => error instanceof UserError && error.code === 'not-found',
  );
});
