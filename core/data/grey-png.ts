/**
 * Small 8-bit grey PNG files, in this thread by Node's own zlib: the way through libvips costs many times as much as the
 * compression of a mask of a few thousand pixels.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { Size } from './geometry.ts';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** 8 bits, grey, and the one method there is of compression, filters, and rows in order. */
const FORM = [8, 0, 0, 0, 0];
const LEVEL = 6;

/** Pixels up to which it is worth it. */
export const SMALL = 128 * 128;

/** Encode without filters, which suit photographs. Equal pixels give equal bytes with the same version of zlib. */
export function encodeSmallGrey(data: Uint8Array, { width, height }: Size): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(FORM, 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let row = 0; row < height; row++) {
    rows.set(data.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const content = deflateSync(rows, { level: LEVEL });
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', content), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, content: Buffer): Buffer {
  const result = Buffer.alloc(12 + content.length);
  result.writeUInt32BE(content.length);
  result.write(type, 4, 'latin1');
  result.set(content, 8);
  result.writeUInt32BE(crc32(result.subarray(4, 8 + content.length)), 8 + content.length);
  return result;
}

/**
 * Decode a small file of the plainest form; undefined for any other, also a damaged one, which libvips then has its say
 * about.
 */
export function decodeSmallGrey(bytes: Buffer): (Size & { data: Uint8Array<ArrayBuffer> }) | undefined {
  if (bytes.length < 57 || !bytes.subarray(0, 8).equals(SIGNATURE)) return undefined;
  const parts: Buffer[] = [];
  let size: Size | undefined;
  let at = 8;
  for (;;) {
    if (at + 12 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length || crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return undefined;
    const type = bytes.toString('latin1', at + 4, at + 8);
    const content = bytes.subarray(at + 8, end - 4);
    at = end;
    if (type === 'IEND') break;
    if (type === 'IHDR' && length === 13 && FORM.every((value, i) => content[8 + i] === value)) {
      size = { width: content.readUInt32BE(0), height: content.readUInt32BE(4) };
    } else if (type === 'IDAT' && size) parts.push(content);
    else return undefined;
  }
  if (!size || size.width === 0 || size.width * size.height > SMALL) return undefined;
  const length = (size.width + 1) * size.height;
  try {
    const rows = inflateSync(Buffer.concat(parts), { maxOutputLength: length });
    return rows.length === length ? unfiltered(rows, size) : undefined;
  } catch {
    return undefined;
  }
}

function unfiltered(rows: Uint8Array, { width, height }: Size): (Size & { data: Uint8Array<ArrayBuffer> }) | undefined {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    if (filter > 4) return undefined;
    for (let x = 0; x < width; x++) {
      const to = y * width + x;
      const left = x > 0 ? data[to - 1] : 0;
      const above = y > 0 ? data[to - width] : 0;
      const corner = x > 0 && y > 0 ? data[to - width - 1] : 0;
      data[to] = rows[y * (width + 1) + 1 + x] + predicted(filter, left, above, corner);
    }
  }
  return { width, height, data };
}

/** What a filter of the standard predicts: none, left, above, their mean, Paeth. */
function predicted(filter: number, left: number, above: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    default: {
      const toLeft = Math.abs(above - corner);
      const toAbove = Math.abs(left - corner);
      const toCorner = Math.abs(left + above - 2 * corner);
      if (toLeft <= toAbove && toLeft <= toCorner) return left;
      return toAbove <= toCorner ? above : corner;
    }
  }
}
