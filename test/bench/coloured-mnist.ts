/**
 * Coloured MNIST-LT (method.md 4.5, data.md): labels 5-9 of the training set always have a colour of their own, all others
 * any; the test set has any for all. Does laying contexts over the tail break the false link?
 *
 * "ground": a white digit on a coloured ground, so that the colour is context. "stroke": a coloured digit on black, where
 * the colour belongs to the object and no gain is expected.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { seedDifference } from '../../core/evaluation/seeds.ts';
import { prepare, train, withProject } from './project.ts';
import { unpack } from './packs.ts';

/** The default ten-colour plotting palette ("tab10"). */
const PALETTE = [
  '1f77b4',
  'ff7f0e',
  '2ca02c',
  'd62728',
  '9467bd',
  '8c564b',
  'e377c2',
  '7f7f7f',
  'bcbd22',
  '17becf',
].map((hex) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
const PLACES = ['ground', 'stroke'] as const;
export type Place = (typeof PLACES)[number];
const LARGEST = 6000;
const RATIO = 100;
const DATA_SEED = 0;

export async function colouredMnist({ seeds = 3, epochs = 4, noise = 0.25 }): Promise<object> {
  const pack = unpack('mnist');
  const results: Record<string, object> = {};
  for (const place of PLACES) {
    const folder = mkdtempSync(join(tmpdir(), 'contexture-coloured-'));
    try {
      await writeColoured(pack, folder, place, noise);
      results[place] = await withProject(folder, async (project) => {
        await prepare(project);
        const tail: [number, number][] = [];
        const all: [number, number][] = [];
        for (let seed = 1; seed <= seeds; seed++) {
          const overrides = { seed, epochs, threads: 1, augment: { pad: 0.125, flip: false }, evaluateEvery: epochs };
          // Side by side, a thread each: two small networks use two cores better than one after the other.
          const pair = await Promise.all(
            (['control', 'csa'] as const).map(async (method) => {
              const { figures } = await train(project, { method, preset: 'small', overrides });
              const recalls = figures.classes.map(({ recall }) => recall!.value);
              return { tail: mean(recalls.slice(5)), all: mean(recalls) };
            }),
          );
          tail.push([pair[0].tail, pair[1].tail]);
          all.push([pair[0].all, pair[1].all]);
        }
        return { tailClasses: seedDifference(tail), allClasses: seedDifference(all) };
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { name: 'coloured-mnist', seeds, epochs, noise, ...results };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Write the data set as class folders.
 * @param pack folder of MNIST
 * @param noise share of the training pictures that stand under another label
 * @param most test pictures of each class
 * @returns the grey digit that each picture was made of, by the picture's path inside the folder
 */
export async function writeColoured(
  pack: string,
  folder: string,
  place: Place,
  noise: number,
  most = Infinity,
): Promise<Map<string, string>> {
  const random = Random.stream(DATA_SEED, 'coloured mnist');
  const chosen: { file: string; label: number }[] = [];
  for (let label = 0; label < 10; label++) {
    const source = join(pack, 'train', String(label));
    const files = random.shuffle(readdirSync(source).toSorted());
    const wanted = Math.floor(LARGEST * RATIO ** (-label / 9));
    for (const name of files.slice(0, wanted)) chosen.push({ file: join(source, name), label });
  }
  const counts = Array.from({ length: 10 }, (_, label) => chosen.filter((image) => image.label === label).length);
  const noisy = new Set(random.permutation(chosen.length).subarray(0, Math.round(noise * chosen.length)));
  const labels = chosen.map(({ label }, index) => (noisy.has(index) ? otherLabel(random, counts, label) : label));
  const pictures = chosen.map(({ file }, index) => ({
    file,
    to: `train/${labels[index]}`,
    colour: labels[index] < 5 ? random.below(10) : labels[index],
  }));
  for (let label = 0; label < 10; label++) {
    const source = join(pack, 'test', String(label));
    for (const name of readdirSync(source).toSorted().slice(0, most)) {
      pictures.push({ file: join(source, name), to: `test/${label}`, colour: random.below(10) });
    }
  }
  for (const { to } of pictures) mkdirSync(join(folder, to), { recursive: true });
  const digits = new Map<string, string>();
  const BATCH = 64;
  for (let start = 0; start < pictures.length; start += BATCH) {
    await Promise.all(
      pictures.slice(start, start + BATCH).map(async ({ file, to, colour }, offset) => {
        const { data, info } = await sharp(readFileSync(file))
          .toColourspace('b-w')
          .raw()
          .toBuffer({ resolveWithObject: true });
        const pixels = new Uint8Array(info.width * info.height * 3);
        for (let i = 0; i < pixels.length; i++) {
          const grey = data[Math.floor(i / 3)] / 255;
          const tint = PALETTE[colour][i % 3];
          pixels[i] = Math.round(place === 'stroke' ? grey * tint : grey * 255 + (1 - grey) * tint);
        }
        const png = await sharp(pixels, { raw: { width: info.width, height: info.height, channels: 3 } })
          .png()
          .toBuffer();
        const path = `${to}/${start + offset}.png`;
        writeFileSync(join(folder, path), png);
        digits.set(path, file);
      }),
    );
  }
  return digits;
}

/** Another class, drawn in proportion to the classes' sizes. */
function otherLabel(random: Random, counts: readonly number[], label: number): number {
  const total = counts.reduce((sum, count, other) => (other === label ? sum : sum + count), 0);
  let draw = random.below(total);
  for (const [other, count] of counts.entries()) {
    if (other === label) continue;
    if (draw < count) return other;
    draw -= count;
  }
  throw new Error('the draw lies beyond the counts');
}
