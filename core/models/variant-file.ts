/**
 * A variant's model file: that of its run with another head and another self-test, so that it proves itself like any other.
 * The trunk is copied as it is; nothing here needs TensorFlow.
 */
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../base/safetensors.ts';
import {
  changeLogits,
  headChange,
  logPrior,
  partsOf,
  weightNorms,
  type AdjustmentKind,
  type HeadChange,
  type Lever,
} from '../evaluation/adjustment.ts';
import { readCard, type VariantCard } from './model-card.ts';

type Tensors = Readonly<Record<string, StoredTensor>>;

/**
 * What tau acts on.
 * @param model bytes of the run's model file; asked for where the weights themselves are needed
 * @param name the file's name for an error
 * @throws UserError 'damaged'
 */
export function leverOf(
  kind: AdjustmentKind,
  trainCounts: readonly number[],
  model: () => Uint8Array,
  name: string,
): Lever {
  if (kind === 'logit-adjustment') return { kind, logPrior: logPrior(trainCounts) };
  const { tensors } = decodeSafetensors(model(), name);
  const norms = (head: 'uniform' | 'balanced'): Float64Array =>
    weightNorms(floats(tensors, `${head}.weight`, name), trainCounts.length);
  return { kind, norms: { uniform: norms('uniform'), balanced: norms('balanced') } };
}

/**
 * Lay out the model file of a variant: weights [features, classes] and bias of the heads it concerns, and their self-test.
 * Equal settings give equal bytes.
 * @param bytes the run's model file
 * @param name its name for an error
 * @throws UserError 'damaged'
 */
export function variantFile(bytes: Uint8Array, name: string, variant: VariantCard): Uint8Array[] {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const card = readCard(metadata, name);
  const lever = leverOf(variant.kind, card.trainCounts, () => bytes, name);
  const changed: Record<string, StoredTensor> = { ...tensors };
  for (const head of partsOf(variant.head)) {
    const change = headChange(lever, head, variant.tau);
    const onlyFactors: HeadChange = { ...change, offsets: change.offsets.map(() => 0) };
    for (const [tensor, of] of [
      [`${head}.weight`, onlyFactors],
      [`${head}.bias`, change],
      [`self_test.${head}`, change],
    ] as const) {
      const data = changeLogits(floats(tensors, tensor, name), of);
      changed[tensor] = { dtype: 'F32', shape: tensors[tensor].shape, data };
    }
  }
  return encodeSafetensors(changed, { contexture: canonicalJson({ ...card, variant }) });
}

function floats(tensors: Tensors, tensor: string, name: string): Float32Array {
  const stored = tensors[tensor];
  if (stored?.dtype === 'F32') return stored.data;
  throw new UserError('damaged', `${name} does not fit: its tensor ${tensor} is missing. Take a good copy of it.`);
}
