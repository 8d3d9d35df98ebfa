/** Which module each job is. Loaded on demand: only the jobs that need TensorFlow ever load it. */
import type { JobKind } from './protocol.ts';
import type { AnyJob } from './serve.ts';

const MODULES: Readonly<Record<JobKind, { file: string; name: string }>> = {
  import: { file: '../data/import-job.ts', name: 'importJob' },
  backgrounds: { file: '../data/backgrounds-job.ts', name: 'backgroundsJob' },
  train: { file: '../training/train-job.ts', name: 'trainJob' },
  trial: { file: '../training/trial-job.ts', name: 'trialJob' },
  contexts: { file: '../contexts/contexts-job.ts', name: 'contextsJob' },
  export: { file: '../export/export-job.ts', name: 'exportJob' },
  'preview-export': { file: '../export/preview-job.ts', name: 'previewJob' },
  verify: { file: '../export/verify-job.ts', name: 'verifyJob' },
  predict: { file: '../predict/predict-job.ts', name: 'predictJob' },
  explain: { file: '../predict/explain-job.ts', name: 'explainJob' },
  reliance: { file: '../predict/reliance-job.ts', name: 'relianceJob' },
  diversity: { file: '../contexts/diversity-job.ts', name: 'diversityJob' },
  leftover: { file: '../contexts/leftover-job.ts', name: 'leftoverJob' },
  'near-duplicates': { file: '../near/near-duplicates-job.ts', name: 'nearDuplicatesJob' },
  try: { file: '../predict/try-job.ts', name: 'tryJob' },
  swap: { file: '../predict/swap-job.ts', name: 'swapJob' },
  onnx: { file: '../onnx/onnx-job.ts', name: 'onnxJob' },
  doctor: { file: '../engine/doctor.ts', name: 'doctorJob' },
};

const isJobKind = (kind: string): kind is JobKind => Object.hasOwn(MODULES, kind);
const isJob = (value: unknown): value is AnyJob => typeof value === 'function';

/** The job of that name. @throws Error when there is none */
export async function loadJob(kind: string): Promise<AnyJob> {
  if (!isJobKind(kind)) throw new Error(`there is no job named "${kind}"`);
  const { file, name } = MODULES[kind];
  const module: Record<string, unknown> = await import(file);
  const job = module[name];
  if (!isJob(job)) throw new Error(`${file} exports no ${name}`);
  return job;
}
