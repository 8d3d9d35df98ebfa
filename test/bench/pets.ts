/**
 * Few photographs and a long tail: the pets pack cut to 160, 60 and 15 training pictures (40 of each of its 200 are kept for
 * the test), which by the proposed preset photos-20 are learned on the published weights of EfficientNet-Lite0, beside a
 * small network from scratch at 64 px; by cross entropy, the control and CSA. Mean over the seeds of balanced accuracy and
 * the tail class's recall on the test pictures, on which nothing was chosen. The backbone has to be here.
 *
 * `--seeds 3` runs of each; `--photos 200` for another preset; `--scratch 0` without the small network,
 * `--control 0` without the control; `--epochs` fewer, for a try.
 */
import { copyFileSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Random } from '../../core/base/random.ts';
import type { RunRequest } from '../../core/services/training-plan.ts';
import type { MethodName } from '../../core/training/config.ts';
import { PRESETS, type TrainOverrides } from '../../core/training/presets.ts';
import { unpack } from './packs.ts';
import { versions } from './programs.ts';
import { train, withProject } from './project.ts';

/** Training pictures of the breeds, in alphabetical order. */
const COUNTS = [160, 60, 15];
export const TEST = 40;
const METHODS: readonly MethodName[] = ['ce', 'control', 'csa'];
const SCRATCH: TrainOverrides = { inputSize: 64, model: { kind: 'resnet-cifar', blocks: 2 }, epochs: 30 };

interface Options {
  seeds?: number;
  photos?: number;
  scratch?: number;
  control?: number;
  epochs?: number;
}

interface Score {
  /** Mean of the classes' recalls. */
  balanced: number;
  /** Recall of the class of 15. */
  tail: number;
  /** From the order to the figures. */
  minutes: number;
}

export async function pets({ seeds = 3, photos = 20, scratch = 1, control = 1, epochs = 0 }: Options): Promise<object> {
  const preset = PRESETS.find((name) => name === `photos-${photos}`);
  if (!preset) throw new Error(`there is no preset photos-${photos}`);
  const fewer = epochs > 0 ? { epochs } : {};
  const methods = METHODS.filter((method) => method !== 'control' || control > 0);
  const starts = {
    fineTuned: { preset, overrides: fewer },
    ...(scratch > 0 && { scratch: { preset: 'small', overrides: { ...SCRATCH, ...fewer } } }),
  } as const satisfies Record<string, Omit<RunRequest, 'method'>>;
  const folder = longTailedPets();
  try {
    return await withProject(folder, async (project) => {
      const results: Record<string, Record<string, Score & { seeds: Score[] }>> = {};
      for (const [start, { preset: chosen, overrides }] of Object.entries(starts)) {
        results[start] = {};
        for (const method of methods) {
          const scores: Score[] = [];
          for (let seed = 1; seed <= seeds; seed++) {
            const started = performance.now();
            const { figures } = await train(project, {
              method,
              preset: chosen,
              // Nobody looks at the test pictures before the end.
              overrides: { ...overrides, seed, evaluateEvery: 1000 },
            });
            scores.push({
              balanced: figures.macroRecall!.value,
              tail: figures.classes.at(-1)!.recall!.value,
              minutes: (performance.now() - started) / 60_000,
            });
          }
          results[start][method] = { ...mean(scores), seeds: scores };
          console.error(`${start}, ${method}: ${JSON.stringify(mean(scores))}`);
        }
      }
      return { name: 'pets', counts: COUNTS, test: TEST, preset, results, versions: versions() };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mean(scores: readonly Score[]): Score {
  const of = (key: keyof Score): number => scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
  return { balanced: of('balanced'), tail: of('tail'), minutes: of('minutes') };
}

/** Pictures of each breed in random order: the first `TEST` of each are tested on. */
export function breedFiles(): string[][] {
  const random = Random.stream(1, 'long-tailed pets');
  // Without regard to case: the order in which the data set numbers its classes.
  const breeds = globSync(join(unpack('pets-trimaps'), 'images/*')).toSorted((a, b) =>
    basename(a).localeCompare(basename(b), 'en'),
  );
  return breeds.map((breed) => random.shuffle(globSync(join(breed, '*.jpg')).toSorted()));
}

/** @returns a temporary folder with train/BREED/… and test/BREED/… */
export function longTailedPets(): string {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-pets-'));
  for (const [k, files] of breedFiles().entries()) {
    const parts = { test: files.slice(0, TEST), train: files.slice(TEST).slice(0, COUNTS[k]) };
    for (const [split, chosen] of Object.entries(parts)) {
      // A letter in front keeps that order, and says which class is rare.
      const target = join(folder, split, `${'abc'[k]} ${basename(dirname(files[0]))}`);
      mkdirSync(target, { recursive: true });
      for (const file of chosen) copyFileSync(file, join(target, basename(file)));
    }
  }
  return folder;
}
