/** BMP files, which libvips does not read: decoded by NetSurf's libnsbmp (WebAssembly). */
import { decode } from '@cwasm/nsbmp';
import { UserError } from '../base/errors.ts';

/**
 * Decode a BMP file of any depth, packed or not.
 * @returns RGB, 3 bytes a pixel, rows from the top; an alpha channel is dropped
 * @throws UserError 'damaged'
 */
export function decodeBmp(bytes: Buffer): { width: number; height: number; data: Buffer } {
  let image;
  try {
    image = decode(bytes);
  } catch (error) {
    throw new UserError('damaged', 'the BMP file is damaged or of an unknown kind', { cause: error });
  }
  const pixels = image.width * image.height;
  const data = Buffer.allocUnsafe(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    data[3 * i] = image.data[4 * i];
    data[3 * i + 1] = image.data[4 * i + 1];
    data[3 * i + 2] = image.data[4 * i + 2];
  }
  return { width: image.width, height: image.height, data };
}
