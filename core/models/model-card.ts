/** What a model file says about itself, in its metadata entry "contexture". Knows nothing of TensorFlow. */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { METHODS, ModelConfig } from '../training/config.ts';

const Channels = z.tuple([z.number(), z.number(), z.number()]);

/** What a variant of a run changed in its head, after training. The head's tensors hold the change already. */
const VariantCard = z.strictObject({
  /** The head that was changed and answers; "mean": both were, and their mean logits answer. */
  head: z.enum(['uniform', 'balanced', 'mean']),
  /** "logit-adjustment": bias_k - tau * log(prior_k). "tau-norm": weight_k and bias_k over ||weight_k||^tau. */
  kind: z.enum(['logit-adjustment', 'tau-norm']),
  tau: z.number(),
  /** Whether one temperature was fitted, or one for each group of classes. */
  calibration: z.enum(['none', 'overall', 'group']),
  /**
   * In label order: probabilities are softmax(logits / temperature of the class with the largest logit). Decisions stay.
   * Null without calibration.
   */
  temperatures: z.array(z.number().positive()).nullable(),
});
export type VariantCard = z.infer<typeof VariantCard>;

export const ModelCard = z.strictObject({
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

/**
 * The card of a file.
 * @param metadata of the safetensors file
 * @param name the file's name for an error
 * @throws UserError 'damaged'
 */
export function readCard(metadata: Readonly<Record<string, string>>, name: string): ModelCard {
  try {
    return ModelCard.parse(JSON.parse(metadata.contexture ?? ''));
  } catch (error) {
    throw new UserError(
      'damaged',
      `${name} is not a Contexture model: its description is missing or of another version. Choose a model that Contexture wrote.`,
      { cause: error },
    );
  }
}
