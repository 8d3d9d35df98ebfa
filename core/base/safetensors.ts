/**
 * The safetensors file format: named tensors and some text, nothing that runs.
 *
 * Format (github.com/huggingface/safetensors, section "Format"): 8 bytes little-endian length N of the header; N bytes of
 * UTF-8 JSON `{"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {text: text}}`, which starts with
 * `{` and may be padded with spaces; then the data, little-endian and row-major, offsets counted from its start, without
 * holes or overlap.
 */
import { open } from 'node:fs/promises';
import { fileError, UserError } from './errors.ts';
import { canonicalJson } from './json.ts';

/** Element type to the array that holds it. F16 and BF16 are kept as raw 16-bit words, BOOL as bytes 0 and 1. */
export interface TensorArrays {
  BOOL: Uint8Array;
  U8: Uint8Array;
  I8: Int8Array;
  U16: Uint16Array;
  I16: Int16Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  U32: Uint32Array;
  I32: Int32Array;
  F32: Float32Array;
  U64: BigUint64Array;
  I64: BigInt64Array;
  F64: Float64Array;
}
export type TensorDtype = keyof TensorArrays;

/** A tensor as stored: `data` has as many elements as `shape` says; shape [] is a single number. */
export type StoredTensor<D extends TensorDtype = TensorDtype> = {
  [K in D]: { dtype: K; shape: readonly number[]; data: TensorArrays[K] };
}[D];

const ARRAYS = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  U32: Uint32Array,
  I32: Int32Array,
  F32: Float32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
} as const;

/** The format's own limit on the header, which keeps a damaged length from costing memory. */
const MAX_HEADER = 100_000_000;
const METADATA = '__metadata__';

/** Elements in a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dimension) => size * dimension, 1);
}

/** What a tensor is beside its values; without a type where it can have but one. */
interface TensorForm {
  dtype?: TensorDtype;
  shape: readonly number[];
}

/** Those of T that have the type of F, where F has one. */
type Fitting<T, F> = Extract<T, Pick<F, keyof F & 'dtype'>>;

/**
 * A tensor that a file must have, with this type and shape.
 * @param file its name for the error
 * @throws UserError 'damaged' saying what the tensor should be and what it is
 */
export function fittingTensor<T extends TensorForm, F extends TensorForm>(
  found: T | undefined,
  expected: F,
  tensor: string,
  file: string,
): Fitting<T, F> {
  const should = formText(expected);
  const fits = (there: T | undefined): there is Fitting<T, F> => there !== undefined && formText(there) === should;
  if (fits(found)) return found;
  const is = found ? formText(found) : 'not there';
  throw new UserError(
    'damaged',
    `${file} does not fit: its tensor ${tensor} should be ${should} and is ${is}. Take a good copy of the right file.`,
  );
}

/** "F32 [3, 2]". */
function formText({ dtype, shape }: TensorForm): string {
  return `${dtype === undefined ? '' : `${dtype} `}[${shape.join(', ')}]`;
}

