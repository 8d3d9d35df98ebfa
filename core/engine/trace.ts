/**
 * A function of tensors as one TensorFlow function: "tf.function for TensorFlow.js". The function runs twice on examples
 * while its operations are recorded; the list becomes a function of TensorFlow's, which from then on does the same work in
 * one call. A training step of a small ResNet makes some 700 calls; traced it makes one, TensorFlow frees and re-uses
 * memory inside it, and JavaScript's part is gone.
 *
 * A trace bakes in every JavaScript number. Whatever changes from call to call has to be an argument that is a tensor;
 * two examples with different values show what was forgotten.
 */
import * as tf from '@tensorflow/tfjs-core';
import { engine, type FunctionDescription, type NativeBackend } from './backend.ts';
import { groupInputs } from './op-definition.ts';
import { record, TraceError, type RecordedArgument, type RecordedNode, type Recording, type Ref } from './recorder.ts';
import { leavesOf, mapLeaves, tensorsOf, type Leaf } from './tree.ts';

export { TraceError } from './recorder.ts';

/** A traced function. Called like the original, it returns the same tree of fresh tensors. */
export interface Traced<A extends unknown[], R> {
  /**
   * @throws TraceError when an argument's shape, type or non-tensor value is not the one it was traced with
   */
  (...args: A): R;
  /** Operations in one call. */
  readonly operations: number;
  /** Forget the function; it cannot be called any more. */
  dispose(): void;
}

let functions = 0;

/**
 * Trace a function.
 * @param fn takes and returns trees (arrays, plain objects) with tensors at their ends. Other ends, such as numbers or a
 *   network, are part of the trace and have to stay the same. It must not read tensors back, and use no tensor that it
 *   neither is given nor makes
 * @param examples two lists of arguments: tensors of the same shapes with different values, other ends the same
 * @throws TraceError when it cannot be traced, or when the two runs differ in anything but their tensors' values
 */
export function trace<A extends unknown[], R>(fn: (...args: A) => R, examples: readonly [A, A]): Traced<A, R> {
  const { backend } = engine();
  compareArguments(examples[0], examples[1]);
  const recordings = examples.map((args) => {
    // The function's garbage and the example's result go at once; what it keeps is its own affair.
    const scope = tf.engine();
    scope.startScope();
    try {
      const inputs = tensorsOf(args).map(({ tensor }) => tensor);
      const recording = record(backend, inputs, () => fn(...args));
      for (const { tensor } of tensorsOf(recording.result)) if (!inputs.includes(tensor)) tensor.dispose();
      return recording;
    } finally {
      scope.endScope();
    }
  });
  compareRecordings(recordings[0], recordings[1]);
  return define(backend, recordings[0], leavesOf(examples[0]));
}

/** Both lists must have the same leaves, and all but tensors must be equal. */
function compareArguments(first: unknown, second: unknown): void {
  const others = leavesOf(second);
  const leaves = leavesOf(first);
  if (leaves.length !== others.length) throw new TraceError('the two examples have different forms');
  for (const [index, { path, value }] of leaves.entries()) {
    const other = others[index];
    if (path !== other.path) throw new TraceError(`the two examples have different forms at ${path}`);
    if (value instanceof tf.Tensor && other.value instanceof tf.Tensor) continue;
    if (!Object.is(value, other.value)) {
      throw new TraceError(
        `argument ${path} is no tensor and differs between the two examples; what changes must be a tensor`,
      );
    }
  }
}

