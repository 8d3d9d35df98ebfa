/** How a picture becomes the input of a model, in words and numbers for other programs. */
import type { ModelCard } from '../models/model-card.ts';

type Preprocessed = Pick<ModelCard, 'preprocessing'>;

/** Pixels that the shorter side of a picture is resized to, before the centre is cut out. */
export function resizedSide({ preprocessing: { inputSize, enlarge } }: Preprocessed): number {
  return Math.round(inputSize * enlarge);
}

/** For the ONNX file, which normalises the pixels itself. */
export function preprocessingText(card: Preprocessed): string {
  const { inputSize: size } = card.preprocessing;
  return (
    `Turn the picture upright (EXIF), convert it to RGB, resize its shorter side to ${resizedSide(card)} pixels ` +
    `(linearly, with antialiasing), cut out the centre of ${size} x ${size}, and give values 0 to 255 as float32 ` +
    `[N, 3, ${size}, ${size}]; the ONNX file normalises them itself.`
  );
}
