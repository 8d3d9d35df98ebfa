/**
 * Facts of the plainest JPEG and PNG files, read without libvips: asking that for a header costs more than reading and
 * hashing a small file. Whatever is not entirely regular is left to it; so where there is an answer here, it is the same.
 */
import { walkJpeg, walkPng } from './completeness.ts';
import type { ImageFormat } from './formats.ts';
import type { ImageFacts } from './inspect.ts';

/** Longest side of a JPEG that the library which everybody uses reads. */
const LONGEST_JPEG_SIDE = 65_500;

/**
 * @param bytes the whole file
 * @returns undefined when the file is not complete, not well formed, or has something that needs a closer look: an EXIF
 *   orientation, an unusual coding, a text or transparency chunk
 */
export function plainFacts(format: ImageFormat, bytes: Buffer): ImageFacts | undefined {
  try {
    const size = format === 'jpeg' ? plainJpeg(bytes) : format === 'png' ? plainPng(bytes) : undefined;
    return size && { format, ...size, orientation: 1, frames: 1, plainDepth: true };
  } catch (error) {
    // A structure that points beyond the end of the file.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

type Size = Pick<ImageFacts, 'width' | 'height'>;

/** Baseline, extended or progressive Huffman coding, 8 bits, grey or three channels (ITU T.81, annex B). */
function plainJpeg(bytes: Buffer): Size | undefined {
  let size: Size | undefined;
  let components: number[] = [];
  let scans = 0;
  let regular = true;
  const ended = walkJpeg(bytes, (mark, at, length) => {
    if (mark >= 0xc0 && mark <= 0xc2) {
      const count = bytes[at + 5];
      regular &&= size === undefined && bytes[at] === 8 && (count === 1 || count === 3) && length === 6 + 3 * count;
      components = idsOf(bytes, at + 6, count, 3);
      regular &&= new Set(components).size === count;
      for (let i = 0; i < count; i++) {
        const factors = bytes[at + 7 + 3 * i];
        regular &&= isFactor(factors >> 4) && isFactor(factors & 15);
      }
      size = { height: bytes.readUInt16BE(at + 1), width: bytes.readUInt16BE(at + 3) };
    } else if (mark === 0xda) {
      const count = bytes[at];
      const scanned = idsOf(bytes, at + 1, count, 2);
      regular &&= count >= 1 && count <= 3 && length === 4 + 2 * count && new Set(scanned).size === count;
      regular &&= scanned.every((id) => components.includes(id));
      scans += 1;
    } else if (mark === 0xc4) {
      regular &&= huffmanTablesFit(bytes, at, at + length);
    } else if (mark === 0xdb) {
      regular &&= quantisationTablesFit(bytes, at, at + length);
    } else if (mark === 0xdd) {
      regular &&= length === 2;
    } else if (mark === 0xe1) {
      regular &&= bytes.toString('latin1', at, at + 4) !== 'Exif';
    } else {
      // Other notes of programs, and comments.
      regular &&= mark === 0xfe || (mark >= 0xe0 && mark <= 0xef);
    }
  });
  if (!ended || !regular || scans === 0 || size === undefined) return undefined;
  return Math.min(size.width, size.height) >= 1 && Math.max(size.width, size.height) <= LONGEST_JPEG_SIDE
    ? size
    : undefined;
}

/** Ids of a frame's or a scan's components, `step` bytes apart. */
const idsOf = (bytes: Buffer, start: number, count: number, step: number): number[] =>
  Array.from({ length: count }, (_, i) => bytes[start + step * i]);

const isFactor = (value: number): boolean => value >= 1 && value <= 4;

function huffmanTablesFit(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (at + 17 > end || bytes[at] >> 4 > 1 || (bytes[at] & 15) > 3) return false;
    let codes = 0;
    for (let i = at + 1; i <= at + 16; i++) codes += bytes[i];
    if (codes > 256) return false;
    at += 17 + codes;
  }
  return at === end;
}

function quantisationTablesFit(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (bytes[at] >> 4 > 1 || (bytes[at] & 15) > 3) return false;
    at += 1 + 64 * (1 + (bytes[at] >> 4));
  }
  return at === end;
}

/** Chunks that say nothing which an import wants to know, in an order that is allowed. */
const PLAIN_CHUNKS = /^IHDR (gAMA |cHRM |sRGB |pHYs )*(PLTE )?(pHYs )?(IDAT )+(tIME )?IEND $/;
const CHUNK_LENGTHS: Readonly<Record<string, number>> = {
  IHDR: 13,
  gAMA: 4,
  cHRM: 32,
  sRGB: 1,
  pHYs: 9,
  tIME: 7,
  IEND: 0,
};

/** Bits a value that each colour type may have (PNG specification, section 11.2.2). */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Any colour type and depth, without chunks that need a reader of their own. */
function plainPng(bytes: Buffer): Size | undefined {
  let regular = true;
  let chunks = '';
  let palette = 0;
  const ended = walkPng(bytes, (type, _at, length) => {
    if (type === 'PLTE') {
      palette = length / 3;
    } else if (type !== 'IDAT') {
      regular &&= length === CHUNK_LENGTHS[type];
    }
    if (type !== 'IDAT' || !chunks.endsWith('IDAT ')) chunks += `${type} `;
  });
  if (!ended || !regular || !PLAIN_CHUNKS.test(chunks)) return undefined;
  const [depth, colour, compression, filter, interlace] = bytes.subarray(24, 29);
  if (!DEPTHS[colour]?.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1) return undefined;
  const paletteFits = colour === 3 ? palette >= 1 && palette <= 2 ** depth : palette === 0;
  if (!paletteFits || !Number.isInteger(palette)) return undefined;
  const size = { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  return Math.min(size.width, size.height) >= 1 ? size : undefined;
}
