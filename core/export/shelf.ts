/** Where pictures and masks at the size of the export lie for the next use. */
import { LRUCache } from 'lru-cache';
import type { Size } from '../data/geometry.ts';
import type { MaskReference, PlanItem } from './item.ts';

/** Pixels by `pictureKey` or `maskKey`; nobody writes to them. */
export interface Shelf {
  get(key: string): Uint8Array | undefined;
  set(key: string, pixels: Uint8Array): unknown;
}

/** A shelf that holds so many bytes; what was not used for longest goes first. */
export function boundedShelf(bytes: number): Shelf {
  return new LRUCache<string, Uint8Array>({
    maxSize: bytes,
    maxEntrySize: Math.ceil(bytes / 4),
    sizeCalculation: (pixels) => Math.max(1, pixels.length),
  });
}

/** Names a picture at a size by its content. */
export function pictureKey({ hash }: { hash: string }, { width, height }: Size): string {
  return `${hash} ${width} ${height}`;
}

/** Names a mask at a size by its content; null for a rectangle, which is used once, and for what covers all. */
export function maskKey(mask: MaskReference, { width, height }: Size): string | null {
  return mask.kind === 'version' ? `${mask.blob} ${width} ${height} mask` : null;
}

/** All that a picture is made of. */
export function keysOf({ source, crop, context, ...size }: PlanItem): string[] {
  const target = pictureKey(source, crop?.resized ?? size);
  if (!context) return [target];
  const { image, mask } = context;
  const { resized } = context.crop;
  return [target, pictureKey(image, resized), maskKey(mask, resized)].filter((key) => key !== null);
}