/**
 * Lay out a file. Equal content gives equal bytes whatever the order of the keys: tensors lie by element size (largest
 * first, so that each is aligned), then by name.
 * @returns chunks to be written one after the other; all but the first are views of the tensors, which must not change
 *   before they are written
 * @throws Error when `data` does not fit `shape` or `dtype` (a defect of the caller)
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const entries = Object.entries(tensors).toSorted(
    ([a, { data: x }], [b, { data: y }]) => y.BYTES_PER_ELEMENT - x.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const header: [string, unknown][] = [];
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === METADATA) throw new Error(`a tensor cannot be called ${METADATA}`);
    if (!(data instanceof ARRAYS[dtype])) throw new Error(`tensor ${name}: data does not hold ${dtype}`);
    if (sizeOf(shape) !== data.length) throw new Error(`tensor ${name}: [${shape.join(', ')}] is not ${data.length}`);
    header.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  if (Object.keys(metadata).length > 0) header.push([METADATA, metadata]);
  const json = Buffer.from(canonicalJson(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;
  const head = Buffer.alloc(8 + length, ' ');
  head.writeBigUInt64LE(BigInt(length));
  json.copy(head, 8);
  return [head, ...chunks];
}

/**
 * Read a file.
 * @param bytes the whole file
 * @param name what to call the file in an error, usually its path
 * @returns tensors in the order of their data; arrays are views of `bytes` where the alignment allows, else copies
 * @throws UserError 'damaged' when anything is not as the format says
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  name: string,
): { tensors: Record<string, StoredTensor>; metadata: Record<string, string> } {
  const damaged = (what: string, cause?: unknown): UserError =>
    new UserError('damaged', `${name} is not a whole safetensors file: ${what}. Take a good copy of it.`, { cause });
  if (bytes.length < 8) throw damaged('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > MAX_HEADER || headerLength > bytes.length - 8) throw damaged('its header is longer than the file');
  const header = parseHeader(bytes.subarray(8, 8 + headerLength), damaged);
  const start = 8 + headerLength;
  const dataLength = bytes.length - start;

  const entries: { tensor: string; dtype: TensorDtype; shape: number[]; begin: number; end: number }[] = [];
  let metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(header)) {
    if (key === METADATA) metadata = parseMetadata(value, damaged);
    else entries.push({ tensor: key, ...parseEntry(key, value, damaged) });
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let expected = 0;
  for (const { tensor, begin, end } of entries) {
    if (begin !== expected) throw damaged(`the data of ${JSON.stringify(tensor)} does not follow the one before it`);
    if (end > dataLength) throw damaged(`the data of ${JSON.stringify(tensor)} goes beyond its end`);
    expected = end;
  }
  if (expected !== dataLength) throw damaged(`${dataLength - expected} bytes at its end belong to no tensor`);

  const tensors = entries.map(({ tensor, dtype, shape, begin, end }): [string, StoredTensor] => {
    const data = arrayAt(bytes, dtype, start + begin, end - begin);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- data is of the type that dtype names
    return [tensor, { dtype, shape, data } as StoredTensor];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * The text of a file on disk, of which only the header is read.
 * @throws UserError 'damaged' when the header is not as the format says; 'not-found', 'no-permission'
 */
export async function readMetadata(path: string): Promise<Record<string, string>> {
  const damaged: Damaged = (what, cause) =>
    new UserError('damaged', `${path} is not a whole safetensors file: ${what}. Take a good copy of it.`, { cause });
  try {
    await using file = await open(path);
    const part = async (length: number, from: number): Promise<Buffer> => {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, from);
      if (bytesRead < length) throw damaged('it is too short');
      return bytes;
    };
    const length = Number((await part(8, 0)).readBigUInt64LE());
    if (length > MAX_HEADER) throw damaged('its header is longer than the file');
    const header = parseHeader(await part(length, 8), damaged);
    return header[METADATA] === undefined ? {} : parseMetadata(header[METADATA], damaged);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

type Damaged = (what: string, cause?: unknown) => UserError;

function isDtype(value: unknown): value is TensorDtype {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseHeader(bytes: Uint8Array, damaged: Damaged): Record<string, unknown> {
  let header: unknown;
  try {
    if (bytes[0] !== 0x7b) throw new Error('does not start with {');
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw damaged('its header is not JSON', error);
  }
  if (!isObject(header)) throw damaged('its header is not an object');
  return header;
}

function parseMetadata(value: unknown, damaged: Damaged): Record<string, string> {
  if (!isObject(value)) throw damaged('its metadata is not an object');
  const entries = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== 'string') throw damaged('its metadata is not text');
    return [key, text];
  });
  return Object.fromEntries(entries);
}

function parseEntry(
  tensor: string,
  value: unknown,
  damaged: Damaged,
): { dtype: TensorDtype; shape: number[]; begin: number; end: number } {
  const what = `the entry of ${JSON.stringify(tensor)}`;
  if (!isObject(value)) throw damaged(`${what} is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) throw damaged(`${what} has an unknown type`);
  if (!isSizes(shape)) throw damaged(`${what} has no valid shape`);
  if (!isSizes(offsets) || offsets.length !== 2) throw damaged(`${what} has no valid offsets`);
  const [begin, end] = offsets;
  const size = sizeOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== size) throw damaged(`${what} does not have the size of its shape`);
  return { dtype, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

interface ArrayMaker {
  new (buffer: ArrayBufferLike, offset: number, length: number): TensorArrays[TensorDtype];
  readonly BYTES_PER_ELEMENT: number;
}

function arrayAt(bytes: Uint8Array, dtype: TensorDtype, start: number, byteLength: number): TensorArrays[TensorDtype] {
  const ArrayType: ArrayMaker = ARRAYS[dtype];
  const aligned = (bytes.byteOffset + start) % ArrayType.BYTES_PER_ELEMENT === 0;
  const source = bytes.subarray(start, start + byteLength);
  const { buffer, byteOffset } = aligned ? source : new Uint8Array(source);
  return new ArrayType(buffer, byteOffset, byteLength / ArrayType.BYTES_PER_ELEMENT);
}
