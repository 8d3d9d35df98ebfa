/** Stored logits of a run, for figures, comparisons and variants without running the model again. */
import { UserError } from '../base/errors.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../base/safetensors.ts';
import type { Split } from '../storage/records.ts';

/** What a run answered for some images. */
export interface Answered {
  /** `ImageRecord.id` and true class of each image [n]. */
  imageIds: Int32Array;
  labels: Int32Array;
  /** [n, classes]. */
  uniform: Float32Array;
  /** [n, classes]; null where the method trains one head. */
  balanced: Float32Array | null;
}

/** Of the images that a run is judged on, and what else is kept. */
export interface Predictions extends Answered {
  split: Split;
  /** On the val split, where there is one beside a test split: what is chosen may be chosen here. */
  val: Answered | null;
  /** Training images and their mean p(true class) as seen in training [m]; NaN for one that was never drawn. */
  trainIds: Int32Array;
  trainConfidence: Float32Array;
}

function vector(dtype: 'I32' | 'F32', data: Int32Array | Float32Array): StoredTensor {
  return { dtype, shape: [data.length], data } as StoredTensor;
}

export function encodePredictions(predictions: Predictions): Uint8Array[] {
  const tensors: Record<string, StoredTensor> = {
    ...answeredTensors('', predictions),
    ...(predictions.val ? answeredTensors('val_', predictions.val) : {}),
    train_ids: vector('I32', predictions.trainIds),
    train_confidence: vector('F32', predictions.trainConfidence),
  };
  return encodeSafetensors(tensors, { split: predictions.split });
}

function answeredTensors(
  prefix: string,
  { imageIds, labels, uniform, balanced }: Answered,
): Record<string, StoredTensor> {
  return {
    [`${prefix}image_ids`]: vector('I32', imageIds),
    [`${prefix}labels`]: vector('I32', labels),
    [`${prefix}uniform`]: vector('F32', uniform),
    ...(balanced ? { [`${prefix}balanced`]: vector('F32', balanced) } : {}),
  };
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
  const answered = (prefix: string): Answered => ({
    imageIds: get(`${prefix}image_ids`, 'I32'),
    labels: get(`${prefix}labels`, 'I32'),
    uniform: get(`${prefix}uniform`, 'F32'),
    balanced: `${prefix}balanced` in tensors ? get(`${prefix}balanced`, 'F32') : null,
  });
  return {
    ...answered(''),
    split: metadata.split as Split,
    val: 'val_labels' in tensors ? answered('val_') : null,
    trainIds: get('train_ids', 'I32'),
    trainConfidence: get('train_confidence', 'F32'),
  };
}
