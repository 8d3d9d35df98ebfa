/**
 * Near-duplicates among photographs and small pictures: of each photo of the pets pack three copies are made, of nine kinds
 * by turns, and laid beside 2,000 pictures of CIFAR-10. A copy is found where it is in one group with its original. A pair
 * in one group that has two origins is false, even where the packs themselves hold the same scene twice.
 *
 * `--part 1` is the half of the photos, and of the small pictures, that the thresholds were chosen on: it lists figures at
 * several of them. `--part 2` is the other half, on which the usual thresholds are judged. `--backbones` says how many of the
 * backbones that are here are tried, beside pixels.
 */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { Random } from '../../core/base/random.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { descriptors, type DescriptorInfo } from '../../core/near/descriptors.ts';
import { describeNear, findNear } from '../../core/services/duplicates.ts';
import { findNearDuplicates, setNearThreshold } from '../../core/services/near-duplicates.ts';
import type { Project } from '../../core/storage/project.ts';
import { unpack } from './packs.ts';
import { versions } from './programs.ts';
import { withProject } from './project.ts';

/** Small pictures beside the photos. */
const SMALL = 2000;
/** Copies of each photo. */
const COPIES = 3;

type Change = (picture: Sharp, width: number, height: number) => Sharp;

/** Cut so much off the left and the top, and so much off the right and the bottom, as shares. */
const cropped =
  (left: number, top: number, right: number, bottom: number): Change =>
  (picture, width, height) => {
    const [x, y] = [Math.round(left * width), Math.round(top * height)];
    const box = {
      left: x,
      top: y,
      width: Math.round((1 - right) * width) - x,
      height: Math.round((1 - bottom) * height) - y,
    };
    return picture.extract(box);
  };

const KINDS: Readonly<Record<string, Change>> = {
  'JPEG of quality 30': (picture) => picture.jpeg({ quality: 30 }),
  'half the size': (picture, width, height) => picture.resize(Math.round(width / 2), Math.round(height / 2)),
  'cropped by 5 %': cropped(0.05, 0.02, 0, 0.03),
  'cropped by 10 %': cropped(0, 0.1, 0.1, 0),
  brighter: (picture) => picture.modulate({ brightness: 1.3 }),
  darker: (picture) => picture.linear(0.7, 0),
  'shifted by 4 %': (picture, width, height) => {
    const [left, top] = [Math.round(0.04 * width), Math.round(0.03 * height)];
    return cropped(0, 0, 0.04, 0.03)(picture, width, height).extend({ left, top, extendWith: 'copy' });
  },
  mirrored: (picture) => picture.flop(),
  'cropped all round, brighter, JPEG of quality 50': (picture, width, height) =>
    cropped(0.05, 0.05, 0.05, 0.05)(picture, width, height).modulate({ brightness: 1.15 }).jpeg({ quality: 50 }),
};
const NAMES = Object.keys(KINDS);

interface Options {
  part?: number;
  /** How many of the backbones that are here are tried, beside pixels. */
  backbones?: number;
}

interface Figures {
  threshold: number;
  /** Of all copies, and of each kind. */
  recall: number;
  kinds: Record<string, number>;
  /** Copies that are with their original, over those and the false pairs. */
  precision: number;
  falsePairs: number;
}

