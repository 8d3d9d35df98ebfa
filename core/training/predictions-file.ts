/** Stored logits of a run's evaluation split, for figures, comparisons and variants without running the model again. */
import { UserError } from '../base/errors.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../base/safetensors.ts';
import type { Split } from '../storage/records.ts';

export interface Predictions {
  split: Split;
  /** `ImageRecord.id` and true class of each image [n]. */
  imageIds: Int32Array;
  labels: Int32Array;
  /** [n, classes]. */
  uniform: Float32Array;
  /** [n, classes]; null where the method trains one head. */
  balanced: Float32Array | null;
  /** Training images and their mean p(true class) as seen in training [m]; NaN for one that was never drawn. */
  trainIds: Int32Array;
  trainConfidence: Float32Array;
}

function vector(dtype: 'I32' | 'F32', data: Int32Array | Float32Array): StoredTensor {
  return { dtype, shape: [data.length], data } as StoredTensor;
}

export function encodePredictions(predictions: Predictions): Uint8Array[] {
  const tensors: Record<string, StoredTensor> = {
    image_ids: vector('I32', predictions.imageIds),
    labels: vector('I32', predictions.labels),
    uniform: vector('F32', predictions.uniform),
    train_ids: vector('I32', predictions.trainIds),
    train_confidence: vector('F32', predictions.trainConfidence),
  };
  if (predictions.balanced) tensors.balanced = vector('F32', predictions.balanced);
  return encodeSafetensors(tensors, { split: predictions.split });
}

/** @throws UserError 'damaged' */
export function decodePredictions(bytes: Uint8Array, name: string): Predictions {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const get = <A extends Int32Array | Float32Array>(tensor: string, dtype: 'I32' | 'F32'): A => {
    const stored = tensors[tensor];
    if (stored?.dtype !== dtype) {
      throw new UserError(
        'damaged',
        `${name} does not hold a run's predictions: ${tensor} is missing. Train the run again.`,
      );
    }
    return stored.data as A;
  };
  return {
    split: metadata.split as Split,
    imageIds: get('image_ids', 'I32'),
    labels: get('labels', 'I32'),
    uniform: get('uniform', 'F32'),
    balanced: 'balanced' in tensors ? get('balanced', 'F32') : null,
    trainIds: get('train_ids', 'I32'),
    trainConfidence: get('train_confidence', 'F32'),
  };
}
