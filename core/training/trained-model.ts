/** The model file of a run that has come to its end. */
import { setImmediate as breathe } from 'node:timers/promises';
import { encodeModelFile, type ModelCard, type SelfTest } from '../models/model-file.ts';
import { logitsOf } from './evaluate.ts';
import type { Evaluator } from './evaluator.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import { selectPictures, type Pictures } from './pictures.ts';
import { evaluationMargin, normalisationOf } from './preprocessing.ts';
import type { Trainer } from './trainer.ts';

/** Pictures in a model's self-test. */
const SELF_TEST_IMAGES = 8;

/**
 * What a trainer has learned, with its card and a self-test.
 * @param pictures that it learned from; some make the self-test
 * @returns the file in parts
 */
export async function modelFileOf(
  trainer: Trainer,
  evaluator: Evaluator,
  pictures: Pictures,
  facts: Pick<ModelCard, 'classes' | 'trainCounts' | 'datasetHash' | 'codeVersion'>,
): Promise<Uint8Array[]> {
  const { config } = trainer;
  const { mean, deviation } = normalisationOf(config);
  const { trunk, balanced, statistics } = trainer.save().network;
  return encodeModelFile({
    card: {
      format: 'contexture model 1',
      model: config.model,
      method: config.method,
      head: METHODS_BY_NAME[config.method].heads.length > 1 ? 'balanced' : 'uniform',
      preprocessing: {
        inputSize: config.inputSize,
        resize: 'cover-crop',
        enlarge: evaluationMargin(config.augment),
        mean: [...mean],
        deviation: [...deviation],
      },
      seed: config.seed,
      epochs: config.epochs,
      variant: null,
      ...facts,
    },
    weights: { trunk, balanced, statistics },
    selfTest: await selfTestOf(trainer, evaluator, pictures),
  });
}

/** A few training pictures, spread over the set, with their logits. */
async function selfTestOf(trainer: Trainer, evaluator: Evaluator, pictures: Pictures): Promise<SelfTest> {
  const count = Math.min(SELF_TEST_IMAGES, pictures.count);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * pictures.count) / count));
  const some = selectPictures(pictures, chosen);
  const logits = await logitsOf(evaluator, trainer.state, some, normalisationOf(trainer.config), () => breathe());
  return { pixels: await some.plain(Int32Array.from(chosen.keys())), ...logits };
}
