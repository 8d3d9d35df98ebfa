/** A thread that cuts with OpenCV. */
import { serveThread } from '../base/thread-pool.ts';
import { decodeUpright } from '../data/decode.ts';
import type { GreyImage } from '../data/decode.ts';
import type { Region } from '../api/review.ts';
import { cv } from './opencv.ts';
import {
  everyNth,
  grabCutLabels,
  LABELS,
  maskFromLabels,
  maskPart,
  MOST_PIXELS_CUT,
  partAround,
  reducedPart,
} from './snap.ts';

export interface SnapOrder {
  /** The picture's file. */
  picture: Uint8Array;
  /** On its upright pixels, 255 = context. */
  mask: GreyImage;
  region: Region;
}

/** 8-bit values of the region by rows; null when it holds no border of the mask. */
export type SnapReply = Uint8Array<ArrayBuffer> | null;

/** Rounds of learning colours and cutting; more change little. */
const ROUNDS = 3;

serveThread(async ({ picture, mask, region }: SnapOrder): Promise<SnapReply> => {
  const part = partAround(region, mask);
  const step = Math.max(1, Math.ceil(Math.sqrt((part.width * part.height) / MOST_PIXELS_CUT)));
  const inside = { ...region, x: region.x - part.x, y: region.y - part.y };
  const whole = maskPart(mask, part);
  const labels = grabCutLabels(whole, inside);
  if (!labels) return null;
  const small = everyNth({ ...whole, data: labels }, step);
  // What was all there was of one kind may have been thin.
  const kinds = new Set(Array.from(small.data, (label) => label % 2));
  if (kinds.size < 2) return null;
  const pixels = reducedPart(await decodeUpright(Buffer.from(picture)), part, step);
  return maskFromLabels({ ...small, data: grabCut(pixels.data, small) }, step, inside);
});

/** Labels after the cut. @param rgb as many pixels as there are labels */
function grabCut(rgb: Uint8Array, { width, height, data }: GreyImage): Uint8Array {
  const image = new cv.Mat(height, width, cv.CV_8UC3);
  const labels = new cv.Mat(height, width, cv.CV_8UC1);
  const contextColours = new cv.Mat();
  const foregroundColours = new cv.Mat();
  try {
    image.data.set(rgb);
    labels.data.set(data);
    // The same picture and mask give the same cut.
    cv.setRNGSeed(LABELS.context);
    const rect = new cv.Rect(0, 0, width, height);
    cv.grabCut(image, labels, rect, contextColours, foregroundColours, ROUNDS, cv.GC_INIT_WITH_MASK);
    return Uint8Array.from(labels.data);
  } finally {
    for (const mat of [image, labels, contextColours, foregroundColours]) mat.delete();
  }
}
