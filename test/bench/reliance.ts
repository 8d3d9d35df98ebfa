/**
 * Does a curated bank make the tail go less by its context? Two data sets whose tail stands in front of backgrounds of its
 * own while training, and whose foregrounds are known to the pixel: coloured MNIST-LT (ground) and the sample.
 *
 * The reviewer is scripted: of the training pictures a random share is looked at, each gets the mask of the true
 * foreground, and all of them are accepted. Under each seed the control and CSA with contexts from that bank alone are
 * trained on the same batches; then context reliance of both is measured by the product's own service, on pictures taken
 * apart by the true masks, so that no saliency speaks for either. Differences are over seeds, CSA less control.
 *
 * `--seeds 2` of each; `--contexts 500` in the bank; `--test 200` pictures of each digit; `--noise 0.25` of the digits under
 * another label, as in bench coloured-mnist (none: the question is one of contexts); `--epochs` fewer, for a try.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { maskArea } from '../../core/contexts/mask.ts';
import { encodeGrey, type GreyImage } from '../../core/data/decode.ts';
import { planSample, SampleSettings } from '../../core/data/sample/plan.ts';
import { renderPicture } from '../../core/data/sample/render.ts';
import { COMPOSITIONS, type Composition } from '../../core/evaluation/reliance.ts';
import { seedDifference } from '../../core/evaluation/seeds.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { measureReliance, relianceReport } from '../../core/services/reliance.ts';
import { writeSample } from '../../core/services/sample-data.ts';
import type { Project } from '../../core/storage/project.ts';
import type { ImageRecord } from '../../core/storage/records.ts';
import type { TrainOverrides } from '../../core/training/presets.ts';
import { writeColoured } from './coloured-mnist.ts';
import { unpack } from './packs.ts';
import { prepare, train, withProject } from './project.ts';

const DATA_SEED = 0;
/** A digit's own strokes are lighter than this; its ground has the colour. */
const STROKE_FROM = 128;
const ACT = { author: 'scripted reviewer', at: '2026-01-01T00:00:00.000Z' };
/** Masks that are kept by one transaction. */
const SHARE = 512;
const METHODS = ['control', 'csa'] as const;

interface Options {
  seeds?: number;
  contexts?: number;
  test?: number;
  noise?: number;
  epochs?: number;
}

/** A data set that knows its foregrounds. */
interface KnownSet {
  /** Write it. */
  write: (folder: string) => Promise<void>;
  /** Names of the classes whose backgrounds are their own. */
  tail: ReadonlySet<string>;
  /** The true mask of a picture, 255 = context. */
  truth: (path: string) => Promise<GreyImage>;
  overrides: TrainOverrides;
}

/** What a run does with the pictures of some classes, means over classes. */
interface Reliance {
  bgGap: number;
  confidence: Record<Composition, number>;
  accuracy: Record<Composition, number>;
}

export async function reliance({
  seeds = 2,
  contexts = 500,
  test = 200,
  noise = 0,
  epochs = 0,
}: Options): Promise<object> {
  const sets = { 'coloured-mnist': coloured(test, noise), sample: sample() };
  const results: Record<string, object> = {};
  for (const [name, set] of Object.entries(sets)) {
    const folder = join(mkdtempSync(join(tmpdir(), 'contexture-reliance-')), 'pictures');
    try {
      await set.write(folder);
      const fewer = epochs > 0 ? { epochs, evaluateEvery: epochs } : {};
      results[name] = await withProject(folder, (project) =>
        compare(project, { ...set, overrides: { ...set.overrides, ...fewer } }, seeds, contexts),
      );
      console.error(`${name}: ${JSON.stringify(results[name])}`);
    } finally {
      rmSync(join(folder, '..'), { recursive: true, force: true });
    }
  }
  return { name: 'reliance', seeds, contexts, noise, ...results };
}

async function compare(project: Project, set: KnownSet, seeds: number, contexts: number): Promise<object> {
  const { store } = project;
  await prepare(project);
  const images = [...store.images.iterate({ split: 'train' })];
  const looked = Random.stream(DATA_SEED, 'scripted reviewer').shuffle(images).slice(0, contexts);
  await acceptTruth(project, looked, set);
  const runs: { seed: number; control: number; csa: number }[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const overrides = { ...set.overrides, seed, threads: 1 };
    // Side by side, a thread each: two small networks use two cores better than one after the other.
    const [control, csa] = await Promise.all(
      METHODS.map(async (method) => {
        const own = method === 'csa' ? { ...overrides, curatedShare: 1 } : overrides;
        return (await train(project, { method, preset: 'small', overrides: own })).run.id;
      }),
    );
    runs.push({ seed, control, csa });
  }
  // The bank of every run is frozen by now: no run can have seen what is accepted for measuring.
  const known = new Set(looked.map(({ id }) => id));
  await acceptTruth(
    project,
    [...store.images.iterate({})].filter(({ id }) => !known.has(id)),
    set,
  );
  const measured: Record<(typeof METHODS)[number], { tail: Reliance; all: Reliance }>[] = [];
  for (const { control, csa } of runs) {
    measured.push({ control: await measure(project, control, set.tail), csa: await measure(project, csa, set.tail) });
    console.error(JSON.stringify(measured.at(-1)));
  }
  const over = (of: 'tail' | 'all', read: (figures: Reliance) => number) => {
    const pairs = measured.map(({ control, csa }): [number, number] => [read(control[of]), read(csa[of])]);
    const { a: before, b: after, value, low, high } = seedDifference(pairs)!;
    return { before, after, value, low, high };
  };
  const figures = (of: 'tail' | 'all') => ({
    bgGap: over(of, ({ bgGap }) => bgGap),
    confidence: Object.fromEntries(COMPOSITIONS.map((each) => [each, over(of, ({ confidence }) => confidence[each])])),
    accuracy: Object.fromEntries(COMPOSITIONS.map((each) => [each, over(of, ({ accuracy }) => accuracy[each])])),
  });
  return { bank: looked.length, tail: figures('tail'), all: figures('all') };
}

