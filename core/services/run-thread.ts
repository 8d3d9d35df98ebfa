/** A thread for what a run's large files tell: the service must not stand still while megabytes of logits are read. */
import { serveThread } from '../base/thread-pool.ts';
import { readSnapshot, trainCounts } from '../data/snapshot.ts';
import { answersFromLogits, type HeadAnswers } from '../evaluation/answers.ts';
import { compareRuns, type Comparison, type ComparisonInput } from '../evaluation/compare.ts';
import type { Head } from '../evaluation/figures.ts';
import { meanLogits } from '../evaluation/predictions.ts';
import {
  comparePairedReliance,
  type PairedRelianceInput,
  type RelianceComparisonFigures,
} from '../evaluation/reliance-comparison.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { decodePredictions, type Predictions } from '../training/predictions-file.ts';

/** What a run was trained on, without its images. */
export interface DatasetFacts {
  /** Class names, their ids in the project and their training images, in label order. */
  classes: string[];
  classIds: number[];
  trainCounts: number[];
  trainImages: number;
  /** What runs on it are judged on, such as "test as found". */
  split: string | null;
}

/** What a run's head answered for each image it was judged on. */
export interface RunAnswers extends HeadAnswers {
  head: Head;
  imageIds: Int32Array;
  labels: Int32Array;
}

export type RunOrder =
  | { type: 'dataset'; folder: string; blob: BlobId }
  | { type: 'answers'; folder: string; blob: BlobId; head: Head }
  | { type: 'compare'; input: ComparisonInput }
  | { type: 'compare-reliance'; input: PairedRelianceInput };

export type RunReply = DatasetFacts | RunAnswers | Comparison | RelianceComparisonFigures;

serveThread(async (order: RunOrder): Promise<RunReply> => {
  switch (order.type) {
    case 'dataset':
      return readDataset(new BlobStore(order.folder), order.blob);
    case 'answers':
      return readAnswers(new BlobStore(order.folder), order.blob, order.head);
    case 'compare':
      return compareRuns(order.input);
    case 'compare-reliance':
      return comparePairedReliance(order.input);
  }
});

function readDataset(blobs: BlobStore, blob: BlobId): DatasetFacts {
  const snapshot = readSnapshot(blobs, blob);
  const counts = trainCounts(snapshot);
  return {
    classes: snapshot.classes,
    classIds: snapshot.classIds,
    trainCounts: counts,
    trainImages: counts.reduce((sum, count) => sum + count, 0),
    split: snapshot.evaluation?.name ?? null,
  };
}

function readAnswers(blobs: BlobStore, blob: BlobId, head: Head): RunAnswers {
  const predictions = decodePredictions(blobs.get(blob), blobs.path(blob));
  const { labels, imageIds } = predictions;
  const logits = logitsOf(predictions, head);
  // Copies: a view would carry the whole file to the other side.
  return {
    head,
    imageIds: Int32Array.from(imageIds),
    labels: Int32Array.from(labels),
    ...answersFromLogits(logits, labels, labels.length === 0 ? 1 : logits.length / labels.length),
  };
}

function logitsOf({ uniform, balanced }: Predictions, head: Head): Float32Array {
  if (head === 'uniform' || balanced === null) return uniform;
  return head === 'balanced' ? balanced : meanLogits(uniform, balanced);
}