export async function nearDuplicates({ part = 2, backbones = 1 }: Options): Promise<object> {
  const folder = await pictures(part);
  try {
    return await withProject(folder, async (project) => {
      const results: Record<string, object> = {};
      const all = descriptors();
      for (const descriptor of [...all.slice(0, -1).slice(0, backbones), all.at(-1)!]) {
        results[descriptor.name] = await judge(project, descriptor, part);
      }
      return { name: 'near-duplicates', part, copiesOfEach: COPIES, small: SMALL, results, versions: versions() };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function judge(project: Project, { name, threshold, floor }: DescriptorInfo, part: number): Promise<object> {
  const started = performance.now();
  const { pictures: count } = await findNearDuplicates(project, { by: name }, runJob);
  const seconds = (performance.now() - started) / 1000;
  const steps = Math.round((0.95 - floor) / 0.025);
  const tried = part === 1 ? Array.from({ length: steps + 1 }, (_, i) => floor + 0.025 * i) : [threshold];
  const figures = tried.map((at) => figuresAt(project, at));
  for (const { kinds: _, ...row } of figures) console.error(`${name}: ${JSON.stringify(row)}`);
  return { pictures: count, seconds, figures, falsePairs: part === 2 ? falsePairs(project) : [] };
}

/** Photo or small picture that a file was made from: "12" of "12.jpg" and "12 mirrored.png". */
const originOf = (path: string): string => basename(path).split(/[ .]/)[0];
const kindOf = (path: string): string | undefined => NAMES[Number(/ (\d+)\.png$/.exec(path)?.[1] ?? NaN)];

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);

function figuresAt(project: Project, threshold: number): Figures {
  setNearThreshold(project.store, threshold);
  const made = new Map(NAMES.map((kind) => [kind, 0]));
  for (const { path } of project.store.images.iterate()) {
    const kind = kindOf(path);
    if (kind !== undefined) made.set(kind, made.get(kind)! + 1);
  }
  const found = new Map(NAMES.map((kind) => [kind, 0]));
  for (const { images } of groupsOf(project)) {
    const originals = new Set(images.flatMap(({ path }) => (kindOf(path) === undefined ? [originOf(path)] : [])));
    for (const { path } of images) {
      const kind = kindOf(path);
      if (kind !== undefined && originals.has(originOf(path))) found.set(kind, found.get(kind)! + 1);
    }
  }
  const wrong = falsePairs(project).length;
  return {
    threshold: Number(threshold.toFixed(3)),
    recall: sum(found) / sum(made),
    kinds: Object.fromEntries(NAMES.map((kind) => [kind, found.get(kind)! / made.get(kind)!])),
    precision: sum(found) / (sum(found) + wrong),
    falsePairs: wrong,
  };
}

const groupsOf = ({ store }: Project) => describeNear(store, findNear(store)!.groups);

/** Pairs of origins that share a group. */
function falsePairs(project: Project): string[] {
  return groupsOf(project).flatMap(({ images }) => {
    const origins = [...new Set(images.map(({ path }) => originOf(path)))];
    return origins.flatMap((a, i) => origins.slice(i + 1).map((b) => `${a} ~ ${b}`));
  });
}

/** @returns a temporary folder with photos, small pictures and copies of that half */
async function pictures(part: number): Promise<string> {
  const random = Random.stream(1, 'near-duplicates');
  const photos = random.shuffle(globSync(join(unpack('pets-trimaps'), 'images/*/*.jpg')).toSorted());
  const small = random.shuffle(globSync(join(unpack('cifar10-lt100'), 'test/*/*.png')).toSorted());
  const half = Math.floor(photos.length / 2);
  const folder = mkdtempSync(join(tmpdir(), 'contexture-near-'));
  const write = (path: string, bytes: Uint8Array): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  for (const [i, file] of photos.slice((part - 1) * half, part * half).entries()) {
    const bytes = readFileSync(file);
    write(`train/pets/${i}.jpg`, bytes);
    const { width, height } = await sharp(bytes).metadata();
    for (let copy = 0; copy < COPIES; copy++) {
      const kind = (i + copy * (NAMES.length / COPIES)) % NAMES.length;
      const changed = await KINDS[NAMES[kind]](sharp(bytes), width, height).toBuffer();
      // As PNG, so that a change is the change that it says and nothing else.
      write(`test/pets/${i} ${kind}.png`, await sharp(changed).png({ compressionLevel: 1 }).toBuffer());
    }
  }
  for (const [i, file] of small.slice((part - 1) * SMALL, part * SMALL).entries()) {
    write(`train/small/s${i}.png`, readFileSync(file));
  }
  return folder;
}
