/** How diverse the bank is, by the model of a run. */
import { z } from 'zod';
import { StoredDiversity, type DiversityReport } from '../api/bank.ts';
import { UserError } from '../base/errors.ts';
import { asJson } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import { putBank, takeBank } from '../contexts/bank.ts';
import type { DiversityResult, DiversitySpec } from '../contexts/diversity-job.ts';
import { putSnapshot, takeSnapshot } from '../data/snapshot.ts';
import { percent } from '../evaluation/sentences.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import type { Project } from '../storage/project.ts';
import type { Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { settleDrafts } from './drafts.ts';
import { requireModel } from './explain.ts';
import { engineJobEnvironment } from './job-environment.ts';
import { findRun } from './run-data.ts';

/** Twins that are listed. */
const MOST_TWINS = 500;

/** The setting of a project that keeps the last report. */
const LAST_REPORT = 'bank diversity';
/** A report with what was in the bank when it was asked for, to tell what has changed since. */
const KeptReport = StoredDiversity.omit({ changed: true }).extend({
  event: z.int(),
  /** The plain backgrounds that were in the bank: id and content. */
  held: z.array(z.tuple([z.int(), z.string()])),
});

export interface DiversityOptions {
  /** The newest run with a model when absent. */
  runId?: number;
  /** Cosine from which two contexts count as near twins. */
  twinsFrom: number;
}

/** The run whose model looks. @throws UserError 'not-found'; 'empty' without a model */
export function lookingRun(project: Project, runId?: number): Run {
  const { runs } = project.store;
  const newest = runs
    .listed()
    .find(({ state, modelBlob, trashedAt }) => state === 'finished' && modelBlob !== null && trashedAt === null);
  if (runId === undefined && newest === undefined) {
    throw new UserError('empty', 'No run has finished yet, so there is no model to look at the bank with. Train one.');
  }
  const run = findRun(project, runId ?? newest!.id);
  requireModel(run);
  return run;
}

/** The last report, whoever asked for it; null before the first, and where it is of before plain backgrounds were measured. */
export function lastDiversity({ store }: Project): StoredDiversity | null {
  const kept = KeptReport.safeParse(store.settings.get(LAST_REPORT));
  if (!kept.success) return null;
  const { event, held, ...report } = kept.data;
  return { ...report, changed: store.bank.changedSince(event) + changedBackgrounds(held, heldBackgrounds(store)) };
}

/** Plain backgrounds of the bank: id and content. */
function heldBackgrounds({ backgrounds }: Project['store']): [number, string][] {
  return backgrounds.list().flatMap(({ id, hash, retiredAt }) => (retiredAt === null ? [[id, hash]] : []));
}

/** How many have come, left, or got another file. */
function changedBackgrounds(before: [number, string][], now: [number, string][]): number {
  const left = new Map(before);
  let changed = 0;
  for (const [id, hash] of now) {
    if (left.get(id) !== hash) changed++;
    left.delete(id);
  }
  return changed + left.size;
}

/**
 * Look at the bank as it is now, and keep the report as the last one.
 * @throws UserError as `lookingRun`; 'empty' for an empty bank; 'cancelled', 'engine', 'memory'; 'changed', 'not-found', …
 *   naming a file
 */
export async function measureDiversity(
  project: Project,
  { runId, twinsFrom }: DiversityOptions,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'> = {},
): Promise<DiversityReport> {
  const { store, blobs } = project;
  const run = lookingRun(project, runId);
  await settleDrafts(project);
  const event = store.bank.lastEvent();
  const held = heldBackgrounds(store);
  const spec: DiversitySpec = {
    snapshotBlob: putSnapshot(blobs, takeSnapshot(store)),
    bankBlob: putBank(blobs, takeBank(store)),
    blobFolder: blobs.folder,
    model: blobs.path(requireModel(run)),
    twinsFrom,
    most: MOST_TWINS,
  };
  const result = await runJob<DiversitySpec, Progress, DiversityResult>('diversity', spec, {
    ...(onEvent ? { onEvent } : {}),
    ...(signal ? { signal } : {}),
    env: engineJobEnvironment(TrainConfig.parse(run.config).threads),
  });
  const report = { run: run.id, runName: run.name, twinsFrom, ...result, sentence: nextInWords(result) };
  store.settings.set(LAST_REPORT, asJson({ ...report, measuredAt: new Date().toISOString(), event, held }));
  return report;
}

/** Share of the bank from which one class has too much of it, and of members with a twin from which twins do. */
const TOO_MUCH = 0.5;
const TOO_ALIKE = 0.2;

/**
 * Says when one class has more than half of the bank; null when none has, and when there is nothing beside it.
 * @param plain plain backgrounds of the bank
 */
export function tooMuchInWords(classes: readonly { name: string; contexts: number }[], plain: number): string | null {
  const all = classes.reduce((sum, { contexts }) => sum + contexts, plain);
  const largest = classes.toSorted((a, b) => b.contexts - a.contexts).at(0);
  if (largest === undefined || largest.contexts === all || largest.contexts <= TOO_MUCH * all) return null;
  const share = percent(largest.contexts / all);
  return `${share} of the bank are backgrounds of ${largest.name}: add backgrounds of other classes next.`;
}

/** What to add next: by the first of three rules that applies. */
function nextInWords({ contexts, plain, classes, withTwin }: DiversityResult): string {
  const backgrounds = plain?.backgrounds ?? 0;
  const tooMuch = tooMuchInWords(classes, backgrounds);
  if (tooMuch !== null) return tooMuch;
  const all = contexts + backgrounds;
  if (withTwin > TOO_ALIKE * all) {
    return `${percent(withTwin / all)} of the bank has a near twin: retire one of each pair, and add scenes that the bank does not have.`;
  }
  const poorest = classes.toSorted((a, b) => a.effective - b.effective).at(0);
  if (poorest === undefined) return 'The bank holds plain backgrounds alone: accept contexts of your classes next.';
  return `Backgrounds of ${poorest.name} are the fewest different ones: add some from other scenes next.`;
}
