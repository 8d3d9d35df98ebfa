/** File and folder names as they are on disk: any bytes, any Unicode form, and some that are not ours to read. */
import { isUtf8 } from 'node:buffer';

/** A name, or a path with `/` between its parts, as text and, where the text is not exact, as bytes. */
export interface DiskName {
  /** For people and for keys. Bytes that are not UTF-8 read `\xE9`, so that different names stay different. */
  text: string;
  /** The exact bytes, only where they are not valid UTF-8. */
  bytes?: Buffer;
}

/** Read a name from disk. */
export function diskName(bytes: Buffer): DiskName {
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { text: escapeInvalid(bytes), bytes };
}

/** The bytes to hand to the system for a path. */
export function nameBytes(path: string, pathBytes?: Uint8Array | null): Buffer {
  return Buffer.from(pathBytes ?? Buffer.from(path, 'utf8'));
}

/** UTF-8 with every byte that does not belong to a valid sequence written as `\xHH`. */
function escapeInvalid(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const sequence = bytes.subarray(at, at + length);
    if (sequence.length === length && isUtf8(sequence)) {
      text += sequence.toString('utf8');
      at += length;
    } else {
      text += `\\x${lead.toString(16).toUpperCase().padStart(2, '0')}`;
      at += 1;
    }
  }
  return text;
}

/** Files and folders that systems and programs leave behind; no one means them as pictures. */
const SYSTEM_NAMES = new Set([
  '__macosx',
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  '$recycle.bin',
  'system volume information',
  'lost+found',
  '@eadir',
]);

/** Our own project files, which may lie beside the pictures; their folder is full of PNGs. */
const OWN_NAME = /\.contexture(\.files|\.lock|-wal|-shm|-journal)?$/i;

/** Why a file or folder of this name (no path) is skipped, or undefined when it is not. */
export function skipReason(name: string): 'hidden' | 'system' | 'own' | undefined {
  if (SYSTEM_NAMES.has(name.toLowerCase())) return 'system';
  if (OWN_NAME.test(name)) return 'own';
  return name.startsWith('.') ? 'hidden' : undefined;
}

/** Image formats that are read, with the endings their files usually have. */
export const FORMAT_EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  jpeg: ['jpg', 'jpeg', 'jpe', 'jfif'],
  png: ['png', 'apng'],
  webp: ['webp'],
  gif: ['gif'],
  tiff: ['tif', 'tiff'],
  bmp: ['bmp', 'dib'],
};

const IMAGE_EXTENSIONS = new Set(Object.values(FORMAT_EXTENSIONS).flat());

/** Pictures that a person would expect to see, in formats that are not read. */
const OTHER_IMAGE_EXTENSIONS = new Set(
  'heic heif avif svg jp2 jxl psd ico tga ppm pgm pnm exr hdr dng cr2 cr3 nef arw raw pcx'.split(' '),
);

/** The ending of a file name in lower case without the dot; "" where there is none. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : '';
}

/** What the ending promises: a picture that is read, one that is not, nothing (no ending), or something else. */
export function promisedKind(path: string): 'image' | 'other-image' | 'unnamed' | 'other' {
  const extension = extensionOf(path);
  if (extension === '') return 'unnamed';
  if (IMAGE_EXTENSIONS.has(extension)) return 'image';
  return OTHER_IMAGE_EXTENSIONS.has(extension) ? 'other-image' : 'other';
}

/** Order of paths as a walk through sorted folders meets them: by code units, part by part. */
export function comparePaths(a: string, b: string): number {
  const left = a.replaceAll('/', '\0');
  const right = b.replaceAll('/', '\0');
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What a skipped file or folder is listed as. */
export const SKIP_SENTENCES = {
  hidden: 'Hidden files and folders are not read.',
  system: 'Files and folders that the system keeps for itself are not read.',
  own: 'Files and folders of a Contexture project are not read.',
} as const;
