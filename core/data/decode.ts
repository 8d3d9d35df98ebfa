/**
 * From a file's bytes to pixels, the same way everywhere: training, contexts, export, prediction.
 *
 * The result is 8-bit RGB, upright (EXIF orientation applied), first frame or page. Like PIL's `convert('RGB')`, which
 * other trainers use, alpha is dropped rather than blended, grey is repeated, and embedded colour profiles are ignored
 * (except for CMYK, which means nothing without one). 16 bits keep their upper 8. A picture that has the asked size
 * already comes out exactly as it is in the file; otherwise it is resampled linearly with antialiasing. Same bytes,
 * same version, same pixels.
 */
import sharp, { type Metadata, type Sharp } from 'sharp';
import { UserError } from '../base/errors.ts';
import { decodeBmp } from './bmp.ts';
import { jpegComponents, sniffFormat } from './formats.ts';
import { coverCrop, MOST_PIXELS, type Anchor, type Size } from './geometry.ts';
import { decodeSmallGrey, encodeSmallGrey, SMALL } from './grey-png.ts';
import type { Box } from './resample.ts';

/** Changes whenever the same bytes could give other pixels; part of every cache key. */
export const DECODER_VERSION = `1 vips ${sharp.versions.vips}`;

// One thread a picture: many pictures at once use the cores better. No cache: no picture is decoded twice.
sharp.concurrency(1);
sharp.cache(false);

export interface RgbImage extends Size {
  /** RGB, 3 bytes a pixel, rows from the top. */
  data: Uint8Array;
}

export interface GreyImage extends Size {
  /** One byte a pixel, rows from the top. */
  data: Uint8Array;
}

export interface Target extends Size {
  /** `cover`: keep the shape, cut what is over (see `coverCrop`). `fill`: stretch. */
  fit: 'cover' | 'fill';
  /** Where `cover` cuts; the centre by default. */
  anchor?: Anchor;
  /** `cover` with a margin: the picture is so many times larger than it need be before the cut. */
  enlarge?: number;
}

const RESIZE = { fit: 'fill', kernel: 'linear' } as const;

/**
 * Decode a picture at its own size.
 * @throws UserError 'damaged', as half a sentence, when it cannot be decoded
 */
export async function decodeUpright(bytes: Buffer): Promise<RgbImage> {
  return toRgb(await openPicture(bytes));
}

/**
 * Decode a picture at a given size.
 * @param upright its upright size where that is known (`ImageRecord`); saves a look at the header
 * @returns target.height x target.width x 3 bytes
 * @throws UserError 'damaged', as half a sentence, when it cannot be decoded
 */
export async function decodeRgb(bytes: Buffer, target: Target, upright?: Size): Promise<Uint8Array> {
  if (upright && sameSize(upright, target) && (target.enlarge ?? 1) === 1) {
    const image = await decodeUpright(bytes);
    if (sameSize(image, target)) return image.data;
    throw new UserError('damaged', `the picture is ${image.width} x ${image.height}, not as it was imported`);
  }
  const picture = await openPicture(bytes);
  // A JPEG has no alpha.
  const header = upright && sniffFormat(bytes) === 'jpeg' ? { ...upright, hasAlpha: false } : await describe(picture);
  // Resampling weighs colours by alpha, which PIL does not: drop it first.
  const flat = header.hasAlpha ? fromRgb(await toRgb(picture)) : picture;
  return (await toRgb(resample(flat, header, target))).data;
}

/** Times that a JPEG decoder can shrink a picture by at once, most first. */
const SHRINKS = [8, 4, 2];

/**
 * Decode the part of a picture that a box covers. A JPEG of far more pixels than are needed is decoded at a half, a
 * quarter or an eighth of its size, which is cheaper.
 * @param upright its upright size
 * @param box in upright pixels
 * @param size pixels that are needed of the box, each way
 * @returns the part in whole pixels, and where the box lies in it
 * @throws UserError 'damaged', as half a sentence, when it cannot be decoded or is of another size
 */
