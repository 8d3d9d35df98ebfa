/**
 * TensorFlow.js over native TensorFlow, in job processes only: loading it takes a second and hundreds of megabytes, and
 * a native step blocks its thread.
 *
 * The package's own entry point loads its own binding, so the backend is registered here: the kernels, the backend class,
 * and our binding (native/), which set-up compiled.
 */
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import type { EngineInstall } from './install.ts';

/** An attribute of a TensorFlow operation, as the binding wants it. */
export interface OpAttribute {
  name: string;
  type: number;
  value: string | number | boolean | readonly number[] | readonly boolean[];
}

/** What the binding says of one output. */
export interface TensorMetadata {
  id: number;
  /** TensorFlow's number of the type. */
  dtype: number;
  shape: number[];
}

/** Values of a tensor on the host: float32, int32, or uint8 and bool. */
export type TensorValues = Float32Array | Int32Array | Uint8Array;

/** What a function of TensorFlow's is made of; see native/functions.h. */
export interface FunctionDescription {
  arguments: { dtype: number; shape: readonly number[] }[];
  nodes: {
    op: string;
    attributes: OpAttribute[];
    inputs: (readonly [number, number] | (readonly [number, number])[])[];
    /** Tensor of a node Const. */
    constant?: number;
  }[];
  outputs: (readonly [number, number])[];
}

/** The native binding, core/engine/native. Tensors are numbers, never used twice. */
export interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_UINT8: number;
  readonly TF_BFLOAT16: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  /** Whether ContextureFilterGrad is faster on this processor than TensorFlow's own operation. */
  readonly filterGradientPays: boolean;
  /** Floats that ContextureWinograd works on at once: 16 with AVX-512, 8 with AVX2, 0 where it does not run. */
  readonly winogradLanes: number;
  /** Whether it takes bfloat16 on this processor, and whether it is faster then than TensorFlow's own operation. */
  readonly winogradBfloat16: boolean;
  readonly winogradBfloat16Pays: boolean;
  /** Copies the values. */
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number;
  deleteTensor(id: number): void;
  /** A copy of the values; those of bfloat16 as float32. */
  tensorDataSync(id: number): TensorValues;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorMetadata[];
  isUsingGpuDevice(): boolean;
  /** Live tensor handles. */
  getNumOfTensors(): number;
  /** The serialised OpDef of an operation. */
  operationDefinition(name: string): Uint8Array;
  /** From then on `executeOp(name, [], …)` runs the function. */
  defineFunction(name: string, description: FunctionDescription): void;
  removeFunction(name: string): void;
}

/** The part of tfjs-node's backend that we call beyond tfjs-core. */
export interface NativeBackend {
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: object): { dtype: number } };
  write(values: TensorValues, shape: number[], dtype: tf.DataType): object;
  /** A tensor of TensorFlow.js around what the binding made. */
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
  /** Numbers of tensors; values that TensorFlow.js still holds back are handed to TensorFlow first. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
  getNumOfTFTensors(): number;
}

type BackendClass = new (binding: NativeBinding, packageName: string) => tf.KernelBackend & NativeBackend;

/** The engine of this process, named so that a run can record it. */
export interface Engine {
  readonly backend: NativeBackend;
  /** "tensorflow 2.21.0" */
  readonly tensorflow: string;
  readonly device: 'cpu' | 'gpu';
}

let started: Engine | undefined;

/**
 * Start the engine of this process; later calls return the same one.
 * @throws UserError 'engine' when the native parts are missing or do not load
 */
export function startEngine(install: EngineInstall): Engine {
  if (started) return started;
  const require = createRequire(import.meta.url);
  // Node 23 took the first away and Node 24 warns of the second; the 4.22 backend still calls both (tfjs#8425).
  const legacyUtil = require('node:util') as Record<string, unknown>;
  legacyUtil.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  legacyUtil.isArray = Array.isArray;
  let backend: NativeBackend;
  try {
    const binding = require(install.binding) as NativeBinding;
    // oxlint-disable-next-line import/no-unassigned-import -- registers the kernels and exports nothing
    require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels');
    const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend') as {
      NodeJSKernelBackend: BackendClass;
    };
    const native = new (withBfloat16(NodeJSKernelBackend))(binding, '@tensorflow/tfjs-node-gpu');
    backend = native;
    tf.registerBackend('tensorflow', () => native, 3);
    // Resolved at once: the factory above is not asynchronous.
    void tf.setBackend('tensorflow');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(
      'engine',
      `TensorFlow does not start (${reason}). Run \`npm run setup\`, then \`npm run contexture -- doctor\`.`,
      { cause: error },
    );
  }
  // Shapes and arguments are ours; the checks for NaN inside tfjs would read every tensor back.
  tf.env().set('PROD', true);
  started = {
    backend,
    tensorflow: backend.binding.TF_Version,
    device: backend.binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
  };
  return started;
}

/**
 * TensorFlow.js has no bfloat16: such a tensor is float32 to it. Here its true type is kept, and an operation that is given
 * one is run for that type.
 */
function withBfloat16(Base: BackendClass): BackendClass {
  return class extends Base {
    override createOutputTensor(metadata: TensorMetadata): tf.Tensor {
      const { TF_BFLOAT16, TF_FLOAT } = this.binding;
      if (metadata.dtype !== TF_BFLOAT16) return super.createOutputTensor(metadata);
      const tensor = super.createOutputTensor({ ...metadata, dtype: TF_FLOAT });
      this.tensorMap.get(tensor.dataId).dtype = TF_BFLOAT16;
      return tensor;
    }

    override executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor {
      return super.executeSingleOutput(name, this.#typed(attributes, inputs), inputs);
    }

    override executeMultipleOutputs(
      name: string,
      attributes: OpAttribute[],
      inputs: tf.Tensor[],
      outputs: number,
    ): tf.Tensor[] {
      return super.executeMultipleOutputs(name, this.#typed(attributes, inputs), inputs, outputs);
    }

    #typed(attributes: OpAttribute[], inputs: readonly tf.Tensor[]): OpAttribute[] {
      const { TF_BFLOAT16, TF_FLOAT } = this.binding;
      if (!inputs.some(({ dataId }) => this.tensorMap.get(dataId).dtype === TF_BFLOAT16)) return attributes;
      // A cast of TensorFlow.js's from float32 to float32 is one from bfloat16 to bfloat16; our own say bfloat16 themselves.
      const names = attributes.some(({ value }) => value === TF_BFLOAT16) ? [] : ['T', 'SrcT', 'DstT'];
      return attributes.map((attribute) =>
        names.includes(attribute.name) && attribute.value === TF_FLOAT
          ? { ...attribute, value: TF_BFLOAT16 }
          : attribute,
      );
    }
  };
}

/** The engine that `startEngine` started. */
export function engine(): Engine {
  if (!started) throw new Error('startEngine() has not been called in this process');
  return started;
}
