import type { Json } from '../base/json.ts';
import type { EpochFigures } from './train-job.ts';

/** The figures of an epoch as the train job sent them, from `Run.figures` or `RunEpoch.figures`; null before there are any. */
export function storedFigures(figures: Json): EpochFigures | null {
  // The run service stores what the job sent, unchanged.
  return figures as unknown as EpochFigures | null;
}
