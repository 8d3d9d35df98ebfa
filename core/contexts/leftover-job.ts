/**
 * The leftover job: shows a model each context of a frozen bank twice, whole and with the foreground painted over, and tells
 * how sure it is of the context's own class (core/contexts/leftover.ts).
 *
 * Painted over is with the mean colour that the model's input is normalised by, as where diversity is measured: to the
 * network it is zero, so what answers is the rest of the picture. Whatever else could be put there, blurred pixels of the
 * object or another picture, would speak for a class itself.
 */
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import { readSnapshot } from '../data/snapshot.ts';
import { startEngine } from '../engine/backend.ts';
import { engineFailure } from '../engine/failure.ts';
import { readEngineInstall } from '../engine/install.ts';
import { predict } from '../evaluation/predictions.ts';
import type { Job } from '../jobs/protocol.ts';
import { Classifier } from '../predict/classifier.ts';
import { compose, meanColour } from '../predict/compositions.ts';
import { readModel } from '../predict/read-model.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { evaluationBatch } from '../training/evaluate.ts';
import { BankPictures, usableEntries, type UsableEntry } from './bank-pictures.ts';
import { readBank } from './bank.ts';
import { BaseRates } from './leftover.ts';

export interface LeftoverSpec {
  snapshotBlob: BlobId;
  /** What is looked at. */
  bankBlob: BlobId;
  blobFolder: string;
  /** Absolute path of the model file. */
  model: string;
}

/** What the model says of one context; see `Leftover`. */
export interface LookedContext {
  contextId: number;
  maskId: number;
  whole: number;
  probability: number;
  base: number;
  answer: string;
  named: boolean;
}

export interface LeftoverResult {
  contexts: LookedContext[];
  /** Contexts whose picture cannot be read; `reason` is one sentence. */
  unreadable: { contextId: number; reason: string }[];
  /** Contexts whose class the model does not know; they were not looked at. */
  unknown: number;
}

/** A context waiting for its batch: its class, and both pictures. */
interface Waiting {
  entry: UsableEntry['entry'];
  label: number;
  whole: Uint8Array;
  painted: Uint8Array;
}

/** What is known of a context before the base rates are. */
type Judged = Omit<LookedContext, 'base'> & { label: number };

/** Pictures that are read while others are looked at. */
const READ_AHEAD = 16;

/** @throws UserError 'empty'; 'not-found' or 'damaged' (the model), 'cancelled', 'engine', 'memory' */
export const leftoverJob: Job<LeftoverSpec, Progress, LeftoverResult> = async (spec, port) => {
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const usable = usableEntries(readBank(blobs, spec.bankBlob), snapshot);
  const file = readModel(spec.model);
  const { classes, preprocessing } = file.card;
  const labelOf = ({ image }: UsableEntry): number => classes.indexOf(snapshot.classes[image.label]);
  const known = usable.filter((entry) => labelOf(entry) >= 0);
  if (known.length === 0) {
    throw new UserError(
      'empty',
      'The bank has no context of a class that this run knows: accept some, or choose another run.',
    );
  }
  startEngine(readEngineInstall());
  const { inputSize: size, enlarge, mean } = preprocessing;
  const fill = meanColour(mean);
  await using pictures = new BankPictures(snapshot, blobs, { width: size, height: size, fit: 'cover', enlarge });
  const result: LeftoverResult = { contexts: [], unreadable: [], unknown: usable.length - known.length };
  const read = async (one: UsableEntry): Promise<Waiting | undefined> => {
    try {
      const picture = await pictures.read(one);
      const painted = compose('no-fg', picture, null, fill);
      return { entry: one.entry, label: labelOf(one), whole: picture.pixels, painted };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      result.unreadable.push({ contextId: one.entry.contextId, reason: error.message });
      return undefined;
    }
  };
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Looking for leftovers',
    unit: 'contexts',
    total: known.length,
  });
  const rates = new BaseRates(classes.length);
  const judged: Judged[] = [];
  const classifier = new Classifier(file, null);
  // Two pictures of each.
  const most = Math.max(1, Math.floor(evaluationBatch(size) / 2));
  let batch: Waiting[] = [];
  try {
    for await (const waiting of mapOrdered(known, READ_AHEAD, read)) {
      if (port.signal.aborted) throw new UserError('cancelled', 'The leftover check was cancelled.');
      if (waiting) batch.push(waiting);
      if (batch.length === most) {
        judged.push(...judge(classifier, batch, rates));
        batch = [];
      }
      meter.add();
    }
    if (batch.length > 0) judged.push(...judge(classifier, batch, rates));
  } catch (error) {
    throw engineFailure(
      error,
      'There is no memory left to look at the bank: close other programs, or choose a run with a smaller network.',
    );
  } finally {
    classifier.dispose();
  }
  meter.finish();
  result.contexts = judged.map(({ label, ...context }) => ({ ...context, base: rates.of(label) }));
  return result;
};

function judge(classifier: Classifier, batch: readonly Waiting[], rates: BaseRates): Judged[] {
  const { classes } = classifier.card;
  const pixels = Buffer.concat(batch.flatMap(({ whole, painted }) => [whole, painted]));
  const probabilities = classifier.probabilities(pixels, 2 * batch.length);
  const answers = predict(probabilities, classes.length);
  const rowOf = (picture: number): Float32Array =>
    probabilities.subarray(picture * classes.length, (picture + 1) * classes.length);
  return batch.map(({ entry: { contextId, maskId }, label }, i) => {
    const painted = rowOf(2 * i + 1);
    rates.add(painted, label);
    const answer = answers[2 * i + 1];
    return {
      contextId,
      maskId,
      label,
      whole: rowOf(2 * i)[label],
      probability: painted[label],
      answer: classes[answer],
      named: answer === label,
    };
  });
}
