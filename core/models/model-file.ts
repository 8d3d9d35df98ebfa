/**
 * A trained model in one file: safetensors with everything needed to use it elsewhere. Weights by name in TensorFlow's
 * layout (kernels [height, width, in, out], heads [features, classes]), running statistics, and in the metadata entry
 * "contexture" the labels, the preprocessing and where it comes from. A self-test batch with its logits lets any reader
 * check that it computes the same.
 */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../base/safetensors.ts';
import { METHODS, ModelConfig } from '../training/config.ts';
import { Network } from './network.ts';

const Channels = z.tuple([z.number(), z.number(), z.number()]);

/** What a variant of a run changed in its head, after training. The head's tensors hold the change already. */
const VariantCard = z.strictObject({
  /** The head that was changed and answers; "mean": both were, and their mean logits answer. */
  head: z.enum(['uniform', 'balanced', 'mean']),
  /** "logit-adjustment": bias_k - tau * log(prior_k). "tau-norm": weight_k and bias_k over ||weight_k||^tau. */
  kind: z.enum(['logit-adjustment', 'tau-norm']),
  tau: z.number().min(0),
  /** Whether one temperature was fitted, or one for each group of classes. */
  calibration: z.enum(['none', 'overall', 'group']),
  /**
   * In label order: probabilities are softmax(logits / temperature of the class with the largest logit). Decisions stay.
   * Null without calibration.
   */
  temperatures: z.array(z.number().positive()).nullable(),
});
export type VariantCard = z.infer<typeof VariantCard>;

const ModelCard = z.strictObject({
  format: z.literal('contexture model 1'),
  model: ModelConfig,
  method: z.enum(METHODS),
  /** The head that the method is judged by. */
  head: z.enum(['uniform', 'balanced']),
  /** Class names in label order. */
  classes: z.array(z.string()),
  /** Training images of each class. */
  trainCounts: z.array(z.int()),
  preprocessing: z.strictObject({
    /** Side of the square input, pixels. */
    inputSize: z.int(),
    /** Upright (EXIF applied) RGB, shorter side resized to inputSize, centre crop, (value / 255 - mean) / deviation. */
    resize: z.literal('cover-crop'),
    /** The shorter side is resized to so many times inputSize: 256 / 224 where training saw random parts. */
    enlarge: z.number().min(1).default(1),
    mean: Channels,
    deviation: Channels,
  }),
  datasetHash: z.string(),
  seed: z.int(),
  epochs: z.int(),
  codeVersion: z.string(),
  /** Null for the model as it was trained. */
  variant: VariantCard.nullable().default(null),
});
export type ModelCard = z.infer<typeof ModelCard>;

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
  let card: ModelCard;
  try {
    card = ModelCard.parse(JSON.parse(metadata.contexture ?? ''));
  } catch (error) {
    throw new UserError(
      'damaged',
      `${name} is not a Contexture model: its description is missing or of another version. Choose a model that Contexture wrote.`,
      { cause: error },
    );
  }
  const array = <A extends Float32Array | Uint8Array>(
    tensor: string,
    dtype: 'F32' | 'U8',
    shape: readonly number[],
  ): A => {
    const stored = tensors[tensor];
    if (stored?.dtype !== dtype || stored.shape.join() !== shape.join()) {
      const found = stored ? `${stored.dtype} [${stored.shape.join(', ')}]` : 'not there';
      throw new UserError(
        'damaged',
        `${name} does not fit: its tensor ${tensor} should be ${dtype} [${shape.join(', ')}] and is ${found}. Take a good copy of it.`,
      );
    }
    return stored.data as A;
  };
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
