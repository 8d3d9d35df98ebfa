/** An ONNX graph being put together: nodes in order, and the numbers that they use. */
import {
  ATTRIBUTE_TYPE,
  DATA_TYPE,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from './onnx-file.ts';

/** A whole number has to be an `int` or `ints` attribute; there is no attribute of ours that is a float. */
export type Attributes = Readonly<Record<string, number | readonly number[] | { float: number }>>;

export class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();

  /**
   * Add an operation.
   * @param name unique in the graph; that of its result, too
   * @returns the name of its result
   */
  add(opType: string, name: string, input: readonly string[], attributes: Attributes = {}): string {
    this.nodes.push({
      input: [...input],
      output: [name],
      name: `${name}.${opType}`,
      opType,
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return name;
  }

  /** Numbers that belong to the model. A name that is there already is left as it is: equal names mean equal numbers. */
  floats(name: string, shape: readonly number[], values: Float32Array): string {
    this.#put({ name, dims: [...shape], dataType: DATA_TYPE.float, rawData: bytesOf(values) });
    return name;
  }

  /** Whole numbers that an operation takes as an input, such as pads. */
  integers(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    this.#put({ name, dims: [values.length], dataType: DATA_TYPE.int64, rawData: bytesOf(data) });
    return name;
  }

  get initializers(): OnnxTensor[] {
    return [...this.#initializers.values()];
  }

  /** The graph as it stands, with its inputs and outputs. */
  finish(name: string, ends: Pick<OnnxModel['graph'], 'input' | 'output'>): OnnxModel['graph'] {
    return { name, node: this.nodes, initializer: this.initializers, ...ends };
  }

  #put(tensor: OnnxTensor): void {
    if (!this.#initializers.has(tensor.name)) this.#initializers.set(tensor.name, tensor);
  }
}

function attribute(name: string, value: Attributes[string]): OnnxAttribute {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: [...value] };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
