/**
 * A set of photographs as people have them, from files to answers: 9,000 JPEGs of 300 to 500 px in 101 classes with a
 * natural tail are imported, heads are trained on the frozen EfficientNet-Lite0 (preset photos-20), and the model says
 * what is on all of them. The set is a stand-in: each class is five or six photographs of the pets pack, of which each
 * picture is a part, mirrored or not, at a size of its own. The backbone has to be here.
 *
 * `--natural 1`: the 102 folders of `natural-photos.ts`, where classes are harder to tell apart and files are odd.
 */
import { existsSync, globSync, mkdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { mapOrdered } from '../../core/data/flow.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { assignSplit } from '../../core/services/edits.ts';
import { predictPictures } from '../../core/services/predict.ts';
import { pictureInputs } from '../../core/services/predict-inputs.ts';
import { modelOfRun } from '../../core/services/run-model.ts';
import { naturalPhotographs, naturalSizes } from './natural-photos.ts';
import { unpack } from './packs.ts';
import { versions } from './programs.ts';
import { train, withProject } from './project.ts';

const CLASSES = 101;
/** Shorter and longer sides, pixels. */
const SIDES = [300, 500] as const;

interface Options {
  pictures?: number;
  epochs?: number;
  natural?: number;
}

export async function photos101({ pictures = 9000, epochs = 0, natural = 0 }: Options): Promise<object> {
  const folder = natural > 0 ? await naturalPhotographs(pictures) : await photographs(pictures);
  const started = performance.now();
  return withProject(folder, async (project) => {
    const parts: Record<string, number> = { import: since(started) };
    const by = { author: 'bench', at: new Date().toISOString() };
    assignSplit(project.store, { val: 0, test: 0.2, seed: 1 }, by);
    const trained = performance.now();
    const overrides = epochs > 0 ? { epochs } : {};
    const { run, figures } = await train(project, { method: 'ce', preset: 'photos-20', overrides });
    parts.train = since(trained);
    const asked = performance.now();
    const { predicted, problems } = await predictPictures(
      {
        model: modelOfRun(project, run.id, null).path,
        inputs: await pictureInputs([folder], folder, null),
        format: 'csv',
        out: join(project.cacheFolder, 'answers.csv'),
      },
      runJob,
    );
    parts.predict = since(asked);
    if (predicted !== pictures)
      throw new Error(`${pictures - predicted} without an answer, such as ${problems[0].reason}`);
    return {
      name: 'photos-101',
      pictures,
      classes: figures.classes.length,
      seconds: parts,
      total: Object.values(parts).reduce((sum, seconds) => sum + seconds, 0),
      top1: figures.top1!.value,
      balanced: figures.macroRecall!.value,
      versions: versions(),
    };
  });
}

const since = (started: number): number => (performance.now() - started) / 1000;

/** @returns a folder of class folders, written once */
async function photographs(pictures: number): Promise<string> {
  const target = join(import.meta.dirname, `../../.cache/bench/photos-101-${pictures}`);
  if (existsSync(target)) return target;
  const originals = globSync(join(unpack('pets-trimaps'), 'images/*/*.jpg')).toSorted();
  const random = Random.stream(1, 'photos 101');
  const between = (low: number, high: number): number => low + random.below(high - low + 1);
  const temporary = `${target}.${process.pid}`;
  const orders = naturalSizes(pictures, CLASSES).flatMap((count, k) => {
    const own = originals.filter((_, i) => i % CLASSES === k);
    const folder = join(temporary, `class-${String(k + 1).padStart(3, '0')}`);
    mkdirSync(folder, { recursive: true });
    return Array.from({ length: count }, (_, i) => ({
      from: own[random.below(own.length)],
      to: join(folder, `${i + 1}.jpg`),
      width: between(...SIDES),
      height: between(...SIDES),
      // Of the photograph's width and height, and where the part lies in what is left.
      part: between(60, 95) / 100,
      at: [random.uniform(), random.uniform()] as const,
      flop: random.below(2) === 1,
    }));
  });
  let done = 0;
  const write = async ({ from, to, width, height, part, at, flop }: (typeof orders)[number]): Promise<void> => {
    const original = sharp(from);
    const { width: whole, height: high } = await original.metadata();
    const [w, h] = [Math.round(whole * part), Math.round(high * part)];
    const [left, top] = [Math.floor((whole - w) * at[0]), Math.floor((high - h) * at[1])];
    await original
      .extract({ left, top, width: w, height: h })
      .flop(flop)
      .resize(width, height, { fit: 'cover' })
      .jpeg({ quality: 90 })
      .toFile(to);
    if (++done % 1000 === 0) console.error(`${done} of ${orders.length} pictures written`);
  };
  for await (const _ of mapOrdered(orders, availableParallelism() * 2, write));
  renameSync(temporary, target);
  return target;
}
