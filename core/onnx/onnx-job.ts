/** The onnx job: a model file becomes an ONNX file that has been run and compared before it gets its name. */
import { existsSync } from 'node:fs';
import { writeDurably } from '../base/durable-file.ts';
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { CODE_VERSION } from '../base/version.ts';
import type { Head } from '../evaluation/figures.ts';
import type { Job } from '../jobs/protocol.ts';
import { readModel } from '../predict/read-model.ts';
import { checkOnnx } from './onnx-check.ts';
import { onnxModel, type OnnxOptions, type OnnxOutput } from './onnx-model.ts';

export interface OnnxSpec {
  /** Absolute path of the model file. */
  model: string;
  /** Absolute path of the file to write. */
  out: string;
  /** Whether a file that is there already may be replaced. */
  overwrite: boolean;
  options: OnnxOptions;
}

export interface OnnxResult {
  /** Size of the file. */
  bytes: number;
  /** The head that `logits` and `probabilities` are of. */
  head: Head;
  outputs: OnnxOutput[];
  /** Pictures of the self-test, and the largest relative difference that ONNX Runtime's answers to them have. */
  checked: { pictures: number; difference: number };
}

/**
 * Write and check.
 * @throws UserError 'not-found' or 'damaged' (the model; or the ONNX file computes something else, and is not kept),
 *   'usage' (the head), 'exists', 'no-space', 'cancelled'
 */
export const onnxJob: Job<OnnxSpec, Progress, OnnxResult> = async ({ model, out, overwrite, options }, port) => {
  const tell = (stage: string, done: number): void =>
    port.emit({ type: 'progress', stage, done, total: 2, unit: 'steps', rate: null, secondsLeft: null });
  tell('Writing the graph', 0);
  const file = readModel(model);
  const { bytes, head, outputs } = onnxModel(file, options, CODE_VERSION);
  tell('Checking in ONNX Runtime', 1);
  const difference = await checkOnnx(bytes, file, outputs, options.batch);
  if (port.signal.aborted) throw new UserError('cancelled', 'Writing the ONNX file was cancelled.');
  if (!overwrite && existsSync(out)) {
    throw new UserError('exists', `${out} is there already. Choose another folder, or allow to overwrite it.`);
  }
  writeDurably(out, [bytes]);
  tell('Written', 2);
  const pictures = file.selfTest.uniform.length / file.card.classes.length;
  return { bytes: bytes.length, head, outputs, checked: { pictures, difference } };
};