/** Give pictures the masks of their true foregrounds, and accept them. */
async function acceptTruth(
  { store, blobs }: Project,
  images: readonly ImageRecord[],
  { truth }: KnownSet,
): Promise<void> {
  const { author, at } = ACT;
  for (let start = 0; start < images.length; start += SHARE) {
    const share = images.slice(start, start + SHARE);
    const masks = await Promise.all(share.map(({ path }) => truth(path)));
    const kept = blobs.putAll(await Promise.all(masks.map((mask) => encodeGrey(mask))));
    store.transaction(() => {
      for (const [i, { id: imageId, width, height }] of share.entries()) {
        const made = { imageId, parentId: null, origin: 'import', saliencyId: null, params: null } as const;
        const what = { blob: kept[i], width, height, area: maskArea(masks[i]) };
        const { id: maskId } = store.masks.add({ ...made, ...what, author, createdAt: at });
        const { id } = store.contexts.add({ imageId, maskId, probability: 1, createdAt: at }, author);
        store.contexts.setState(id, 'accepted', author, at);
      }
    });
  }
}

async function measure(
  project: Project,
  run: number,
  tail: ReadonlySet<string>,
): Promise<{ tail: Reliance; all: Reliance }> {
  await measureReliance(project, run, null, runJob);
  const report = (await relianceReport(project, run))!;
  const of = (classes: typeof report.classes): Reliance => {
    const mean = (read: (row: (typeof classes)[number]) => number): number =>
      classes.reduce((sum, row) => sum + read(row), 0) / classes.length;
    const means = (figure: 'confidence' | 'accuracy'): Record<Composition, number> => {
      const [original, noFg, onlyFg, same, rand] = COMPOSITIONS.map((each) => mean((row) => row[figure][each]!.value));
      return { original, 'no-fg': noFg, 'only-fg': onlyFg, 'mixed-same': same, 'mixed-rand': rand };
    };
    return {
      bgGap: mean((row) => row.bgGap!.value),
      confidence: means('confidence'),
      accuracy: means('accuracy'),
    };
  };
  return { tail: of(report.classes.filter(({ name }) => tail.has(name))), all: of(report.classes) };
}

function coloured(test: number, noise: number): KnownSet {
  let digits = new Map<string, string>();
  return {
    async write(folder) {
      digits = await writeColoured(unpack('mnist'), folder, 'ground', noise, test);
    },
    tail: new Set(['5', '6', '7', '8', '9']),
    async truth(path) {
      const { data, info } = await sharp(digits.get(path)!)
        .toColourspace('b-w')
        .raw()
        .toBuffer({ resolveWithObject: true });
      return { width: info.width, height: info.height, data: data.map((grey) => (grey < STROKE_FROM ? 255 : 0)) };
    },
    overrides: { epochs: 4, evaluateEvery: 4, augment: { pad: 0.125, flip: false } },
  };
}

function sample(): KnownSet {
  const settings = SampleSettings.parse({ seed: DATA_SEED });
  const { pictures, bound } = planSample(settings);
  const { seed, size } = settings;
  const byPath = new Map(pictures.map((picture) => [picture.file, picture]));
  return {
    async write(folder) {
      await writeSample(folder, { seed }, { emit: () => {}, signal: new AbortController().signal });
    },
    tail: new Set(Object.values(bound)),
    async truth(path) {
      const picture = byPath.get(path)!;
      const [whole, bare] = [true, false].map((withObject) => renderPicture(seed, size, picture, withObject));
      // Scene and noise are drawn from streams of their own, so that only the object's pixels differ.
      const data = Uint8Array.from({ length: size * size }, (_, i) =>
        [0, 1, 2].every((channel) => whole[3 * i + channel] === bare[3 * i + channel]) ? 255 : 0,
      );
      return { width: size, height: size, data };
    },
    overrides: { evaluateEvery: 1000 },
  };
}
