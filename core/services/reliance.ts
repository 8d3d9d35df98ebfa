/** Context reliance of finished runs: measure it, and tell of it by class, group and picture. */
import { LRUCache } from 'lru-cache';
import type { RelianceCases, RelianceReport } from '../api/reliance.ts';
import { UserError } from '../base/errors.ts';
import { asJson } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import { groupsByCount } from '../data/groups.ts';
import type { MaskedPicture } from '../data/masked-picture.ts';
import type { Head } from '../evaluation/figures.ts';
import { COMPOSITIONS, type ByClass, type Composition } from '../evaluation/reliance.ts';
import { encodePng } from '../export/png.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { compose, maskOf } from '../predict/compositions.ts';
import { decodeReliance, type RelianceFile } from '../predict/reliance-file.ts';
import type { RelianceResult, RelianceSpec } from '../predict/reliance-job.ts';
import type { Project } from '../storage/project.ts';
import type { BlobId, Reliance, Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { evaluationMargin } from '../training/preprocessing.ts';
import { settleDrafts } from './drafts.ts';
import { requireModel } from './explain.ts';
import { engineJobEnvironment } from './job-environment.ts';
import { locatedSnapshot } from './located-files.ts';
import { requireImage } from './require.ts';
import { datasetOf, findRun, headOf } from './run-data.ts';
import { pixelsOf, type ReadImage } from './bank-picture.ts';

/**
 * Saliency from which on a place counts as foreground, as a share of the largest: a fifth, as Zhou et al. cut class
 * activation maps ("Learning Deep Features for Discriminative Localization", CVPR 2016).
 */
const FOREGROUND_FROM = 0.2;
/** Of partners and bootstrap: one for all runs, so that they can be compared picture by picture. */
const SEED = 1;
/** Files of answers kept in memory. */
const KEPT = 2;

/** What is kept of a measurement beside the answers. */
export interface StoredReliance extends Omit<RelianceResult, 'blob'> {
  split: string;
  /** The run whose saliency was used, in words; null: the run itself. */
  masksOf: string | null;
}

type Running = Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'>;

/**
 * Look whether it can be measured.
 * @param masksOf the run whose saliency tells foreground from background; null for the run itself
 * @throws UserError 'not-found'; 'empty' for a run without a model; 'usage' when the other run sees pictures otherwise
 */
export async function prepareReliance(
  project: Project,
  runId: number,
  masksOf: number | null,
): Promise<{ run: Run; masks: Run }> {
  const run = findRun(project, runId);
  const masks = masksOf === null ? run : findRun(project, masksOf);
  for (const each of [run, masks]) requireModel(each);
  const [own, other] = await Promise.all([datasetOf(project, run), datasetOf(project, masks)]);
  if (own.classes.join('\0') !== other.classes.join('\0') || seenAs(run) !== seenAs(masks)) {
    throw new UserError(
      'usage',
      `Run ${masks.id} (${masks.name}) has other classes or another input size than run ${run.id}: choose one that has the same.`,
    );
  }
  return { run, masks };
}

function seenAs(run: Run): string {
  const { inputSize, augment } = TrainConfig.parse(run.config);
  return `${inputSize} ${evaluationMargin(augment)}`;
}

/**
 * Measure how far a run goes by the background, on the pictures that it was judged on and with backgrounds of those that it
 * was trained on. Masks that a person accepted are used; the others come from saliency of the true class. Replaces what
 * was measured before.
 * @throws UserError as `prepareReliance`; 'cancelled', 'engine', 'memory'; 'changed', 'not-found', … naming a file
 */
export async function measureReliance(
  project: Project,
  runId: number,
  masksOf: number | null,
  runJob: RunJob,
  { onEvent, signal }: Running = {},
): Promise<void> {
  const { store, blobs } = project;
  const { run, masks } = await prepareReliance(project, runId, masksOf);
  const { split } = await datasetOf(project, run);
  await settleDrafts(project);
  const { inputSize, augment, groups, threads } = TrainConfig.parse(run.config);
  const spec: RelianceSpec = {
    snapshotBlob: locatedSnapshot(project, run.datasetBlob),
    config: { inputSize, augment },
    thresholds: groups,
    blobFolder: blobs.folder,
    cacheFolder: project.cacheFolder,
    modelBlob: requireModel(run),
    masksModelBlob: requireModel(masks),
    reviewed: reviewedMasks(project),
    threshold: FOREGROUND_FROM,
    seed: SEED,
  };
  const { blob, ...result } = await runJob<RelianceSpec, Progress, RelianceResult>('reliance', spec, {
    ...(onEvent ? { onEvent } : {}),
    ...(signal ? { signal } : {}),
    env: engineJobEnvironment(threads),
  });
  const figures: StoredReliance = {
    ...result,
    split: split ?? 'test',
    masksOf: masksOf === null ? null : `run ${masks.id} (${masks.name})`,
  };
  store.reliance.put({ runId, figures: asJson(figures), blob, createdAt: new Date().toISOString() });
}

/** Accepted masks by image. */
function reviewedMasks({ store }: Project): Record<string, BlobId> {
  const accepted = store.contexts.list({ state: 'accepted' });
  return Object.fromEntries(accepted.map(({ imageId, maskId }) => [imageId, store.masks.get(maskId)!.blob]));
}

/** @throws UserError 'not-found' for a run that is not there */
export async function relianceReport(project: Project, runId: number, wanted?: Head): Promise<RelianceReport | null> {
  const run = findRun(project, runId);
  const measured = project.store.reliance.ofRun(runId);
  if (!measured) return null;
  const head = headOf(run, wanted);
  const { heads, images, split, masksOf, reviewed, background } = storedReliance(measured);
  const figures = figuresOf(heads, head);
  const { classes, classIds, trainCounts } = await datasetOf(project, run);
  const groups = groupsByCount(trainCounts, TrainConfig.parse(run.config).groups);
  const means = (of: 'confidence' | 'accuracy') =>
    byComposition((composition) => {
      const { all, macro, groups: byGroup } = figures.compositions[composition][of];
      return { all, macro, groups: byGroup };
    });
  const ofClass = (of: 'confidence' | 'accuracy', label: number) =>
    byComposition((composition): ByClass['classes'][number] => figures.compositions[composition][of].classes[label]);
  return {
    run: runId,
    head,
    measuredAt: measured.createdAt,
    split,
    images,
    masksOf,
    reviewed,
    background,
    confidence: means('confidence'),
    accuracy: means('accuracy'),
    bgGap: {
      images: figures.bgGap.images,
      overall: figures.bgGap.overall,
      macro: figures.bgGap.macroRecall,
      groups: figures.bgGap.groups,
    },
    classes: classes.map((name, label) => {
      return {
        label,
        classId: classIds[label],
        name,
        group: groups[label],
        trained: trainCounts[label],
        confidence: ofClass('confidence', label),
        accuracy: ofClass('accuracy', label),
        bgGap: figures.bgGap.classes[label],
      };
    }),
  };
}

/** Which pictures are asked for. */
export interface CaseQuery {
  head?: Head | undefined;
  /** "swap": by p(original) - p(mixed-rand) · "background": by p(no-fg); largest first. */
  order: 'swap' | 'background';
  /** True label. */
  truth?: number | undefined;
  limit: number;
}

/** The pictures in which a run goes most by the background. @throws UserError 'not-found'; 'empty' where it was not measured */
export function relianceCases(project: Project, runId: number, query: CaseQuery): RelianceCases {
  const run = findRun(project, runId);
  const { imageIds, labels, partners, heads } = answersOf(project, run);
  const head = headOf(run, query.head);
  const { probability, right } = figuresOf(heads, head);
  const known = (i: number, composition: Composition): number | null => {
    const value = probability[cell(i, composition)];
    return Number.isNaN(value) ? null : value;
  };
  const badness = (i: number): number =>
    query.order === 'background'
      ? probability[cell(i, 'no-fg')]
      : probability[cell(i, 'original')] - probability[cell(i, 'mixed-rand')];
  const rows = [...labels.keys()]
    .filter((i) => (query.truth === undefined || labels[i] === query.truth) && !Number.isNaN(badness(i)))
    .toSorted((a, b) => badness(b) - badness(a) || imageIds[a] - imageIds[b])
    .slice(0, query.limit);
  const imageAt = (position: number): number | null => (position < 0 ? null : imageIds[position]);
  return {
    head,
    cases: rows.map((i) => ({
      image: imageIds[i],
      label: labels[i],
      probability: byComposition((composition) => known(i, composition)),
      right: byComposition((composition) =>
        known(i, composition) === null ? null : right[cell(i, composition)] === 1,
      ),
      same: imageAt(partners.same[i]),
      rand: imageAt(partners.rand[i]),
    })),
  };
}

/** Where the answer to a composition of the i-th picture lies. */
const cell = (i: number, composition: Composition): number =>
  i * COMPOSITIONS.length + COMPOSITIONS.indexOf(composition);

/**
 * A picture as the model was shown it.
 * @param read gives the bytes of an image's file
 * @returns PNG at input size
 * @throws UserError 'not-found' for an image that was not among those looked at, or a composition that could not be made;
 *   'empty' where reliance was not measured; 'changed'; whatever `read` throws
 */
export async function composedPicture(
  project: Project,
  runId: number,
  imageId: number,
  composition: Composition,
  read: ReadImage,
): Promise<Buffer> {
  const file = answersOf(project, findRun(project, runId));
  const index = file.imageIds.subarray(0, file.labels.length).indexOf(imageId);
  if (index < 0) {
    throw new UserError('not-found', `Image ${imageId} is none of the pictures that run ${runId} was judged on.`);
  }
  const { inputSize: size, enlarge, fill } = file.recipe;
  const masked = async (at: number): Promise<MaskedPicture> => {
    const image = requireImage(project.store, file.imageIds[at]);
    const pixels = await pixelsOf(image, { width: size, height: size, fit: 'cover', enlarge }, read);
    return { pixels, mask: await maskOf(file, at, project.blobs) };
  };
  const lender = lenderOf(file, index, composition);
  if (lender !== null && lender < 0) {
    throw new UserError('not-found', `There is no training picture whose background image ${imageId} could be given.`);
  }
  const [own, lent] = await Promise.all([masked(index), lender === null ? null : masked(lender)]);
  return encodePng(compose(composition, own, lent, fill), { width: size, height: size });
}

/** Whose background a composition takes; -1 for nobody's, null where it takes none. */
function lenderOf({ partners }: RelianceFile, index: number, composition: Composition): number | null {
  if (composition === 'mixed-same') return partners.same[index];
  return composition === 'mixed-rand' ? partners.rand[index] : null;
}

const files = new LRUCache<BlobId, RelianceFile>({ max: KEPT });

/** What a run answered. @throws UserError 'empty' where reliance was not measured; 'damaged' */
export function answersOf({ store, blobs }: Project, run: Run): RelianceFile {
  const blob = store.reliance.ofRun(run.id)?.blob;
  if (blob === undefined) {
    throw new UserError(
      'empty',
      `Context reliance of run ${run.id} (${run.name}) has not been measured: measure it with \`contexture reliance ${run.id}\`.`,
    );
  }
  const file = files.get(blob) ?? decodeReliance(blobs.get(blob), blobs.path(blob));
  files.set(blob, file);
  return file;
}

function storedReliance({ figures }: Reliance): StoredReliance {
  // As `measureReliance` stored it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return figures as unknown as StoredReliance;
}

/** What there is of a head that the run's method trains. */
export function figuresOf<T>(heads: Record<Head, T | null>, head: Head): T {
  const figures = heads[head];
  if (figures === null) throw new Error(`no answers of the ${head} head were kept`);
  return figures;
}

/** Something of every composition. */
export function byComposition<T>(of: (composition: Composition) => T): Record<Composition, T> {
  return {
    original: of('original'),
    'no-fg': of('no-fg'),
    'only-fg': of('only-fg'),
    'mixed-same': of('mixed-same'),
    'mixed-rand': of('mixed-rand'),
  };
}
