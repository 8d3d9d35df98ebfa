/**
 * p(true class) that means something: each training image is judged by a model that has not seen it. The training split is
 * cut into folds, class by class; each fold is judged by a model trained on the others.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { Random } from '../base/random.ts';
import type { DatasetSnapshot } from '../data/snapshot.ts';
import type { JobEvent, WorkPort } from '../jobs/protocol.ts';
import { networkOf } from '../models/network.ts';
import type { TrainConfig } from '../training/config.ts';
import { admittedClasses } from '../training/context-supply.ts';
import { answersTo } from '../training/evaluate.ts';
import { Evaluator } from '../training/evaluator.ts';
import { selectFeatures } from '../training/features.ts';
import { selectPictures } from '../training/pictures.ts';
import { RunSplit } from '../training/run-split.ts';
import { startingState } from '../training/starting-state.ts';
import { disposeState } from '../training/step.ts';
import { Trainer } from '../training/trainer.ts';

/**
 * Deal positions 0 … n-1 into folds so that each class is spread evenly.
 * @param labels class of each position
 * @returns fold of each position, 0 … folds-1
 */
export function dealFolds(labels: ArrayLike<number>, folds: number, seed: number): Int32Array {
  const order = Random.stream(seed, 'folds').permutation(labels.length);
  const fold = new Int32Array(labels.length);
  // Each class goes on where the last one ended, so that the folds differ by one image at most, in each class and in all.
  let dealt = 0;
  for (const own of Map.groupBy(order, (position) => labels[position]).values()) {
    for (const position of own) fold[position] = dealt++ % folds;
  }
  return fold;
}

/** Softmax of a row of logits at one class. */
function softmaxAt(logits: Float32Array, label: number): number {
  const highest = Math.max(...logits);
  const sum = logits.reduce((total, value) => total + Math.exp(value - highest), 0);
  return Math.exp(logits[label] - highest) / sum;
}

/**
 * Train once a fold and judge the fold.
 * @param folds 2 or more
 * @returns p(true class) by image id
 * @throws UserError 'cancelled', 'diverged'
 */
export async function heldOutProbabilities<Event extends JobEvent>(
  snapshot: DatasetSnapshot,
  config: TrainConfig,
  folds: number,
  cacheFolder: string,
  port: WorkPort<Event | Progress>,
): Promise<Map<number, number>> {
  await using split = await RunSplit.open({ snapshot, config, cacheFolder }, 'train', port);
  const { ids, labels, pictures } = split;
  const fold = dealFolds(labels, folds, config.seed);
  const classes = snapshot.classes.length;
  const probabilities = new Map<number, number>();
  const network = networkOf(config, classes);
  using evaluator = new Evaluator(network);
  const state = startingState(network, config);
  await split.lookOnce(evaluator, state, port);
  const { features } = split;
  disposeState(state);
  for (let held = 0; held < folds; held++) {
    const positions = (inside: boolean): number[] =>
      [...fold.keys()].filter((position) => (fold[position] === held) === inside);
    const known = positions(false);
    const judged = positions(true);
    const counts = Array.from({ length: classes }, (_, label) => known.filter((p) => labels[p] === label).length);
    const trainer = new Trainer({
      config: { ...config, curatedShare: 0 },
      network,
      state: startingState(network, config),
      pictures: selectPictures(pictures, known),
      features: features && selectFeatures(features, known),
      labels: Int32Array.from(known, (position) => labels[position]),
      admitted: admittedClasses(counts, config),
      curated: null,
    });
    await trainFold(trainer, `Judging fold ${held + 1} of ${folds}: training on the others`, port);
    const hear = (): Promise<void> => breathe(port.signal);
    const unseen = {
      pictures: selectPictures(pictures, judged),
      features: features && selectFeatures(features, judged),
    };
    const logits = await answersTo(unseen, evaluator, trainer.state, config, hear);
    trainer.dispose();
    for (const [i, position] of judged.entries()) {
      const row = logits.uniform.subarray(i * classes, (i + 1) * classes);
      probabilities.set(ids[position], softmaxAt(row, labels[position]));
    }
  }
  return probabilities;
}

async function trainFold<Event extends JobEvent>(
  trainer: Trainer,
  stage: string,
  port: WorkPort<Event | Progress>,
): Promise<void> {
  const total = trainer.config.epochs * trainer.stepsPerEpoch;
  const meter = new ProgressMeter((event) => port.emit(event), { stage, unit: 'steps', total });
  const diverged = (): UserError =>
    new UserError(
      'diverged',
      `Training a fold diverged in epoch ${trainer.epoch + 1}. Choose a run with a lower learningRate.`,
    );
  while (!trainer.finished) {
    trainer.beginEpoch();
    while (trainer.step < trainer.stepsPerEpoch) {
      await trainer.runStep();
      if (trainer.diverged) throw diverged();
      meter.add();
      await breathe(port.signal);
    }
    if (!trainer.sound) throw diverged();
    trainer.endEpoch();
  }
  meter.finish();
}

/** Let the event loop hear a cancel, and obey it. */
async function breathe(signal: AbortSignal): Promise<void> {
  await nextTurn();
  if (signal.aborted) throw new UserError('cancelled', 'Finding contexts was cancelled; those found so far are kept.');
}
