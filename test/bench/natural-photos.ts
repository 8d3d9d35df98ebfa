/**
 * A folder as Caltech-101 is one, and what such folders hold that a tidy one does not: 102 class folders with a natural
 * tail and no split, BACKGROUND_Google (clutter of every kind), Faces and Faces_easy (near twins), grey and CMYK JPEGs,
 * pictures that lie on their side with an EXIF note of it, sides from 80 to 3,000 px, a README, a damaged and an empty
 * file. A stand-in: pictures are those of CIFAR-100 (clutter: CIFAR-10), enlarged, and photographs of the pets pack.
 */
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { mapOrdered } from '../../core/data/flow.ts';
import { unpack } from './packs.ts';

/** The rarest class has so many; the others follow a power of their rank. */
const FEWEST = 31;
const MOST = 800;
const EXPONENT = 0.9;
/** Classes from CIFAR-100; with the twins and the clutter 102 folders. */
const CIFAR_CLASSES = 99;
const TWINS = { Faces: 'whole', Faces_easy: 'close' } as const;
const CLUTTER = 'BACKGROUND_Google';
/** Longer side, pixels, and of how many of a hundred pictures. */
const LONGER_SIDES = [
  [300, 96],
  [80, 98],
  [1200, 99.7],
  [3000, 100],
] as const;
/** Of a hundred pictures. */
const GREY = 5;
const CMYK = 0.3;
const ON_ITS_SIDE = 3;

interface Order {
  from: string;
  to: string;
  longer: number;
  close: boolean;
  grey: boolean;
  cmyk: boolean;
  turned: boolean;
}

/** @returns a folder of class folders with so many pictures that can be read, written once */
export async function naturalPhotographs(pictures: number): Promise<string> {
  const target = join(import.meta.dirname, `../../.cache/bench/natural-${pictures}`);
  if (existsSync(target)) return target;
  const temporary = `${target}.${process.pid}`;
  const random = Random.stream(1, 'natural photographs');
  const orders: Order[] = [];
  const sources = classes(random);
  const counts = sizes(
    pictures,
    sources.map(({ files }) => files.length),
  );
  for (const [k, { name, files, close }] of sources.entries()) {
    const folder = join(temporary, name);
    mkdirSync(folder, { recursive: true });
    for (const [i, from] of files.slice(0, counts[k]).entries()) {
      const share = (): number => 100 * random.uniform();
      const size = share();
      orders.push({
        from,
        to: join(folder, `image_${String(i + 1).padStart(4, '0')}.jpg`),
        longer: LONGER_SIDES.find(([, below]) => size < below)![0],
        close,
        grey: share() < GREY,
        cmyk: share() < CMYK,
        turned: share() < ON_ITS_SIDE,
      });
    }
  }
  for await (const _ of mapOrdered(orders, availableParallelism() * 2, write));
  writeFileSync(join(temporary, 'README'), 'Pictures of objects of 101 categories.\n');
  writeFileSync(join(temporary, CLUTTER, 'tmp'), '');
  writeFileSync(join(temporary, CLUTTER, 'empty.jpg'), '');
  const whole = readFileSync(orders[0].to);
  writeFileSync(join(temporary, basename(join(orders[0].to, '..')), 'cut.jpg'), whole.subarray(0, whole.length / 2));
  renameSync(temporary, target);
  return target;
}

/** Pictures of each class, largest first. */
export function naturalSizes(pictures: number, classCount: number): number[] {
  const shares = Array.from({ length: classCount }, (_, k) => FEWEST + (MOST - FEWEST) / (k + 1) ** EXPONENT);
  const sum = shares.reduce((a, b) => a + b, 0);
  const counts = shares.map((share) => Math.floor((share * pictures) / sum));
  // What rounding has left over goes to the largest.
  counts[0] += pictures - counts.reduce((a, b) => a + b, 0);
  return counts;
}

/** Pictures of each class: a natural tail, but no picture twice; what is left goes round. */
function sizes(pictures: number, most: readonly number[]): number[] {
  const counts = naturalSizes(pictures, most.length).map((count, k) => Math.min(count, most[k]));
  let left = pictures - counts.reduce((sum, count) => sum + count, 0);
  for (let k = 0; left > 0; k = (k + 1) % most.length) {
    if (counts[k] === most[k]) continue;
    counts[k]++;
    left--;
  }
  return counts;
}

/** In the order of their sizes: which class is large has nothing to do with its name. */
function classes(random: Random): { name: string; files: string[]; close: boolean }[] {
  const cifar = globSync(join(unpack('cifar100-lt100'), 'test/*'))
    .toSorted()
    .slice(0, CIFAR_CLASSES)
    .map((folder) => basename(folder))
    .map((name) => ({
      name,
      files: random.shuffle(globSync(join(unpack('cifar100-lt100'), `*/${name}/*.png`)).toSorted()),
      close: false,
    }));
  const clutter = random.shuffle(globSync(join(unpack('cifar10-lt100'), 'test/*/*.png')).toSorted());
  const pets = random.shuffle(globSync(join(unpack('pets-trimaps'), 'images/american_bulldog/*.jpg')).toSorted());
  const twins = Object.entries(TWINS).map(([name, how]) => ({ name, files: pets, close: how === 'close' }));
  // As many pictures as a class has decide which ones can be large.
  const large = cifar.toSorted((a, b) => b.files.length - a.files.length);
  return [
    ...large.slice(0, 2),
    ...twins,
    { name: CLUTTER, files: clutter, close: false },
    ...random.shuffle(large.slice(2)),
  ];
}

async function write({ from, to, longer, close, grey, cmyk, turned }: Order): Promise<void> {
  const { width, height } = await sharp(from).metadata();
  const side = Math.round(0.6 * Math.min(width, height));
  const part = close
    ? { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 3), width: side, height: side }
    : { left: 0, top: 0, width, height };
  let picture = sharp(from)
    .extract(part)
    .resize(longer, Math.round(longer / 1.5), { fit: 'cover', kernel: 'cubic' });
  if (turned)
    picture = sharp(await picture.png().toBuffer())
      .rotate(270)
      .withMetadata({ orientation: 6 });
  if (grey) picture = picture.toColourspace('b-w');
  else if (cmyk) picture = picture.toColourspace('cmyk');
  await picture.jpeg({ quality: 90 }).toFile(to);
}
