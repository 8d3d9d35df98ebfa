/** The trimaps of the pets pack: what is animal, what is background, and the border that nobody is asked about. */
import sharp from 'sharp';

/** Labels of a trimap. */
export const ANIMAL = 1;
export const BACKGROUND = 2;
export const BORDER = 3;

export interface Trimap {
  readonly width: number;
  readonly height: number;
  /** By rows, one of the three above. */
  readonly labels: Uint8Array<ArrayBuffer>;
}

/** @param file PNG of the pack, of the photograph's size */
export async function trimapOf(file: string): Promise<Trimap> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return { width, height, labels: Uint8Array.from({ length: width * height }, (_, i) => data[i * channels]) };
}

/** Intersection over union of what is named context and the background, border pixels left out on both sides. */
export function contextIou({ labels }: Trimap, isContext: (i: number) => boolean): number {
  let both = 0;
  let either = 0;
  for (const [i, label] of labels.entries()) {
    if (label === BORDER) continue;
    const truth = label === BACKGROUND;
    const named = isContext(i);
    if (truth && named) both++;
    if (truth || named) either++;
  }
  return either === 0 ? 1 : both / either;
}
