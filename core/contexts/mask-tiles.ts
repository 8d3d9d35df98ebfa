/**
 * A mask in tiles, so that a stroke on a large picture stores what it touched. Tiles are numbered by rows; those at the
 * right and lower border are smaller.
 */
import type { Region } from '../api/review.ts';
import type { GreyImage } from '../data/decode.ts';
import type { Size } from '../data/geometry.ts';

/** Side of a tile, pixels. */
export const TILE = 256;

/** Numbers of the tiles that a region touches. */
export function tilesTouched({ x, y, width, height }: Region, mask: Size): number[] {
  const columns = Math.ceil(mask.width / TILE);
  const tiles: number[] = [];
  for (let row = Math.floor(y / TILE); row * TILE < y + height; row++) {
    for (let column = Math.floor(x / TILE); column * TILE < x + width; column++) tiles.push(row * columns + column);
  }
  return tiles;
}

/** Where a tile lies. */
export function tileRegion(tile: number, { width, height }: Size): Region {
  const columns = Math.ceil(width / TILE);
  const x = (tile % columns) * TILE;
  const y = Math.floor(tile / columns) * TILE;
  return { x, y, width: Math.min(TILE, width - x), height: Math.min(TILE, height - y) };
}

/** A copy of the values of a region, by rows. */
export function cutRegion(mask: GreyImage, { x, y, width, height }: Region): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (y + row) * mask.width + x;
    values.set(mask.data.subarray(from, from + width), row * width);
  }
  return values;
}

/** Write the values of a region into a mask. */
export function putRegion(mask: GreyImage, { x, y, width, height }: Region, values: Uint8Array): void {
  for (let row = 0; row < height; row++) {
    mask.data.set(values.subarray(row * width, (row + 1) * width), (y + row) * mask.width + x);
  }
}

/** A tile as it will be when a region of the mask has other values. */
export function tileWith(mask: GreyImage, tile: number, region: Region, values: Uint8Array): Uint8Array<ArrayBuffer> {
  const place = tileRegion(tile, mask);
  const result = { width: place.width, height: place.height, data: cutRegion(mask, place) };
  const left = Math.max(place.x, region.x);
  const top = Math.max(place.y, region.y);
  const shared = {
    x: left,
    y: top,
    width: Math.min(place.x + place.width, region.x + region.width) - left,
    height: Math.min(place.y + place.height, region.y + region.height) - top,
  };
  const source = { width: region.width, height: region.height, data: values };
  const part = cutRegion(source, { ...shared, x: left - region.x, y: top - region.y });
  putRegion(result, { ...shared, x: left - place.x, y: top - place.y }, part);
  return result.data;
}
