/** What the first bytes of a file say it is. */

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'bmp';

/** Bytes from the start of a file that `sniffFormat` and `otherFormat` look at. */
export const SNIFF_LENGTH = 32;

/** Sizes of the header that follows the first 14 bytes of a BMP file. */
const BMP_HEADERS = new Set([12, 40, 52, 56, 64, 108, 124]);

const starts = (bytes: Buffer, text: string, at = 0): boolean =>
  bytes.length >= at + text.length && bytes.toString('latin1', at, at + text.length) === text;

/** The image format that the first bytes belong to, or undefined when it is none that is read. */
export function sniffFormat(bytes: Buffer): ImageFormat | undefined {
  if (starts(bytes, '\xff\xd8\xff')) return 'jpeg';
  if (starts(bytes, '\x89PNG\r\n\x1a\n')) return 'png';
  if (starts(bytes, 'RIFF') && starts(bytes, 'WEBP', 8)) return 'webp';
  if (starts(bytes, 'GIF87a') || starts(bytes, 'GIF89a')) return 'gif';
  // Classic and big TIFF, little and big end first.
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => starts(bytes, magic))) return 'tiff';
  if (starts(bytes, 'BM') && bytes.length >= 18 && BMP_HEADERS.has(bytes.readUInt32LE(14))) return 'bmp';
  return undefined;
}

/** Colour components of a JPEG file, from its frame header: 1 grey, 3 colour, 4 CMYK; undefined where there is none. */
export function jpegComponents(bytes: Buffer): number | undefined {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      // Fill byte.
      at++;
      continue;
    }
    // C4, C8 and CC lie among the frame headers and are none.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return bytes[at + 9];
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** The name of a picture format that is not read, where the first bytes show one. */
export function otherFormat(bytes: Buffer): string | undefined {
  if (starts(bytes, 'ftyp', 4)) {
    if (starts(bytes, 'avi', 8)) return 'AVIF';
    if (['heic', 'heix', 'hevc', 'heim', 'heis', 'mif1', 'msf1'].some((brand) => starts(bytes, brand, 8)))
      return 'HEIC';
  }
  if (starts(bytes, '8BPS')) return 'Photoshop';
  if (starts(bytes, '\0\0\0\fjP  ')) return 'JPEG 2000';
  if (starts(bytes, '\xff\n') || starts(bytes, '\0\0\0\fJXL ')) return 'JPEG XL';
  if (starts(bytes, '<svg') || (starts(bytes, '<?xml') && bytes.includes('<svg'))) return 'SVG';
  return undefined;
}
