/** What a run answered: lists of images, the confusion matrix, and where two runs differ. */
import type { ANSWER_KINDS, ANSWER_ORDERS, Answers, Confusion } from '../api/runs.ts';
import type { Disagreements } from '../api/compare.ts';
import type { Head } from '../evaluation/figures.ts';
import { confusionMatrix } from '../evaluation/predictions.ts';
import type { Project } from '../storage/project.ts';
import { answersOfRun, datasetOf, findRun, pairRuns } from './run-data.ts';
import type { RunAnswers } from './run-thread.ts';

/** Which answers are asked for. */
export interface AnswerQuery {
  head?: Head | undefined;
  kind: (typeof ANSWER_KINDS)[number];
  /** Labels. */
  truth?: number | undefined;
  predicted?: number | undefined;
  order: (typeof ANSWER_ORDERS)[number];
  descending: boolean;
}

/** The answers that fit, in order. @throws UserError 'not-found', 'empty' (not finished), 'damaged' */
export async function runAnswers(project: Project, id: number, query: AnswerQuery): Promise<Answers> {
  const answers = await answersOfRun(project, findRun(project, id), query.head);
  const { imageIds, labels, predicted, confidence, trueProbability } = answers;
  const positions = [...labels.keys()].filter((i) => {
    if (query.kind !== 'all' && (labels[i] === predicted[i]) !== (query.kind === 'right')) return false;
    if (query.truth !== undefined && labels[i] !== query.truth) return false;
    return query.predicted === undefined || predicted[i] === query.predicted;
  });
  const by = { confidence, 'true-probability': trueProbability, image: imageIds }[query.order];
  const sign = query.descending ? -1 : 1;
  positions.sort((a, b) => sign * (by[a] - by[b]) || imageIds[a] - imageIds[b]);
  return {
    head: answers.head,
    images: positions.map((i) => imageIds[i]),
    truth: positions.map((i) => labels[i]),
    predicted: positions.map((i) => predicted[i]),
    confidence: positions.map((i) => rounded(confidence[i])),
    trueProbability: positions.map((i) => rounded(trueProbability[i])),
  };
}

/** The confusion matrix. @throws UserError as `runAnswers` */
export async function runConfusion(project: Project, id: number, wanted?: Head): Promise<Confusion> {
  const run = findRun(project, id);
  const [{ head, labels, predicted }, dataset] = await Promise.all([
    answersOfRun(project, run, wanted),
    datasetOf(project, run),
  ]);
  const count = dataset.classes.length;
  const matrix = confusionMatrix(predicted, labels, count);
  const cells: number[] = [];
  for (const [at, images] of matrix.entries()) {
    if (images > 0) cells.push(Math.floor(at / count), at % count, images);
  }
  return {
    head,
    classes: dataset.classes.map((name, label) => {
      return { classId: dataset.classIds[label], name, trained: dataset.trainCounts[label] };
    }),
    cells,
  };
}

/** Which disagreements are asked for. */
export interface DisagreementQuery {
  head?: Head | undefined;
  /** "gained": only the run is right. "lost": only the baseline is. */
  kind: 'gained' | 'lost';
  /** Label. */
  truth?: number | undefined;
}

/**
 * Images that one of two runs has right and the other wrong, those first of which the right one is surest.
 * @throws UserError as `pairRuns`
 */
export async function disagreements(
  project: Project,
  baselineId: number,
  runId: number,
  query: DisagreementQuery,
): Promise<Disagreements> {
  const [first, second] = [findRun(project, baselineId), findRun(project, runId)];
  const { baseline, run, inBaseline, inRun } = await pairRuns(project, first, second, query.head);
  const pairs = inBaseline
    .map((i, k) => ({ i, j: inRun[k] }))
    .filter(({ i, j }) => {
      if (query.truth !== undefined && baseline.labels[i] !== query.truth) return false;
      const [before, after] = [isRight(baseline, i), isRight(run, j)];
      return query.kind === 'gained' ? after && !before : before && !after;
    });
  const surest = ({ i, j }: { i: number; j: number }): number =>
    query.kind === 'gained' ? run.confidence[j] : baseline.confidence[i];
  pairs.sort((a, b) => surest(b) - surest(a) || a.i - b.i);
  return {
    images: pairs.map(({ i }) => baseline.imageIds[i]),
    truth: pairs.map(({ i }) => baseline.labels[i]),
    baseline: pairs.map(({ i }) => baseline.predicted[i]),
    run: pairs.map(({ j }) => run.predicted[j]),
    baselineConfidence: pairs.map(({ i }) => rounded(baseline.confidence[i])),
    runConfidence: pairs.map(({ j }) => rounded(run.confidence[j])),
  };
}

function isRight({ labels, predicted }: RunAnswers, i: number): boolean {
  return labels[i] === predicted[i];
}

/** What a float32 knows. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
