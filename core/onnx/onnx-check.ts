/** Does an ONNX file compute what the model did? ONNX Runtime says, on the model's own self-test. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { UserError } from '../base/errors.ts';
import type { Head } from '../evaluation/figures.ts';
import { meanLogits } from '../evaluation/predictions.ts';
import type { ModelFile } from '../models/model-file.ts';
import { probabilitiesOf } from '../predict/answers.ts';
import { differenceText, relativeDifference, TOLERANCE } from '../predict/difference.ts';
import type { OnnxOutput } from './onnx-model.ts';

/**
 * Run the self-test of a model through an ONNX file of it and compare every output.
 * @param bytes the file
 * @param outputs what it is to give
 * @param batch pictures that it takes at a time; null: any number
 * @returns the largest difference of all outputs, relative to the largest value of each
 * @throws UserError 'damaged' when it is more than rounding, or the file cannot be run at all
 */
export async function checkOnnx(
  bytes: Uint8Array,
  { card, selfTest }: Pick<ModelFile, 'card' | 'selfTest'>,
  outputs: readonly OnnxOutput[],
  batch: number | null,
): Promise<number> {
  const { inputSize: size } = card.preprocessing;
  const classes = card.classes.length;
  const count = selfTest.uniform.length / classes;
  if (count === 0)
    throw new UserError('damaged', 'The model has no self-test to check the ONNX file by. Train it anew.');
  const logits: Record<Head, Float32Array> = {
    uniform: selfTest.uniform,
    balanced: selfTest.balanced,
    mean: meanLogits(selfTest.uniform, selfTest.balanced),
  };
  const expected = ({ of }: OnnxOutput): Float32Array =>
    'logits' in of
      ? logits[of.logits]
      : probabilitiesOf(logits[of.probabilities], classes, card.variant?.temperatures ?? null);
  const found = await runOnnx(bytes, channelsFirst(selfTest.pixels, size), { count, size, batch: batch ?? count });
  const differences = outputs.map((output) => {
    const values = found.get(output.name);
    return values?.length === count * classes ? relativeDifference(values, expected(output)) : Number.NaN;
  });
  const difference = Math.max(...differences);
  if (difference <= TOLERANCE) return difference;
  throw new UserError(
    'damaged',
    `The ONNX file was not kept: in ONNX Runtime its answers to the model's self-test are ${differenceText(difference)}. Run \`contexture doctor\`, and report it with the run's settings.`,
  );
}

/** [n, S, S, 3] bytes -> [n, 3, S, S] float32 */
function channelsFirst(pixels: Uint8Array, size: number): Float32Array {
  const area = size * size;
  const values = new Float32Array(pixels.length);
  for (let at = 0; at < pixels.length; at++) {
    const place = Math.floor(at / 3);
    const picture = Math.floor(place / area);
    values[(picture * 3 + (at % 3)) * area + (place % area)] = pixels[at];
  }
  return values;
}

/**
 * All outputs of a file for some pictures. The last batch is filled up with what was there before.
 * @param pixels [count, 3, size, size]
 */
async function runOnnx(
  bytes: Uint8Array,
  pixels: Float32Array,
  { count, size, batch }: { count: number; size: number; batch: number },
): Promise<Map<string, Float32Array>> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError('damaged', `The ONNX file was not kept: ONNX Runtime does not load it (${reason}).`, {
      cause: error,
    });
  }
  try {
    const found = new Map<string, number[]>(session.outputNames.map((name) => [name, []]));
    const each = 3 * size * size;
    const input = new Float32Array(batch * each);
    for (let start = 0; start < count; start += batch) {
      const part = pixels.subarray(start * each, (start + batch) * each);
      input.set(part);
      const results = await session.run({ image: new Tensor('float32', input, [batch, 3, size, size]) });
      for (const [name, values] of found) {
        const { data, dims } = results[name];
        const rows = Math.min(batch, count - start);
        if (data instanceof Float32Array) for (const value of data.subarray(0, rows * dims[1])) values.push(value);
      }
    }
    return new Map([...found].map(([name, values]) => [name, Float32Array.from(values)]));
  } finally {
    await session.release();
  }
}
