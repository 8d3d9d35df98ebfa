/**
 * A PyTorch state dict as its older format has it, the one before zip files: a magic number, a version, a description of
 * the machine, the dictionary with its tensors' shapes, the keys of their storages, each a pickle of its own, then each
 * storage: its number of values (8 bytes) and the values (torch/serialization.py, `_legacy_save`). Nothing of it is run.
 */
import { UserError } from '../base/errors.ts';
import { sizeOf } from '../base/safetensors.ts';
import { PickledMap, PickledName, readPickle, type Pickled, type PickleRules } from './pickle.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** Bytes of a value of the storages that such a file may have. */
const VALUE_BYTES: Readonly<Record<string, number>> = { 'torch.FloatStorage': 4, 'torch.LongStorage': 8 };
const REBUILD = 'torch._utils._rebuild_tensor_v2';
const ORDERED = 'collections.OrderedDict';

/** Values of one or more tensors. */
class Storage {
  readonly key: string;
  readonly type: string;
  readonly length: number;
  constructor(key: string, type: string, length: number) {
    this.key = key;
    this.type = type;
    this.length = length;
  }
}

/** Where a tensor's values lie in a storage. */
class Place {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

export interface TorchTensor {
  shape: readonly number[];
  /** Row by row. */
  values: Float32Array;
}

const NOTHING: PickleRules<never> = {
  names: new Set(),
  call: (name) => {
    throw new Error(`it calls ${name}`);
  },
  reference: () => {
    throw new Error('it refers to something outside');
  },
};

const STATE_DICT: PickleRules<Storage | Place> = {
  names: new Set([ORDERED, REBUILD, ...Object.keys(VALUE_BYTES)]),
  call(name, args) {
    if (name === ORDERED && args.length === 0) return new PickledMap();
    const [storage, offset, shape, strides] = args;
    if (name === REBUILD && storage instanceof Storage && isWhole(offset) && isWholes(shape) && isWholes(strides)) {
      if (shape.length === strides.length) return new Place(storage, offset, shape, strides);
    }
    throw new Error(`it calls ${name} in a way that is not known`);
  },
  reference(id) {
    if (Array.isArray(id)) {
      const [what, type, key, , length] = id;
      if (what === 'storage' && type instanceof PickledName && typeof key === 'string' && isWhole(length)) {
        return new Storage(key, type.name, length);
      }
    }
    throw new Error('it refers to something that is no storage');
  },
};

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isWholes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isWhole);
}

/**
 * Read the float tensors of a state dict; counters (64-bit whole numbers) are left out.
 * @param name what to call the file in an error
 * @throws UserError 'damaged' when it is something else, is not whole, or asks for what a state dict has no need of
 */
export function readTorchFile(bytes: Buffer, name: string): Map<string, TorchTensor> {
  try {
    let at = 0;
    const next = <T>(rules: PickleRules<T>): Pickled<T> => {
      const { value, end } = readPickle(bytes, at, rules);
      at = end;
      return value;
    };
    if (next(NOTHING) !== MAGIC || next(NOTHING) !== VERSION) throw new Error('it is no state dict');
    // The machine that wrote it: the values are little-endian wherever PyTorch runs.
    next(NOTHING);
    const dictionary = next(STATE_DICT);
    const keys = next(NOTHING);
    if (!(dictionary instanceof PickledMap) || !Array.isArray(keys)) throw new Error('it is no state dict');
    const places = [...dictionary].map(([key, place]): [string, Place] => {
      if (typeof key !== 'string' || !(place instanceof Place)) throw new Error('it holds something that is no tensor');
      return [key, place];
    });
    const storages = new Map(places.map(([, { storage }]) => [storage.key, storage]));
    const values = new Map<string, Float32Array>();
    for (const key of keys) {
      const storage = typeof key === 'string' ? storages.get(key) : undefined;
      if (!storage) throw new Error('it has values that belong to no tensor');
      const size = storage.length * VALUE_BYTES[storage.type];
      if (at + 8 + size > bytes.length) throw new Error('it ends in the middle');
      if (bytes.readBigInt64LE(at) !== BigInt(storage.length)) throw new Error('a tensor has another length than said');
      at += 8;
      if (storage.type === 'torch.FloatStorage') values.set(storage.key, floats(bytes.subarray(at, at + size)));
      at += size;
    }
    const tensors = places.filter(([, { storage }]) => storage.type === 'torch.FloatStorage');
    return new Map(
      tensors.map(([key, place]) => [
        key,
        { shape: place.shape, values: rowByRow(place, values.get(place.storage.key)) },
      ]),
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError('damaged', `${name} is not a PyTorch state dict that can be read: ${why}.`, { cause: error });
  }
}

/** A copy, wherever the bytes lie. */
function floats(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** A tensor's values in the order of its shape: PyTorch may keep them in another one. */
function rowByRow({ offset, shape, strides }: Place, from: Float32Array | undefined): Float32Array {
  if (!from) throw new Error('the values of a tensor are missing');
  const furthest = offset + shape.reduce((sum, side, i) => sum + (side - 1) * strides[i], 0);
  const size = sizeOf(shape);
  // The second also keeps a forged shape from costing memory.
  if (size > 0 && (furthest >= from.length || size > from.length)) throw new Error('a tensor goes beyond its values');
  const values = new Float32Array(size);
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < values.length; i++) {
    values[i] = from[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return values;
}
