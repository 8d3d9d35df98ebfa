/**
 * The leftover job: shows a model each context of a frozen bank twice, whole and with the foreground painted over, and tells
 * how sure it is of the context's own class (core/contexts/leftover.ts).
 *
 * Painted over is with the mean colour that the model's input is normalised by, as where diversity is measured: to the
 * network it is zero, so what answers is the rest of the picture. Whatever else could be put there, blurred pixels of the
 * object or another picture, would speak for a class itself. What is flagged is then looked at more closely, to say why
 * (leftover-verdict.ts).
 */
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { Random } from '../base/random.ts';
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
import { BankPictures, usableEntries } from './bank-pictures.ts';
import { readBank } from './bank.ts';
import { fillHole } from './fill-hole.ts';
import { Looker, type Known, type Way } from './leftover-looker.ts';
import { marginOf, type LeftoverEvidence } from './leftover-verdict.ts';
import { BaseRates, isLeftover } from './leftover.ts';
import { morph } from './mask-morphology.ts';

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
  /** Why it is flagged; null where it is not. */
  evidence: LeftoverEvidence | null;
}

export interface LeftoverResult {
  contexts: LookedContext[];
  /** Contexts whose picture cannot be read; `reason` is one sentence. */
  unreadable: { contextId: number; reason: string }[];
  /** Contexts whose class the model does not know; they were not looked at. */
  unknown: number;
  /** Contexts that were not looked at, or not closely enough, when the job was stopped; 0 when it came to its end. */
  left: number;
}

/** What is known of a context before the base rates are. */
type Judged = Omit<LookedContext, 'base' | 'evidence'> & { one: Known };

/** Contexts of each class that are looked at closely beside the flagged ones: base rates and usual backgrounds rest on them. */
const SAMPLE = 24;
/** Of the order in which contexts are looked at, and of those samples. */
const SEED = 1;

/**
 * Stopped, it tells what it has come to: a flagged context is told only once it was looked at closely.
 * @throws UserError 'empty'; 'not-found' or 'damaged' (the model), 'cancelled' where nothing was looked at, 'engine', 'memory'
 */
export const leftoverJob: Job<LeftoverSpec, Progress, LeftoverResult> = async (spec, port) => {
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const usable = usableEntries(readBank(blobs, spec.bankBlob), snapshot);
  const file = readModel(spec.model);
  const { classes, preprocessing } = file.card;
  const known = usable.flatMap((one): Known[] => {
    const label = classes.indexOf(snapshot.classes[one.image.label]);
    return label < 0 ? [] : [{ ...one, label }];
  });
  if (known.length === 0) {
    throw new UserError(
      'empty',
      'The bank has no context of a class that this run knows: accept some, or choose another run.',
    );
  }
  startEngine(readEngineInstall());
  const { inputSize: size, enlarge, mean } = preprocessing;
  await using pictures = new BankPictures(snapshot.roots, blobs, { width: size, height: size, fit: 'cover', enlarge });
  const unreadable = new Map<number, string>();
  const looker = new Looker(new Classifier(file, null), pictures, unreadable, port);
  try {
    const judged: Judged[] = [];
    const rates = new BaseRates(classes.length);
    const painted: Way = (picture) => compose('no-fg', picture, null, meanColour(mean));
    // In random order, so that base rates are near wherever it is stopped.
    const order = Random.stream(SEED, 'leftover order').shuffle([...known]);
    await looker.look('Looking for leftovers', order, [({ pixels }) => pixels, painted], (one, [whole, without]) => {
      const { contextId, maskId } = one.entry;
      rates.add(without, one.label);
      const [answer] = predict(without, classes.length);
      const [probability, named] = [without[one.label], answer === one.label];
      judged.push({ one, contextId, maskId, whole: whole[one.label], probability, answer: classes[answer], named });
    });
    const rated = judged.map((context) => ({ ...context, base: rates.of(context.one.label) }));
    const evidence = await closely(looker, rated, size, classes.length);
    const contexts = rated.flatMap((each): LookedContext[] => {
      const { one: _, ...context } = each;
      const found = evidence.get(context.contextId) ?? null;
      return isLeftover(context) && found === null ? [] : [{ ...context, evidence: found }];
    });
    if (contexts.length === 0 && port.signal.aborted) {
      throw new UserError('cancelled', 'The leftover check was cancelled before it had looked at anything.');
    }
    return {
      contexts: contexts.toSorted((a, b) => a.contextId - b.contextId),
      unreadable: [...unreadable].map(([contextId, reason]) => ({ contextId, reason })),
      unknown: usable.length - known.length,
      left: port.signal.aborted ? known.length - contexts.length - unreadable.size : 0,
    };
  } catch (error) {
    throw engineFailure(
      error,
      'There is no memory left to look at the bank: close other programs, or choose a run with a smaller network.',
    );
  } finally {
    looker.dispose();
  }
};

/**
 * Look closely at what is flagged, and at a sample of each class to hold it against; see leftover-verdict.ts.
 * @returns by `Context.id`; without those that it was stopped before
 */
async function closely(
  looker: Looker,
  judged: readonly (Judged & { base: number })[],
  size: number,
  classes: number,
): Promise<Map<number, LeftoverEvidence>> {
  const flagged = judged.filter(isLeftover);
  if (flagged.length === 0) return new Map();
  const sample = new Set(
    [...Map.groupBy(judged, ({ one }) => one.label).values()].flatMap((ofClass) => ofClass.slice(0, SAMPLE)),
  );
  const chosen = [...new Set([...sample, ...flagged])].map(({ one }) => one);
  const sampled = new Set([...sample].map(({ contextId }) => contextId));
  const filled: Way = ({ pixels, mask }) => fillHole(pixels, mask, size, size);
  const grown: Way = ({ pixels, mask }) => {
    const kept = morph({ width: size, height: size, data: mask }, 'shrink', marginOf(size));
    return fillHole(pixels, kept, size, size);
  };
  const rates = [new BaseRates(classes), new BaseRates(classes)];
  const seen = new Map<number, { label: number; filled: number; grown: number }>();
  await looker.look('Looking closely at what is flagged', chosen, [filled, grown], (one, answers) => {
    const { contextId } = one.entry;
    if (sampled.has(contextId)) for (const [way, answer] of answers.entries()) rates[way].add(answer, one.label);
    const [byFilled, byGrown] = answers.map((answer) => answer[one.label]);
    seen.set(contextId, { label: one.label, filled: byFilled, grown: byGrown });
  });
  const others = Map.groupBy(
    [...seen].filter(([id]) => sampled.has(id)),
    ([, { label }]) => label,
  );
  return new Map(
    flagged.flatMap(({ contextId }): [number, LeftoverEvidence][] => {
      const own = seen.get(contextId);
      if (!own) return [];
      const [baseFilled, baseGrown] = rates.map((rate) => rate.of(own.label));
      const rest = (others.get(own.label) ?? []).filter(([id]) => id !== contextId).map(([, { grown: by }]) => by);
      const mean = rest.reduce((sum, by) => sum + by, 0) / rest.length;
      const usual = rest.length === 0 ? null : mean - baseGrown;
      return [[contextId, { filled: own.filled - baseFilled, grown: own.grown - baseGrown, usual }]];
    }),
  );
}