function compareRecordings(first: Recording<unknown>, second: Recording<unknown>): void {
  for (const [index, node] of first.nodes.entries()) {
    const other = second.nodes[index];
    if (
      other?.kind !== node.kind ||
      (node.kind === 'operation' && other.kind === 'operation' && node.op !== other.op)
    ) {
      throw new TraceError(`${nameOf(node)}: the two examples do not run the same operations`);
    }
    if (node.kind === 'operation' && other.kind === 'operation') {
      if (!same(node.attributes, other.attributes)) throw changed(node.op, 'an attribute');
      if (!same(node.shapes, other.shapes)) throw changed(node.op, 'the shape of its result');
      if (!same(node.inputs, other.inputs)) throw changed(node.op, 'where an input comes from');
    } else if (node.kind !== 'operation' && other.kind !== 'operation') {
      const user = nameOf(first.nodes.find((n) => n.kind === 'operation' && n.inputs.some(([from]) => from === index)));
      if (node.dtype !== other.dtype || !same(node.shape, other.shape)) throw changed(user, "an input's shape or type");
      if (node.kind === 'constant' && other.kind === 'constant') {
        const at = node.values.findIndex((value, i) => !Object.is(value, other.values[i]));
        if (at >= 0) throw changed(user, `a constant (${node.values[at]} and ${other.values[at]})`);
      }
    }
  }
  if (first.nodes.length !== second.nodes.length || !same(first.resultRefs, second.resultRefs)) {
    throw new TraceError('the two examples do not run the same operations');
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function changed(op: string, what: string): TraceError {
  return new TraceError(`${op}: ${what} differs between the two examples; what changes must be a tensor argument`);
}

function nameOf(node: RecordedNode | undefined): string {
  return node?.kind === 'operation' ? node.op : 'the result';
}

/** Make the recording a function of TensorFlow's. */
function define<A extends unknown[], R>(
  backend: NativeBackend,
  recording: Recording<R>,
  example: readonly Leaf[],
): Traced<A, R> {
  const name = `contexture_${++functions}`;
  const { binding } = backend;
  const argumentCount = recording.nodes.filter(({ kind }) => kind === 'argument').length;
  // What is returned as it was given need not pass through the function.
  const computed = unique(recording.resultRefs.filter(([node]) => node >= argumentCount));
  const { description, constants, operations } = describe(backend, recording, computed);
  try {
    binding.defineFunction(name, description);
  } finally {
    for (const id of constants) binding.deleteTensor(id);
  }
  let argument = 0;
  const template = example.map(({ path, value }) => {
    const isTensor = value instanceof tf.Tensor;
    return {
      path,
      value,
      signature: isTensor ? signature(backend, recording.nodes[argument++] as RecordedArgument) : '',
    };
  });
  const call = (...args: A): R => {
    const leaves = leavesOf(args);
    check(backend, template, leaves);
    const inputs = leaves.flatMap(({ value }) => (value instanceof tf.Tensor ? [value] : []));
    const outputs = backend.executeMultipleOutputs(name, [], inputs, computed.length);
    // One output may stand in several places of the result, each with a handle of its own.
    const taken = new Set<tf.Tensor>(inputs);
    let at = 0;
    return mapLeaves(recording.result, (leaf) => {
      if (!(leaf instanceof tf.Tensor)) return leaf;
      const ref = recording.resultRefs[at++];
      const tensor =
        ref[0] < argumentCount ? inputs[ref[0]] : outputs[computed.findIndex((other) => sameRef(other, ref))];
      if (taken.has(tensor)) return tf.clone(tensor);
      taken.add(tensor);
      return tensor;
    }) as R;
  };
  return Object.assign(call, { operations, dispose: () => binding.removeFunction(name) });
}

/**
 * The function's description, without what its outputs do not need.
 * @returns the tensors that hold the constants, for the caller to delete
 */
function describe(
  { binding }: NativeBackend,
  { nodes }: Recording<unknown>,
  outputs: readonly Ref[],
): { description: FunctionDescription; constants: number[]; operations: number } {
  const needed = new Set<number>();
  const pending = outputs.map(([node]) => node);
  while (pending.length > 0) {
    const index = pending.pop()!;
    if (needed.has(index)) continue;
    needed.add(index);
    const node = nodes[index];
    if (node.kind === 'operation') pending.push(...node.inputs.map(([from]) => from));
  }
  const description: FunctionDescription = { arguments: [], nodes: [], outputs: [] };
  const places = new Map<number, number>();
  const constants: number[] = [];
  const moved = ([node, output]: Ref): Ref => [places.get(node)!, output];
  let operations = 0;
  for (const [index, node] of nodes.entries()) {
    if (node.kind === 'argument') {
      description.arguments.push({ dtype: node.dtype, shape: node.shape });
    } else if (!needed.has(index)) {
      continue;
    } else if (node.kind === 'constant') {
      const constant = binding.createTensor(node.shape, node.dtype, node.values);
      constants.push(constant);
      description.nodes.push({ op: 'Const', attributes: [], inputs: [], constant });
    } else {
      operations++;
      const inputs = groupInputs(node.op, node.inputs.map(moved)) as FunctionDescription['nodes'][number]['inputs'];
      description.nodes.push({ op: node.op, attributes: node.attributes, inputs });
    }
    places.set(index, places.size);
  }
  description.outputs = outputs.map(moved);
  return { description, constants, operations };
}

/** A call's arguments must be what was traced, values of tensors apart. */
function check(
  backend: NativeBackend,
  template: readonly (Leaf & { signature: string })[],
  leaves: readonly Leaf[],
): void {
  if (leaves.length !== template.length) throw new TraceError('the arguments have another form than when traced');
  for (const [index, { path, value }] of leaves.entries()) {
    const traced = template[index];
    if (path !== traced.path) throw new TraceError(`argument ${path} was not there when traced`);
    if (value instanceof tf.Tensor && traced.value instanceof tf.Tensor) {
      const { dtype } = backend.tensorMap.get(value.dataId);
      const given = signature(backend, { dtype, shape: value.shape });
      if (given !== traced.signature) {
        throw new TraceError(`argument ${path} was traced with ${traced.signature} and is ${given}`);
      }
    } else if (!Object.is(value, traced.value)) {
      throw new TraceError(`argument ${path} has another value than when traced; what changes must be a tensor`);
    }
  }
}

/** Type and shape, as in "float32 [2,3]". */
function signature({ binding }: NativeBackend, { dtype, shape }: { dtype: number; shape: readonly number[] }): string {
  const names = new Map([
    [binding.TF_FLOAT, 'float32'],
    [binding.TF_INT32, 'int32'],
    [binding.TF_UINT8, 'uint8'],
    [binding.TF_BFLOAT16, 'bfloat16'],
  ]);
  return `${names.get(dtype) ?? `type ${dtype}`} [${shape.join(',')}]`;
}

function sameRef(a: Ref, b: Ref): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function unique(refs: readonly Ref[]): Ref[] {
  return refs.filter((ref, index) => refs.findIndex((other) => sameRef(other, ref)) === index);
}
