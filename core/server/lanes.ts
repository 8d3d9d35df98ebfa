/** What can be at work at the same time, and what each job takes up: told here for the tasks of pages and the commands alike. */
import type { JobKind } from '../jobs/protocol.ts';

/**
 * Tasks of a lane run one after the other: "engine" has the processor or GPU, "files" the disk. "side" is for short work
 * that must not wait, such as trying a model while another one trains.
 */
export const LANES = { engine: 1, files: 1, side: 4 } as const;
export type Lane = keyof typeof LANES;

/** The lane of each job. A kind of task that runs one takes the same. */
export const JOB_LANES: Readonly<Record<JobKind, Lane>> = {
  import: 'files',
  backgrounds: 'files',
  train: 'engine',
  trial: 'engine',
  contexts: 'engine',
  doctor: 'engine',
  export: 'files',
  'preview-export': 'side',
  verify: 'files',
  predict: 'side',
  explain: 'side',
  reliance: 'engine',
  diversity: 'engine',
  leftover: 'engine',
  'near-duplicates': 'engine',
  try: 'side',
  swap: 'side',
  onnx: 'side',
};
