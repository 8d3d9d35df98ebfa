/** A foreground in front of lent contexts: what training and export make of a picture, and what becomes of the answers. */
import { binarize, mixPixels } from '../export/mix.ts';
import type { ExportRecipe } from '../export/recipe.ts';
import { predict } from '../evaluation/predictions.ts';
import type { MaskedPicture } from '../data/masked-picture.ts';

/** How a mask is used: as it is, or cut at a threshold; see `ExportRecipe`. */
export type SwapMask = ExportRecipe['mask'];

/**
 * Lay a context over a picture by the paste of the method (method.md 2.4), as an export of this size does to the byte.
 * Training mixes the same numbers without rounding them to whole grey levels.
 * @param target RGB, 3 bytes a pixel
 * @param lambda 0 to 1; 0 leaves the picture as it is
 * @returns RGB, as large as the picture
 */
export function swapPixels(
  target: Uint8Array,
  { pixels, mask }: MaskedPicture,
  lambda: number,
  form: SwapMask,
): Uint8Array {
  return mixPixels(target, pixels, form.kind === 'soft' ? mask : binarize(mask, form.threshold), lambda);
}

/** What one head says of one picture. */
export interface SwapAnswer {
  /** The class that it names, and how sure it is. */
  label: number;
  probability: number;
  /** Probability of the true class; null where the model does not know the class. */
  truth: number | null;
  /** It names another class than for the picture as it is. */
  changed: boolean;
}

/**
 * Answers to a picture as it is, and to what was made of it.
 * @param probabilities [n, classes]; the first row is of the picture as it is
 * @param truth label of the true class; null where the model does not know it
 * @returns one answer a row
 */
export function swapAnswers(probabilities: Float32Array, classes: number, truth: number | null): SwapAnswer[] {
  const labels = predict(probabilities, classes);
  return Array.from(labels, (label, row) => ({
    label,
    probability: rounded(probabilities[row * classes + label]),
    truth: truth === null ? null : rounded(probabilities[row * classes + truth]),
    changed: label !== labels[0],
  }));
}

/** Six digits say all that a float32 knows. */
const rounded = (value: number): number => Number(value.toPrecision(6));
