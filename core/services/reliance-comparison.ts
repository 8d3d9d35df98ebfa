/** Context reliance of two runs side by side, such as before and after contexts were curated. */
import type { RelianceComparison, RelianceReport } from '../api/reliance.ts';
import { UserError } from '../base/errors.ts';
import type { Head } from '../evaluation/figures.ts';
import {
  compareUnpairedReliance,
  type DifferencesByClass,
  type RelianceComparisonFigures,
  type RelianceOfRun,
} from '../evaluation/reliance-comparison.ts';
import type { RelianceFile } from '../predict/reliance-file.ts';
import type { Project } from '../storage/project.ts';
import type { Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { answersOf, byComposition, figuresOf, relianceReport } from './reliance.ts';
import { compareAnswersToParts, datasetOf, findRun, headOf } from './run-data.ts';

/** Of the bootstrap. */
const SEED = 1;
/** Saliency of one model can differ by so much of 255 with the number of threads, as float32 sums do by their order. */
const SALIENCY_SLACK = 2;

/**
 * By how much a run goes more by the background than a baseline. Groups are by the run's training images and thresholds.
 * @param head of both; each is judged by its own when absent
 * @throws UserError 'not-found'; 'empty' naming a run that was not measured; 'usage' when classes differ; 'damaged'
 */
export async function compareReliance(
  project: Project,
  baselineId: number,
  runId: number,
  wanted?: Head,
): Promise<RelianceComparison> {
  const [first, second] = [findRun(project, baselineId), findRun(project, runId)];
  const files = [answersOf(project, first), answersOf(project, second)] as const;
  const [before, dataset] = await Promise.all([datasetOf(project, first), datasetOf(project, second)]);
  if (before.classes.join('\0') !== dataset.classes.join('\0')) {
    throw new UserError('usage', `Runs ${baselineId} and ${runId} were trained on different classes.`);
  }
  const heads = [headOf(first, wanted), headOf(second, wanted)] as const;
  const a = (await relianceReport(project, baselineId, wanted))!;
  const b = (await relianceReport(project, runId, wanted))!;
  const unpaired = whyUnpaired([first, second], files, [a, b]);
  const figures =
    unpaired === null
      ? await paired(project, [first, second], files, heads, dataset.trainCounts)
      : compareUnpairedReliance(figuresOfReport(a), figuresOfReport(b));
  const { confidence, bgGap } = figures;
  return {
    baseline: baselineId,
    run: runId,
    heads: [...heads],
    masksOf: [a.masksOf, b.masksOf],
    split: b.split,
    images: b.images,
    unpaired,
    bgGap: means(bgGap),
    confidence: byComposition((composition) => means(confidence[composition])),
    classes: b.classes.map(({ label, classId, name, group, trained }) => {
      const differences = {
        bgGap: bgGap.classes[label],
        confidence: byComposition((composition) => confidence[composition].classes[label]),
      };
      return { label, classId, name, group, trained, ...differences };
    }),
  };
}

type Two<T> = readonly [T, T];

function means({ macro, groups }: DifferencesByClass): RelianceComparison['bgGap'] {
  return { macro, groups };
}

function paired(
  { store }: Project,
  [first, second]: Two<Run>,
  [a, b]: Two<RelianceFile>,
  [headA, headB]: Two<Head>,
  trainCounts: readonly number[],
): Promise<RelianceComparisonFigures> {
  const { groups: thresholds } = TrainConfig.parse(second.config);
  const blobs = [first, second].map(({ id }) => store.reliance.ofRun(id)!.blob);
  // The second run's data set counts: two may share their test pictures and not their training pictures.
  const key = [...blobs, headA, headB, second.datasetBlob, thresholds.many, thresholds.few].join(' ');
  return compareAnswersToParts(key, {
    a: figuresOf(a.heads, headA),
    b: figuresOf(b.heads, headB),
    labels: b.labels,
    trainCounts,
    thresholds,
    seed: SEED,
  });
}

/** Why two runs were not shown the same pictures, and what to do; null when they were. */
function whyUnpaired(
  [first, second]: Two<Run>,
  [a, b]: Two<RelianceFile>,
  reports: Two<RelianceReport>,
): string | null {
  const runs = `runs ${first.id} and ${second.id}`;
  const count = a.labels.length;
  if (a.recipe.inputSize !== b.recipe.inputSize || a.recipe.enlarge !== b.recipe.enlarge) {
    return `Not paired: ${runs} see pictures at different sizes.`;
  }
  if (!same(a.labels, b.labels) || !same(a.imageIds.subarray(0, count), b.imageIds.subarray(0, count))) {
    return `Not paired: ${runs} were measured on different pictures.`;
  }
  if (!same(lent(a), lent(b))) {
    return `Not paired: ${runs} were trained on different pictures, so other backgrounds were lent.`;
  }
  if (!sameMasks(a, b)) {
    const [masksA, masksB] = reports.map(({ run, masksOf }) => masksOf ?? `run ${run} itself`);
    return `Not paired: the foregrounds were told by different models (${masksA}; ${masksB}). Measure both by the masks of one run.`;
  }
  if (!sameReviewed(a, b)) {
    const older = reports[0].measuredAt < reports[1].measuredAt ? first : second;
    return `Not paired: masks were accepted or changed between the two measurements. Measure run ${older.id} again, by the same run's masks.`;
  }
  return null;
}

/** Whose background each picture was put in front of, by image; -1 for nobody's. */
function lent({ imageIds, partners }: RelianceFile): Int32Array {
  return Int32Array.from([...partners.same, ...partners.rand], (at) => (at < 0 ? -1 : imageIds[at]));
}

function same(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function sameMasks({ saliency: a, recipe }: RelianceFile, { saliency: b, recipe: other }: RelianceFile): boolean {
  return (
    recipe.threshold === other.threshold &&
    a.width === b.width &&
    a.height === b.height &&
    a.data.length === b.data.length &&
    a.data.every((value, i) => Math.abs(value - b.data[i]) <= SALIENCY_SLACK)
  );
}

function sameReviewed({ recipe: { reviewed: a } }: RelianceFile, { recipe: { reviewed: b } }: RelianceFile): boolean {
  const ids = Object.keys(a);
  return ids.length === Object.keys(b).length && ids.every((id) => a[id] === b[id]);
}

function figuresOfReport({ bgGap, confidence, classes }: RelianceReport): RelianceOfRun {
  return {
    bgGap: { macro: bgGap.macro, groups: bgGap.groups, classes: classes.map((row) => row.bgGap) },
    confidence: byComposition((composition) => {
      const { macro, groups } = confidence[composition];
      return { macro, groups, classes: classes.map((row) => row.confidence[composition]) };
    }),
  };
}
