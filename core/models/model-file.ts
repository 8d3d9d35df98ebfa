/**
 * A trained model in one file: safetensors with everything needed to use it elsewhere. Weights by name in TensorFlow's
 * layout (kernels [height, width, in, out], heads [features, classes]), running statistics, and in the metadata entry
 * "contexture" the labels, the preprocessing and where it comes from. A self-test batch with its logits lets any reader
 * check that it computes the same.
 */
import { canonicalJson } from '../base/json.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  fittingTensor,
  type StoredTensor,
  type TensorArrays,
  type TensorDtype,
} from '../base/safetensors.ts';
import { readCard, type ModelCard } from './model-card.ts';
import { Network } from './network.ts';

export type { ModelCard };

export interface SelfTest {
  /** [n, S, S, 3] 8-bit RGB, as read, before normalisation. */
  pixels: Uint8Array;
  /** [n, classes] of each head. */
  uniform: Float32Array;
  balanced: Float32Array;
}

export interface ModelFile {
  card: ModelCard;
  /** Flat vectors as `Network` lays them out. */
  weights: { trunk: Float32Array; balanced: Float32Array; statistics: Float32Array };
  selfTest: SelfTest;
}

const PARTS = ['trunk', 'balanced', 'statistics'] as const;

/** Lay out a model file; equal models give equal bytes. */
export function encodeModelFile({ card, weights, selfTest }: ModelFile): Uint8Array[] {
  const network = new Network(card.model, card.classes.length);
  const tensors: Record<string, StoredTensor> = {};
  for (const part of PARTS) {
    for (const { name, shape, values } of network[part].views(weights[part])) {
      tensors[name] = { dtype: 'F32', shape, data: values };
    }
  }
  const { inputSize: size } = card.preprocessing;
  const count = selfTest.uniform.length / card.classes.length;
  tensors['self_test.pixels'] = { dtype: 'U8', shape: [count, size, size, 3], data: selfTest.pixels };
  for (const head of ['uniform', 'balanced'] as const) {
    tensors[`self_test.${head}`] = { dtype: 'F32', shape: [count, card.classes.length], data: selfTest[head] };
  }
  return encodeSafetensors(tensors, { contexture: canonicalJson(card) });
}

/**
 * Read a model file.
 * @param name the file's name for an error
 * @throws UserError 'damaged' when it is not a model, or a tensor is missing or has the wrong shape (which one is said)
 */
export function decodeModelFile(bytes: Uint8Array, name: string): ModelFile {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const card = readCard(metadata, name);
  const array = <D extends TensorDtype>(tensor: string, dtype: D, shape: readonly number[]): TensorArrays[D] =>
    fittingTensor(tensors[tensor], { dtype, shape }, tensor, name).data as TensorArrays[D];
  const network = new Network(card.model, card.classes.length);
  const flat = (part: (typeof PARTS)[number]): Float32Array =>
    network[part].join(
      new Map(network[part].specs.map(({ name: tensor, shape }) => [tensor, array(tensor, 'F32', shape)])),
    );
  const { inputSize: size } = card.preprocessing;
  const count = tensors['self_test.pixels']?.shape[0] ?? 0;
  return {
    card,
    weights: { trunk: flat('trunk'), balanced: flat('balanced'), statistics: flat('statistics') },
    selfTest: {
      pixels: array('self_test.pixels', 'U8', [count, size, size, 3]),
      uniform: array('self_test.uniform', 'F32', [count, card.classes.length]),
      balanced: array('self_test.balanced', 'F32', [count, card.classes.length]),
    },
  };
}
