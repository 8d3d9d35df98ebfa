/** Many small JPEGs for measurements, each of its own content; made once and kept in `.cache/bench`. */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { mapOrdered } from '../../core/data/flow.ts';

const FOLDER = join(import.meta.dirname, '../../.cache/bench');
const SIDE = 32;
/** Side of the random pixels that are smoothed into a picture: about a kilobyte a file. */
const GRAIN = 8;
const EACH_CLASS = 1000;
const QUALITY = 85;

/**
 * A folder of class folders with so many JPEGs of 32 x 32 pixels. Trees of other sizes share their files by hard links.
 * @returns its absolute path
 */
export async function smallJpegs(count: number): Promise<string> {
  const tree = join(FOLDER, `jpegs-${count}`);
  if (existsSync(tree)) return tree;
  console.error(`making ${count} small JPEGs in ${tree}`);
  const pool = join(FOLDER, 'jpegs');
  const part = `${tree}.part`;
  rmSync(part, { recursive: true, force: true });
  for (let first = 0; first < count; first += EACH_CLASS) {
    for (const root of [pool, part]) mkdirSync(join(root, className(first)), { recursive: true });
  }
  const indices = Array.from({ length: count }, (_, index) => index);
  for await (const name of mapOrdered(indices, 16, (index) => keepPicture(pool, index))) {
    linkSync(join(pool, name), join(part, name));
  }
  renameSync(part, tree);
  return tree;
}

const className = (index: number): string => `class ${String(Math.floor(index / EACH_CLASS)).padStart(4, '0')}`;

/** @returns the picture's path in the pool */
async function keepPicture(pool: string, index: number): Promise<string> {
  const name = join(className(index), `${index}.jpg`);
  if (existsSync(join(pool, name))) return name;
  const random = Random.stream(index, 'small-jpegs');
  const grain = Uint8Array.from({ length: GRAIN * GRAIN * 3 }, () => random.below(256));
  const bytes = await sharp(grain, { raw: { width: GRAIN, height: GRAIN, channels: 3 } })
    .resize(SIDE, SIDE, { kernel: 'cubic' })
    .jpeg({ quality: QUALITY })
    .toBuffer();
  writeFileSync(join(pool, name), bytes);
  return name;
}