export async function decodePart(
  bytes: Buffer,
  upright: Size,
  box: Box,
  size: number,
): Promise<{ part: RgbImage; box: Box }> {
  const shrinks = sniffFormat(bytes) === 'jpeg' ? SHRINKS : [];
  const shrink = shrinks.find((times) => Math.min(box.width, box.height) >= times * size) ?? 1;
  const whole = { width: Math.floor(upright.width / shrink), height: Math.floor(upright.height / shrink) };
  const [x, y] = [whole.width / upright.width, whole.height / upright.height];
  const scaled = { left: box.left * x, top: box.top * y, width: box.width * x, height: box.height * y };
  const left = Math.floor(scaled.left);
  const top = Math.floor(scaled.top);
  const picture = await openPicture(bytes);
  const resized = shrink === 1 ? picture : picture.resize(whole.width, whole.height, RESIZE);
  const part = await toRgb(
    resized.extract({
      left,
      top,
      width: Math.min(whole.width, Math.ceil(scaled.left + scaled.width)) - left,
      height: Math.min(whole.height, Math.ceil(scaled.top + scaled.height)) - top,
    }),
  );
  return { part, box: { ...scaled, left: scaled.left - left, top: scaled.top - top } };
}

/**
 * Bring a mask to a given size by the very steps that `decodeRgb` takes for its picture.
 * @param mask on the picture's upright pixel grid
 * @returns target.height x target.width bytes
 */
export async function resizeGrey(mask: GreyImage, target: Target): Promise<Uint8Array> {
  if (sameSize(mask, target) && (target.enlarge ?? 1) === 1) return mask.data;
  const { width, height } = mask;
  return toGrey(resample(sharp(mask.data, { raw: { width, height, channels: 1 } }), mask, target));
}

/**
 * Decode an 8-bit grey PNG, such as a mask or a saliency map.
 * @throws UserError 'damaged' when it is none
 */
export async function decodeGrey(bytes: Buffer): Promise<GreyImage> {
  const small = decodeSmallGrey(bytes);
  if (small) return small;
  const picture = await openPicture(bytes);
  const { width, height } = await describe(picture);
  return { width, height, data: await toGrey(picture) };
}

/** Encode as 8-bit grey PNG; the same pixels give the same bytes. */
export async function encodeGrey({ width, height, data }: GreyImage): Promise<Buffer> {
  if (width * height <= SMALL) return encodeSmallGrey(data, { width, height });
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/**
 * A picture ready to be read by libvips.
 * @param options.keepProfile apply the embedded colour profile, for the eye
 * @throws UserError 'damaged' when it is no picture
 */
export async function openPicture(bytes: Buffer, options: { keepProfile?: boolean } = {}): Promise<Sharp> {
  const format = sniffFormat(bytes);
  if (!format) throw new UserError('damaged', 'it is not a picture of a format that is read');
  if (format === 'bmp') return fromRgb(decodeBmp(bytes));
  // Missing data is an error; a blemish that every other decoder passes over (a warning) is not.
  const open = (ignoreIcc: boolean): Sharp =>
    sharp(bytes, { ignoreIcc, failOn: 'error', limitInputPixels: MOST_PIXELS }).autoOrient();
  if (options.keepProfile) return open(false);
  if (format === 'jpeg') return open(jpegComponents(bytes) !== 4);
  return open(format !== 'tiff' || (await metadata(open(true))).space !== 'cmyk');
}

const sameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

const fromRgb = ({ width, height, data }: RgbImage): Sharp =>
  sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: MOST_PIXELS });

/** Upright size and whether there is alpha, from the header. */
async function describe(picture: Sharp): Promise<Size & { hasAlpha: boolean }> {
  const { autoOrient, hasAlpha } = await metadata(picture);
  return { width: autoOrient.width, height: autoOrient.height, hasAlpha: hasAlpha ?? false };
}

const metadata = (picture: Sharp): Promise<Metadata> => orDamaged(picture.metadata());

function resample(picture: Sharp, from: Size, { width, height, fit, anchor, enlarge }: Target): Sharp {
  if (fit === 'fill') return picture.resize(width, height, RESIZE);
  const { resized, left, top } = coverCrop(from, { width, height }, anchor, enlarge);
  const whole = sameSize(resized, from) ? picture : picture.resize(resized.width, resized.height, RESIZE);
  return sameSize(resized, { width, height }) ? whole : whole.extract({ left, top, width, height });
}

async function toRgb(picture: Sharp): Promise<RgbImage> {
  const raw = picture.toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const { data, info } = await orDamaged(raw);
  if (info.channels !== 3) throw new Error(`expected 3 channels, got ${info.channels}`);
  return { width: info.width, height: info.height, data };
}

async function toGrey(picture: Sharp): Promise<Uint8Array> {
  const raw = picture.removeAlpha().toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  const { data, info } = await orDamaged(raw);
  if (info.channels !== 1) throw new Error(`expected 1 channel, got ${info.channels}`);
  return data;
}

/** Whatever libvips says about a file's content is the file's fault. */
async function orDamaged<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError('damaged', `the picture cannot be decoded (${why})`, { cause: error });
  }
}
