/** What the balanced branch sees, as a sheet of small pictures for people. */
import sharp from 'sharp';
import type { MixBatch } from './context-supply.ts';
import type { StreamBatch } from './stream.ts';

/** A batch as the balanced branch was shown it: with contexts laid over, where there were any. */
export interface ShownBatch {
  batch: StreamBatch;
  mix: MixBatch | null;
}

/** One picture of the sheet. */
export interface PreviewTile {
  /** Class of the picture, as a label. */
  label: number;
  /** Class of the context that is laid over it (`NO_CLASS`: none), and how strongly, 0 to 1; null without one. */
  contextLabel: number | null;
  lambda: number | null;
}

/** Survives JSON. */
export interface Preview {
  /** 0-based. */
  epoch: number;
  /** Steps from the start of the run. */
  step: number;
  /** Side of a tile, pixels. */
  size: number;
  columns: number;
  /** In rows from the top left. */
  tiles: PreviewTile[];
  /** The sheet as WebP, base64. */
  sheet: string;
}

const COLUMNS = 6;
/** Pictures on a sheet. */
export const MOST_TILES = 12;

/**
 * Mix the first pictures of a batch as the step does (`mixContexts`), on 8-bit pixels: normalising is linear, so that the
 * pictures are the very ones that the network is shown.
 * @param size side of a picture, pixels
 */
export async function makePreview(
  { batch, mix }: ShownBatch,
  size: number,
  at: { epoch: number; step: number },
): Promise<Preview> {
  const count = Math.min(MOST_TILES, batch.labels.length);
  const columns = Math.min(COLUMNS, count);
  const rows = Math.ceil(count / columns);
  const sheet = new Uint8Array(rows * columns * size * size * 3);
  const tiles: PreviewTile[] = [];
  for (let i = 0; i < count; i++) {
    const left = (i % columns) * size;
    const top = Math.floor(i / columns) * size;
    const picture = mixedPixels({ batch, mix }, i, size);
    for (let y = 0; y < size; y++) {
      const row = picture.subarray(y * size * 3, (y + 1) * size * 3);
      sheet.set(row, ((top + y) * columns * size + left) * 3);
    }
    tiles.push({
      label: batch.labels[i],
      contextLabel: mix ? mix.labels[i] : null,
      lambda: mix ? mix.lambda[i] : null,
    });
  }
  const raw = { width: columns * size, height: rows * size, channels: 3 } as const;
  const webp = await sharp(sheet, { raw }).webp({ quality: 85, effort: 2 }).toBuffer();
  return { ...at, size, columns, tiles, sheet: webp.toString('base64') };
}

/** Picture `i` of a batch with its context laid over: lambda·M·context + (1 - lambda·M)·picture. */
export function mixedPixels({ batch, mix }: ShownBatch, i: number, size: number): Uint8Array {
  const area = size * size;
  const picture = batch.pixels.slice(i * area * 3, (i + 1) * area * 3);
  if (mix === null) return picture;
  for (let j = 0; j < area * 3; j++) {
    const weight = mix.lambda[i] * mix.masks[i * area + Math.floor(j / 3)];
    picture[j] = Math.round(weight * mix.pixels[i * area * 3 + j] + (1 - weight) * picture[j]);
  }
  return picture;
}
