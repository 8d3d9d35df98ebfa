/**
 * What rate and decay suit heads on the frozen EfficientNet-Lite0: heads are trained on some pictures of the pets pack and
 * judged on others, for each rate and decay of a grid. The pictures that `pets` tests on are left out, so that nothing is
 * chosen on them. `even`: 20 pictures a class, cross entropy, uniform head; `tail`: 119, 60 and 15, control, balanced head.
 * Balanced accuracy, mean over the draws. The backbone has to be here.
 *
 * `--draws 8` divisions into pictures to train and to judge on; `--epochs 0` the preset's.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../core/base/random.ts';
import { decodeRgb } from '../../core/data/decode.ts';
import { startEngine } from '../../core/engine/backend.ts';
import { readEngineInstall } from '../../core/engine/install.ts';
import { findPack } from '../../core/models/backbone-pack.ts';
import { networkOf } from '../../core/models/network.ts';
import type { MethodName, TrainConfig } from '../../core/training/config.ts';
import { logitsOfFeatures } from '../../core/training/evaluate.ts';
import { Evaluator } from '../../core/training/evaluator.ts';
import { openFeatures, selectFeatures, type FrozenFeatures } from '../../core/training/features.ts';
import { PackedPictures, selectPictures } from '../../core/training/pictures.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { startingState } from '../../core/training/starting-state.ts';
import { Trainer } from '../../core/training/trainer.ts';
import { BACKBONE } from './finetune.ts';
import { breedFiles, TEST } from './pets.ts';
import { versions } from './programs.ts';

const RATES = [0.0005, 0.001, 0.002, 0.02];
const DECAYS = [0.001, 0.01, 0.1];
/** Pictures of each class that are judged. */
const JUDGED = 40;
const TASKS = {
  even: { method: 'ce', counts: [20, 20, 20] },
  tail: { method: 'control', counts: [119, 60, 15] },
} as const satisfies Record<string, { method: MethodName; counts: readonly number[] }>;

interface Options {
  draws?: number;
  epochs?: number;
}

export async function heads({ draws = 8, epochs = 0 }: Options): Promise<object> {
  const hash = findPack(BACKBONE)?.hash;
  if (!hash) throw new Error(`run \`npm run contexture -- backbone get ${BACKBONE}\` first`);
  startEngine(readEngineInstall());
  const breeds = breedFiles().map((files) => files.slice(TEST));
  const labels = Int32Array.from(breeds.flatMap((files, label) => files.map(() => label)));
  const configFor = (method: MethodName, seed: number, own: Partial<TrainConfig>): TrainConfig =>
    makeConfig(method, 'photos-20', 224, {
      weights: { name: BACKBONE, hash },
      seed,
      ...(epochs > 0 && { epochs }),
      ...own,
    });
  const base = configFor('ce', 1, {});
  const { inputSize: size } = base;
  const target = { width: size, height: size, fit: 'cover' } as const;
  const pixels: Uint8Array[] = [];
  for (const file of breeds.flat()) pixels.push(await decodeRgb(readFileSync(file), target));
  const pictures = new PackedPictures({ count: pixels.length, size, read: (i) => pixels[i] }, base.augment);
  const network = networkOf(base, breeds.length);
  using evaluator = new Evaluator(network);
  const cacheFolder = mkdtempSync(join(tmpdir(), 'contexture-heads-'));
  try {
    const state = startingState(network, base);
    const hashes = breeds.flat();
    const port = { emit: () => {}, signal: new AbortController().signal };
    using features = (await openFeatures(
      { evaluator, state, pictures, hashes, config: base, use: 'train', cacheFolder },
      port,
    ))!;
    const results: Record<string, Record<string, number>> = {};
    for (const [name, { method, counts }] of Object.entries(TASKS)) {
      results[name] = {};
      for (const learningRate of RATES) {
        for (const weightDecay of DECAYS) {
          let sum = 0;
          for (let seed = 1; seed <= draws; seed++) {
            const { train, judged } = divide(labels, counts, seed);
            sum += await score(configFor(method, seed, { learningRate, weightDecay }), features, train, judged);
          }
          results[name][`rate ${learningRate}, decay ${weightDecay}`] = sum / draws;
          console.error(`${name}, rate ${learningRate}, decay ${weightDecay}: ${((100 * sum) / draws).toFixed(1)} %`);
        }
      }
    }
    return { name: 'heads', draws, epochs: base.epochs, results, versions: versions() };
  } finally {
    rmSync(cacheFolder, { recursive: true, force: true });
  }

  /** Balanced accuracy of heads trained on some pictures, on others. */
  async function score(config: TrainConfig, all: FrozenFeatures, train: number[], judged: number[]): Promise<number> {
    const trainer = new Trainer({
      config,
      network,
      state: startingState(network, config),
      pictures: selectPictures(pictures, train),
      features: selectFeatures(all, train),
      labels: Int32Array.from(train, (i) => labels[i]),
      admitted: breeds.map(() => true),
      curated: null,
    });
    for (; !trainer.finished; trainer.endEpoch()) {
      trainer.beginEpoch();
      while (trainer.step < trainer.stepsPerEpoch) await trainer.runStep();
    }
    const logits = await logitsOfFeatures(evaluator, trainer.state, selectFeatures(all, judged).pooled, async () => {});
    trainer.dispose();
    const rows = config.method === 'control' ? logits.balanced : logits.uniform;
    const classes = breeds.length;
    const right = judged.filter((at, i) => {
      const row = rows.subarray(i * classes, (i + 1) * classes);
      return row.indexOf(Math.max(...row)) === labels[at];
    });
    return right.length / judged.length;
  }
}

/** Draw pictures to train on, by class, and the same number of each class to judge on. */
function divide(labels: Int32Array, counts: readonly number[], seed: number): { train: number[]; judged: number[] } {
  const random = Random.stream(seed, 'heads');
  const own = counts.map((_, label) => random.shuffle([...labels.keys()].filter((i) => labels[i] === label)));
  return {
    judged: own.flatMap((indices) => indices.slice(0, JUDGED)),
    train: own.flatMap((indices, label) => indices.slice(JUDGED, JUDGED + counts[label])),
  };
}
