/**
 * Writes down what TensorFlow is asked to do while a function runs: it stands where the binding stood, passes every call
 * on, and keeps the operations, how they are wired, and the constants made meanwhile.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { tensorsOf } from './tree.ts';
import type { NativeBackend, NativeBinding, OpAttribute, TensorValues } from './backend.ts';

/** A function that cannot be traced, and why. The message starts with the operation. */
export class TraceError extends Error {
  override name = 'TraceError';
}

/** Output `output` of node `node`; the arguments are the first nodes. */
export type Ref = readonly [node: number, output: number];

export interface RecordedOperation {
  kind: 'operation';
  op: string;
  attributes: OpAttribute[];
  inputs: Ref[];
  /** Shape of each output. */
  shapes: readonly (readonly number[])[];
}

export interface RecordedConstant {
  kind: 'constant';
  dtype: number;
  shape: readonly number[];
  values: TensorValues;
}

export interface RecordedArgument {
  kind: 'argument';
  dtype: number;
  shape: readonly number[];
}

export type RecordedNode = RecordedArgument | RecordedConstant | RecordedOperation;

export interface Recording<R> {
  nodes: RecordedNode[];
  /** What the function returned; its tensors are alive and the caller's. */
  result: R;
  /** Where each tensor of the result comes from, in the order of `leavesOf`. */
  resultRefs: Ref[];
}

/**
 * Run `work` and record it.
 * @param inputs tensors that are arguments; any other tensor from outside is refused
 * @throws TraceError when `work` uses a tensor from outside, reads a value back, or returns a promise
 */
export function record<R>(backend: NativeBackend, inputs: readonly tf.Tensor[], work: () => R): Recording<R> {
  const native = backend.binding;
  const nodes: RecordedNode[] = [];
  const refs = new Map<number, Ref>();
  for (const [index, id] of backend.getInputTensorIds(inputs).entries()) {
    if (refs.has(id))
      throw new TraceError(`argument tensors ${refs.get(id)![0] + 1} and ${index + 1} are one; give two`);
    refs.set(id, [index, 0]);
    nodes.push({
      kind: 'argument',
      dtype: backend.tensorMap.get(inputs[index].dataId).dtype,
      shape: inputs[index].shape,
    });
  }
  /** Values of tensors made while `work` runs. tfjs hands values over at first use, those of tensors made before too. */
  const ownValues = new WeakSet<object>();

  const overrides: Partial<NativeBinding> = {
    createTensor(shape, dtype, values) {
      const id = native.createTensor(shape, dtype, values);
      if (!ownValues.has(values)) return id;
      refs.set(id, [nodes.length, 0]);
      nodes.push({ kind: 'constant', dtype, shape: [...shape], values: values.slice() });
      return id;
    },
    executeOp(op, attributes, ids, outputs) {
      const operation: RecordedOperation = {
        kind: 'operation',
        op,
        attributes: attributes.map((attribute) => ({ ...attribute })),
        inputs: ids.map((id, index) => {
          const ref = refs.get(id);
          if (ref) return ref;
          throw new TraceError(`${op}: input ${index + 1} is a tensor from outside; pass it as an argument`);
        }),
        shapes: [],
      };
      const results = native.executeOp(op, attributes, ids, outputs);
      operation.shapes = results.map(({ shape }) => shape);
      for (const [output, { id }] of results.entries()) refs.set(id, [nodes.length, output]);
      nodes.push(operation);
      return results;
    },
    tensorDataSync(id) {
      throw new TraceError(`${producer(nodes, refs.get(id))}: its value is read back while the function runs`);
    },
  };

  const writer = backend as { write?: NativeBackend['write'] };
  backend.binding = Object.create(native, Object.getOwnPropertyDescriptors(overrides)) as NativeBinding;
  const write = backend.write.bind(backend);
  writer.write = (values, shape, dtype) => {
    ownValues.add(values);
    return write(values, shape, dtype);
  };
  try {
    const result = work();
    if (result instanceof Promise) throw new TraceError('the function is asynchronous');
    const resultRefs = tensorsOf(result).map(({ tensor, path }) => {
      const ref = refs.get(backend.getInputTensorIds([tensor])[0]);
      if (!ref) throw new TraceError(`result ${path}: a tensor from outside; pass it as an argument`);
      return ref;
    });
    return { nodes, result, resultRefs };
  } finally {
    // The class's own method shows again.
    delete writer.write;
    backend.binding = native;
  }
}

/** Name of what made a value, for messages. */
function producer(nodes: readonly RecordedNode[], ref: Ref | undefined): string {
  const node = ref && nodes[ref[0]];
  if (!node) return 'a tensor from outside';
  if (node.kind === 'argument') return `argument tensor ${ref[0] + 1}`;
  return node.kind === 'operation' ? node.op : 'a constant';
}
