/** How one picture is shown once: a plain description, drawn in order, and the pixels that follow from it. */
import type { Random } from '../base/random.ts';
import { decodePart, decodeRgb } from '../data/decode.ts';
import type { Size } from '../data/geometry.ts';
import { resampleBox, type Box } from '../data/resample.ts';
import { applyJitter, drawJitter, type Jitter } from './color-jitter.ts';
import { cropInto, drawCrop, MIRRORED, padding, WHOLE, type AugmentConfig, type Crop } from './preprocessing.ts';
import { drawResizedCrop } from './resized-crop.ts';

/** `cover`: the whole picture, centre cut out, then padded and cropped. `part`: a box of it, resized. */
export type View = { kind: 'cover'; enlarge: number; pad: number; crop: Crop } | ({ kind: 'part' } & PartView);

export interface PartView {
  /** In pixels of the upright picture. */
  box: Box;
  flip: boolean;
  jitter: Jitter;
}

/** What evaluation is shown. @param enlarge `evaluationMargin` of the run */
export const plainView = (enlarge: number, mirrored = false): View => {
  return { kind: 'cover', enlarge, pad: 0, crop: mirrored ? MIRRORED : WHOLE };
};

/** Draw a random part. @param upright size of the picture */
export function drawPart(random: Random, augment: AugmentConfig, upright: Size): PartView {
  const box = drawResizedCrop(random, upright, augment.leastArea);
  const flip = random.below(2) === 1 && augment.flip;
  return { box, flip, jitter: augment.jitter > 0 ? drawJitter(random, augment.jitter) : [] };
}

/** Draw what training is shown. @param size side of the network input */
export function drawView(random: Random, augment: AugmentConfig, upright: Size, size: number): View {
  if (augment.crop === 'resized') return { kind: 'part', ...drawPart(random, augment, upright) };
  return { kind: 'cover', enlarge: 1, pad: padding(augment, size), crop: drawCrop(random, augment, size) };
}

/**
 * Decode a picture as a view has it.
 * @param upright its upright size
 * @param out [size, size, 3], overwritten
 * @throws UserError 'damaged', as half a sentence, when it cannot be decoded
 */
export async function showView(bytes: Buffer, upright: Size, view: View, size: number, out: Uint8Array): Promise<void> {
  if (view.kind === 'cover') {
    const target = { width: size, height: size, fit: 'cover', enlarge: view.enlarge } as const;
    cropInto(await decodeRgb(bytes, target, upright), out, size, 3, view.pad, view.crop);
    return;
  }
  const { part, box } = await decodePart(bytes, upright, view.box, size);
  resampleBox({ ...part, channels: 3 }, box, size, out, view.flip);
  applyJitter(out, view.jitter);
}
