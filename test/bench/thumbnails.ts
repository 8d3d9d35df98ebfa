/**
 * Thumbnails of photos, made and kept, against sharp alone at its best setting: four pictures in flight with one vips
 * thread each, the same size, format and quality, checked against nothing and written straight to their files.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { mapOrdered } from '../../core/data/flow.ts';
import { Thumbnails } from '../../core/data/thumbnails.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { unpack } from './packs.ts';
import { runPairs } from './pairs.ts';

const SIZE = 160;
const PEER_IN_FLIGHT = 4;
/** Requests of a page that scrolls. */
const ASKED_AT_ONCE = 64;

interface Photo {
  path: string;
  hash: string;
}

export async function thumbnailsBench({ pictures = 1000, pairs = 5 }): Promise<object> {
  sharp.concurrency(1);
  sharp.cache(false);
  const photos = photosOf(join(unpack('pets-trimaps'), 'images')).slice(0, pictures);
  let bytes = 0;
  const result = await runPairs({
    name: 'thumbnails',
    unit: 'images/s',
    greaterIsBetter: true,
    versions: { node: process.version, sharp: sharp.versions.sharp!, vips: sharp.versions.vips },
    pairs,
    ours: () =>
      rate(photos, ASKED_AT_ONCE, (folder) => {
        const thumbnails = new Thumbnails(folder);
        return async ({ path, hash }) => {
          bytes += (await thumbnails.get({ path, hash }, () => readFile(path), { size: SIZE })).length;
        };
      }),
    peer: () =>
      rate(photos, PEER_IN_FLIGHT, (folder) => async ({ path, hash }) => {
        await sharp(path)
          .autoOrient()
          .resize(SIZE, SIZE, { fit: 'inside', withoutEnlargement: true })
          .webp({ quality: 82 })
          .toFile(join(folder, `${hash}.webp`));
      }),
  });
  if (bytes === 0) throw new Error('no thumbnail was made');
  return { ...result, pictures: photos.length, size: SIZE };
}

/** Pictures a second. */
async function rate(
  photos: readonly Photo[],
  atOnce: number,
  prepare: (folder: string) => (photo: Photo) => Promise<void>,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-bench-'));
  try {
    await mkdir(folder, { recursive: true });
    const make = prepare(folder);
    const started = performance.now();
    for await (const _ of mapOrdered(photos, atOnce, make));
    return (photos.length * 1000) / (performance.now() - started);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function photosOf(folder: string): Photo[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jpg'))
    .toSorted()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ path, hash: sha256(readFileSync(path)) }));
}
