/**
 * The swap job: what a model says of one picture with several contexts laid over it, each with several strengths. The
 * model stays loaded for the next order where the process does.
 */
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Target } from '../data/decode.ts';
import { readMask, readPixels, type MaskedPicture } from '../data/masked-picture.ts';
import { SnapshotFiles, type SizedFile } from '../data/snapshot-files.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import { engineFailure } from '../engine/failure.ts';
import type { Head } from '../evaluation/figures.ts';
import type { Job } from '../jobs/protocol.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { headsOfModel } from './answers.ts';
import type { Classifier } from './classifier.ts';
import { keptClassifier } from './kept-classifier.ts';
import { PIXELS_A_BATCH } from './predict-job.ts';
import { swapAnswers, swapPixels, type SwapAnswer, type SwapMask } from './swap.ts';

export interface SwapSpec {
  /** Absolute path of the model file. */
  model: string;
  blobFolder: string;
  roots: SnapshotRoot[];
  target: SizedFile;
  /** Name of its class. */
  className: string;
  contexts: { picture: SizedFile; maskBlob: BlobId }[];
  lambdas: number[];
  mask: SwapMask;
}

export interface SwapResult {
  /** Class names in label order. */
  classes: string[];
  /** Those that answer; the answers below are in this order. */
  heads: Head[];
  /** Of the picture as it is. */
  plain: SwapAnswer[];
  /** In the order of `contexts`; `cells` in that of `lambdas`, empty where there is a problem, in one sentence. */
  rows: { problem: string | null; cells: SwapAnswer[][] }[];
}

/** @throws UserError 'not-found', 'damaged' or 'changed' (the model or the picture), 'engine', 'memory', 'cancelled' */
export const swapJob: Job<SwapSpec, Progress, SwapResult> = async (spec, port) => {
  const files = new SnapshotFiles(spec.roots);
  try {
    const classifier = keptClassifier(spec.model);
    const { card } = classifier;
    const { inputSize: size, enlarge } = card.preprocessing;
    const target: Target = { width: size, height: size, fit: 'cover', enlarge };
    const blobs = new BlobStore(spec.blobFolder);
    const pixels = await readPixels(files, spec.target, target);
    const read = async ({ picture, maskBlob }: SwapSpec['contexts'][number]): Promise<MaskedPicture | string> => {
      try {
        return {
          pixels: await readPixels(files, picture, target),
          mask: await readMask(blobs, maskBlob, target),
        };
      } catch (error) {
        if (error instanceof UserError) return error.message;
        throw error;
      }
    };
    const contexts = await Promise.all(spec.contexts.map(read));
    const usable = contexts.filter((context) => typeof context !== 'string');
    const made = usable.flatMap((context) =>
      spec.lambdas.map((lambda) => swapPixels(pixels, context, lambda, spec.mask)),
    );
    if (port.signal.aborted) throw new UserError('cancelled', 'The preview was cancelled.');
    const label = card.classes.indexOf(spec.className);
    const heads = headsOfModel(card);
    const byHead = probabilitiesOf(classifier, [pixels, ...made], heads).map((probabilities) =>
      swapAnswers(probabilities, card.classes.length, label < 0 ? null : label),
    );
    const answersTo = (picture: number): SwapAnswer[] => byHead.map((answers) => answers[picture]);
    let next = 1;
    const rows = contexts.map((context) => {
      if (typeof context === 'string') return { problem: context, cells: [] };
      return { problem: null, cells: spec.lambdas.map(() => answersTo(next++)) };
    });
    return { classes: card.classes, heads: [...heads], plain: answersTo(0), rows };
  } catch (error) {
    throw engineFailure(error, 'There is no memory left for a preview: close other programs and try again.');
  } finally {
    await files.close();
  }
};

/** Of every head that answers, in their order. @returns [pictures, classes] each */
function probabilitiesOf(
  classifier: Classifier,
  pictures: readonly Uint8Array[],
  heads: readonly Head[],
): Float32Array[] {
  const { classes, preprocessing } = classifier.card;
  const most = Math.max(1, Math.floor(PIXELS_A_BATCH / preprocessing.inputSize ** 2));
  const all = heads.map(() => new Float32Array(pictures.length * classes.length));
  for (let start = 0; start < pictures.length; start += most) {
    const batch = pictures.slice(start, start + most);
    const answers = classifier.answers(Buffer.concat(batch), batch.length);
    for (const [i, head] of heads.entries()) all[i].set(answers[head]!, start * classes.length);
  }
  return all;
}
