/**
 * Whether a picture's file is all there, told from its structure without decoding a pixel.
 *
 * A look costs some microseconds for a small file and far less than a decode for a large one. "No" is a suspicion: the
 * caller decodes the file to be sure, since some writers leave out the end mark of a complete picture. WebP and GIF
 * need no look here: reading their header fails when they are cut.
 */
import { crc32 } from 'node:zlib';
import type { ImageFormat } from './formats.ts';

/** False when the structure of the file is broken or its end is missing. */
export function looksComplete(format: ImageFormat, bytes: Buffer): boolean {
  try {
    switch (format) {
      case 'jpeg':
        return walkJpeg(bytes);
      case 'png':
        return walkPng(bytes);
      case 'tiff':
        return tiffStripsFit(bytes);
      case 'bmp':
        return bmpPixelsFit(bytes);
      default:
        return true;
    }
  } catch (error) {
    // A structure that points beyond the end of the file.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * Walk the segments and scans of a JPEG (ITU T.81, annex B) to the first end-of-image mark.
 * @param onSegment is given each segment's mark, and where what it holds begins and how many bytes that is
 * @returns false when there is no end
 * @throws RangeError when a segment points beyond the end of the file
 */
export function walkJpeg(bytes: Buffer, onSegment?: (mark: number, at: number, length: number) => void): boolean {
  for (let at = 2; at < bytes.length;) {
    // Between segments, and after the coded data of a scan: the next mark that is neither stuffing nor a restart.
    at = bytes.indexOf(0xff, at);
    if (at < 0) return false;
    const mark = bytes[at + 1];
    if (mark === 0xd9) return true;
    if (mark === 0xff) {
      at += 1;
    } else if (mark === 0x00 || mark === 0x01 || (mark >= 0xd0 && mark <= 0xd8)) {
      at += 2;
    } else {
      const length = bytes.readUInt16BE(at + 2);
      onSegment?.(mark, at + 4, length - 2);
      at += 2 + length;
    }
  }
  return false;
}

/**
 * Walk the chunks of a PNG to the end chunk (PNG specification, section 5).
 * @param onChunk is given each chunk's type, and where what it holds begins and how many bytes that is
 * @returns false when a chunk has not the checksum that it says
 * @throws RangeError when a chunk points beyond the end of the file
 */
export function walkPng(bytes: Buffer, onChunk?: (type: string, at: number, length: number) => void): boolean {
  for (let at = 8; ;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (bytes.readUInt32BE(at + 8 + length) !== crc32(bytes.subarray(at + 4, at + 8 + length))) return false;
    onChunk?.(type, at + 8, length);
    if (type === 'IEND') return true;
    at += 12 + length;
  }
}

const TIFF_STRIP_OFFSETS = 273;
const TIFF_STRIP_COUNTS = 279;
const TIFF_TILE_OFFSETS = 324;
const TIFF_TILE_COUNTS = 325;

/** The strips or tiles of the first page lie inside the file (TIFF 6.0, section 2). Big TIFF is left to the decoder. */
function tiffStripsFit(bytes: Buffer): boolean {
  const little = bytes[0] === 0x49;
  const u16 = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if (u16(2) !== 42) return false;
  const directory = u32(4);
  const values = new Map<number, number[]>();
  for (let i = 0; i < u16(directory); i++) {
    const entry = directory + 2 + 12 * i;
    const tag = u16(entry);
    if (![TIFF_STRIP_OFFSETS, TIFF_STRIP_COUNTS, TIFF_TILE_OFFSETS, TIFF_TILE_COUNTS].includes(tag)) continue;
    const size = u16(entry + 2) === 3 ? 2 : 4;
    const count = u32(entry + 4);
    const start = size * count <= 4 ? entry + 8 : u32(entry + 8);
    if (start + size * count > bytes.length) return false;
    values.set(
      tag,
      Array.from({ length: count }, (_, k) => (size === 2 ? u16(start + 2 * k) : u32(start + 4 * k))),
    );
  }
  const offsets = values.get(TIFF_STRIP_OFFSETS) ?? values.get(TIFF_TILE_OFFSETS) ?? [];
  const counts = values.get(TIFF_STRIP_COUNTS) ?? values.get(TIFF_TILE_COUNTS) ?? [];
  return offsets.length > 0 && offsets.every((offset, i) => offset + (counts[i] ?? Infinity) <= bytes.length);
}

/** The rows of an uncompressed picture lie inside the file; run-length coded ones are left to the decoder. */
function bmpPixelsFit(bytes: Buffer): boolean {
  const start = bytes.readUInt32LE(10);
  const { width, height, bits } = bmpHeader(bytes);
  const compression = bytes.readUInt32LE(14) === 12 ? 0 : bytes.readUInt32LE(30);
  if (compression === 1 || compression === 2) return false;
  return start + Math.ceil((width * bits) / 32) * 4 * height <= bytes.length;
}

/** Width, height and bits a pixel from the header of a BMP file. @throws RangeError when the file is shorter than that */
export function bmpHeader(bytes: Buffer): { width: number; height: number; bits: number } {
  if (bytes.readUInt32LE(14) === 12) {
    return { width: bytes.readUInt16LE(18), height: bytes.readUInt16LE(20), bits: bytes.readUInt16LE(24) };
  }
  // A negative height says that the first row is the top one.
  return {
    width: bytes.readInt32LE(18),
    height: Math.abs(bytes.readInt32LE(22)),
    bits: bytes.readUInt16LE(28),
  };
}
