/**
 * A network's numbers as flat vectors. All trainable weights lie one after the other in one tensor, so a step's update is
 * four operations however many layers there are, the gradient of splitting it is one concatenation, and a checkpoint is
 * one copy. The layout says where each named tensor lies.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../base/random.ts';
import { sizeOf } from '../base/safetensors.ts';

/** How a weight starts. */
export type Initializer =
  | { kind: 'zeros' }
  | { kind: 'ones' }
  /** Normal with deviation sqrt(2 / fanIn) (He et al. 2015, arXiv 1502.01852; PyTorch's kaiming_normal_ default). */
  | { kind: 'kaiming-normal'; fanIn: number }
  /** Uniform in ±1 / sqrt(fanIn) (PyTorch's default bias of a linear layer). */
  | { kind: 'uniform-fan-in'; fanIn: number };

export interface ParameterSpec {
  name: string;
  shape: readonly number[];
  initializer: Initializer;
}

/** Where each named tensor lies in a flat vector. */
export class Layout {
  readonly specs: readonly ParameterSpec[];
  /** Elements of each tensor, in order. */
  readonly sizes: readonly number[];
  /** Elements in all. */
  readonly size: number;

  constructor(specs: readonly ParameterSpec[]) {
    const names = new Set(specs.map(({ name }) => name));
    if (names.size !== specs.length) throw new Error('two parameters have the same name');
    this.specs = specs;
    this.sizes = specs.map(({ shape }) => sizeOf(shape));
    this.size = this.sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Fresh values, drawn in the order of the layout. */
  initialize(random: Random): Float32Array {
    const values = new Float32Array(this.size);
    let offset = 0;
    for (const [index, { initializer }] of this.specs.entries()) {
      const part = values.subarray(offset, (offset += this.sizes[index]));
      switch (initializer.kind) {
        case 'zeros':
          break;
        case 'ones':
          part.fill(1);
          break;
        case 'kaiming-normal': {
          const deviation = Math.sqrt(2 / initializer.fanIn);
          for (let i = 0; i < part.length; i++) part[i] = deviation * random.normal();
          break;
        }
        case 'uniform-fan-in': {
          const bound = 1 / Math.sqrt(initializer.fanIn);
          for (let i = 0; i < part.length; i++) part[i] = bound * (2 * random.uniform() - 1);
          break;
        }
      }
    }
    return values;
  }

  /** Cut a flat tensor [size] into named tensors of their shapes; differentiable. */
  split(flat: tf.Tensor1D): NamedTensors {
    if (this.size === 0) return new NamedTensors(new Map());
    const parts = tf.split(flat, [...this.sizes]);
    return new NamedTensors(
      new Map(this.specs.map(({ name, shape }, index) => [name, tf.reshape(parts[index], [...shape])])),
    );
  }

  /** Cut a flat array into named arrays (views, not copies). */
  views(flat: Float32Array): { name: string; shape: readonly number[]; values: Float32Array }[] {
    if (flat.length !== this.size) throw new Error(`expected ${this.size} values, got ${flat.length}`);
    let offset = 0;
    return this.specs.map(({ name, shape }, index) => ({
      name,
      shape,
      values: flat.subarray(offset, (offset += this.sizes[index])),
    }));
  }

  /** Put named arrays together; the reverse of `views`. */
  join(named: ReadonlyMap<string, Float32Array>): Float32Array {
    const flat = new Float32Array(this.size);
    for (const { name, values } of this.views(flat)) {
      const given = named.get(name);
      if (!given) throw new Error(`the tensor ${name} is missing`);
      if (given.length !== values.length) {
        throw new Error(`the tensor ${name} has ${given.length} values where ${values.length} are expected`);
      }
      values.set(given);
    }
    return flat;
  }
}

/** Tensors by name, as a network's layers ask for them. */
export class NamedTensors {
  readonly #tensors: ReadonlyMap<string, tf.Tensor>;

  constructor(tensors: ReadonlyMap<string, tf.Tensor>) {
    this.#tensors = tensors;
  }

  get<T extends tf.Tensor>(name: string): T {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`the network has no tensor ${name}`);
    return tensor as T;
  }

  /** These and others. */
  and(others: NamedTensors): NamedTensors {
    return new NamedTensors(new Map([...this.#tensors, ...others.#tensors]));
  }
}
