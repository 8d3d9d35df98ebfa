/** Photographs as a data set of files: crops of the pets pack, written once. */
import { existsSync, globSync, mkdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { mapOrdered } from '../../core/data/flow.ts';
import { unpack } from './packs.ts';

const TARGET = join(import.meta.dirname, '../../.cache/bench/photos');
/** Files for training, and for evaluation. */
const COUNTS = { train: 2000, test: 200 };
/** Sides in pixels; lying or standing. */
const SIDES = [200, 260] as const;

/** @returns a folder with train/CLASS/… and test/CLASS/…: JPEG files of 200 x 260 px, some 20 kB each */
export async function photoFiles(): Promise<string> {
  if (existsSync(TARGET)) return TARGET;
  const originals = globSync(join(unpack('pets-trimaps'), 'images/*/*.jpg')).toSorted();
  const random = Random.stream(1, 'photo files');
  const temporary = `${TARGET}.${process.pid}`;
  const orders = (['train', 'test'] as const).flatMap((split) =>
    Array.from({ length: COUNTS[split] }, (_, i) => {
      const from = originals[random.below(originals.length)];
      const [width, height] = random.below(2) === 1 ? SIDES : [SIDES[1], SIDES[0]];
      const label = basename(dirname(from));
      // Some are seen mirrored or closer, so that hardly two files are alike.
      return { from, to: join(temporary, split, label, `${i}.jpg`), width, height, flop: random.below(2) === 1 };
    }),
  );
  const write = async ({ from, to, width, height, flop }: (typeof orders)[number]): Promise<void> => {
    mkdirSync(dirname(to), { recursive: true });
    await sharp(from).flop(flop).resize(width, height, { fit: 'cover' }).jpeg({ quality: 90 }).toFile(to);
  };
  for await (const _ of mapOrdered(orders, availableParallelism() * 2, write));
  renameSync(temporary, TARGET);
  return TARGET;
}
