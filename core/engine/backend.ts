/**
 * TensorFlow.js over native TensorFlow, in job processes only: loading it takes a second and hundreds of megabytes, and
 * a native step blocks its thread.
 *
 * The package's own entry point looks for its binding in a place we do not use, so the backend is registered here:
 * the kernels, the backend class, and the binding that set-up compiled.
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
interface TensorMetadata {
  id: number;
  dtype: number;
  shape: number[];
}

/** The part of the native binding that we call (napi; see the package's binding/tfjs_backend.cc). */
export interface NativeBinding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorMetadata[];
  isUsingGpuDevice(): boolean;
  /** Live tensor handles. */
  getNumOfTensors(): number;
}

/** The part of tfjs-node's backend that we call beyond tfjs-core. */
export interface NativeBackend {
  readonly binding: NativeBinding;
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
  getNumOfTFTensors(): number;
}

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
      NodeJSKernelBackend: new (binding: NativeBinding, packageName: string) => tf.KernelBackend & NativeBackend;
    };
    const native = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
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

/** The engine that `startEngine` started. */
export function engine(): Engine {
  if (!started) throw new Error('startEngine() has not been called in this process');
  return started;
}
