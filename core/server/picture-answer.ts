/** Answers that are a picture made of images of the project. */
import type { ImageRecord } from '../storage/records.ts';
import type { ServedProject } from './open-projects.ts';
import type { Service } from './service.ts';

/** Reads the files of images that the caller may see. */
export function readerOf(service: Service, { files }: ServedProject): (image: ImageRecord) => Promise<Buffer> {
  return (image) => files.read(image, (path) => service.access.check(path));
}

/** A PNG that is asked for anew each time: masks and files change. */
export function pictureAnswer(png: Uint8Array): Response {
  const headers = { 'content-type': 'image/png', 'cache-control': 'private, no-cache' };
  return new Response(new Uint8Array(png), { headers });
}
