/**
 * The try job: what a model says of a few pictures, in a process that is kept with the model loaded, so that the next
 * pictures are answered at once. Otherwise as the explain job.
 */
import type { Progress } from '../base/progress.ts';
import type { Job } from '../jobs/protocol.ts';
import { explain, type ExplainEvent, type ExplainSpec } from './explain-job.ts';
import { keptClassifier } from './kept-classifier.ts';

/** The head is the one that the model answers by. */
export type TrySpec = Omit<ExplainSpec, 'head'>;

/** @throws UserError 'not-found' or 'damaged' (the model), 'engine', 'memory' */
export const tryJob: Job<TrySpec, Progress, ExplainEvent[]> = async (spec, { signal }) => {
  const events: ExplainEvent[] = [];
  await explain(keptClassifier(spec.model), spec, { emit: (event) => void events.push(event), signal });
  return events.filter(({ type }) => type !== 'progress');
};
