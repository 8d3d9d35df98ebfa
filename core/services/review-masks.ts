/** Many masks at once: changed by one operation, and compared with those of a newer model. */
import { availableParallelism } from 'node:os';
import type { Disputes } from '../api/review.ts';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { ThreadPool } from '../base/thread-pool.ts';
import type { Operation } from '../contexts/mask-morphology.ts';
import type { ReviewOrder, ReviewReply } from '../contexts/review-thread.ts';
import { mapOrdered } from '../data/flow.ts';
import type { Project } from '../storage/project.ts';
import type { Rivals } from '../storage/project-store.ts';
import type { BlobId, Run } from '../storage/records.ts';
import type { Act } from './contexts.ts';
import { settleDrafts } from './drafts.ts';
import { addMasks, type NewMask } from './mask-versions.ts';
import { requireContext } from './require.ts';
import { findRun } from './run-data.ts';

/** Masks that a thread is given at a time, and that are kept by one transaction. */
const SHARE = 16;

/** Operations whose amount is a radius take time for each pixel of it. */
const LARGEST_RADIUS = 200;
const BY_RADIUS: readonly Operation[] = ['grow', 'shrink', 'smooth'];

/** Masks that overlap by less are disputed. */
const AGREED = 0.5;

export interface Running {
  onEvent?: (event: Progress) => void;
  signal?: AbortSignal;
}

/**
 * Change the masks of contexts by one operation each; each is a new version, all are one step. What is painted counts.
 * @returns how many were made
 * @throws UserError 'not-found'; 'usage' for an amount out of range; 'cancelled': the masks made until then stay
 */
export async function morphMasks(
  project: Project,
  ids: readonly number[],
  { operation, amount }: { operation: Operation; amount: number },
  act: Act,
  { onEvent, signal }: Running = {},
): Promise<number> {
  const { store, blobs } = project;
  if (BY_RADIUS.includes(operation) && amount > LARGEST_RADIUS) {
    throw new UserError('usage', `A radius of ${amount} pixels is too large: choose 1 to ${LARGEST_RADIUS}.`);
  }
  for (const id of ids) requireContext(project.store, id);
  await settleDrafts(project, ids, act.at);
  const meter = new ProgressMeter(onEvent ?? (() => {}), { stage: 'Changing masks', unit: 'masks', total: ids.length });
  const step = store.contexts.addStep({ kind: 'mask', ...act });
  await using threads = new Threads();
  const change = async (share: readonly number[]): Promise<NewMask[]> => {
    const order = { type: 'morph', folder: blobs.folder, operation, amount } as const;
    const maskBlobs = share.map((id) => store.masks.get(requireContext(project.store, id).maskId)!.blob);
    const reply = await threads.run({ ...order, blobs: maskBlobs });
    if (!('masks' in reply)) throw new Error('a thread answered another question');
    const made = { origin: 'edit', saliencyId: null, params: { operation, amount } } as const;
    return reply.masks.map((mask, i) => ({ contextId: share[i], ...mask, made }));
  };
  for await (const masks of mapOrdered(shares(ids), 2 * availableParallelism(), change)) {
    if (signal?.aborted) throw new UserError('cancelled', `${meter.done} of ${ids.length} masks were changed.`);
    await addMasks(project, masks, act, step);
    meter.add(masks.length);
  }
  meter.finish();
  return ids.length;
}

const key = ({ blob, modelBlob }: Pick<Rivals, 'blob' | 'modelBlob'>): string => `${blob} ${modelBlob}`;

/** Overlaps that were computed, by both blobs. */
const overlaps = new WeakMap<Project, Map<string, number>>();

/** Pairs of a reviewed mask and the one of a run's model that have not been compared yet. @throws UserError as `disputedMasks` */
export function uncomparedMasks(project: Project, runId: number | undefined): Rivals[] {
  const known = overlaps.get(project);
  const pairs = project.store.masks.rivals(judgingRun(project, runId).modelBlob!);
  return [...new Map(pairs.map((pair) => [key(pair), pair])).values()].filter((pair) => known?.has(key(pair)) !== true);
}

/**
 * Compare what has not been compared yet; what was compared stays when it is cancelled.
 * @throws UserError as `disputedMasks`
 */
export async function compareMasks(
  project: Project,
  runId: number | undefined,
  { onEvent, signal }: Running = {},
): Promise<void> {
  const missing = uncomparedMasks(project, runId);
  if (missing.length === 0) return;
  const known = overlaps.get(project) ?? new Map<string, number>();
  overlaps.set(project, known);
  const total = missing.length;
  const meter = new ProgressMeter(onEvent ?? (() => {}), { stage: 'Comparing masks', unit: 'masks', total });
  await using threads = new Threads();
  const compare = async (share: readonly Rivals[]): Promise<number> => {
    if (signal?.aborted) throw new UserError('cancelled', `${meter.done} of ${total} masks were compared.`);
    const both = share.map(({ blob, modelBlob }): [BlobId, BlobId] => [blob, modelBlob]);
    const reply = await threads.run({ type: 'iou', folder: project.blobs.folder, pairs: both });
    if (!('overlaps' in reply)) throw new Error('a thread answered another question');
    for (const [i, iou] of reply.overlaps.entries()) known.set(key(share[i]), iou);
    return share.length;
  };
  for await (const compared of mapOrdered(shares(missing), 2 * availableParallelism(), compare)) meter.add(compared);
  meter.finish();
}

/**
 * Reviewed contexts (accepted, or with a mask that a person made) whose foreground overlaps by less than half with that of
 * the mask that a run's model made, by intersection over union of what is less than half context.
 * @param runId the newest run that contexts were found with when absent
 * @throws UserError 'empty' when contexts were found with none; 'not-found'; 'cancelled'
 */
export async function disputedMasks(
  project: Project,
  runId: number | undefined,
  running: Running = {},
): Promise<Disputes> {
  await compareMasks(project, runId, running);
  const run = judgingRun(project, runId);
  const known = overlaps.get(project);
  const pairs = project.store.masks.rivals(run.modelBlob!).flatMap((pair) => {
    // One that was painted just now is left out: it is compared with the next request.
    const iou = known?.get(key(pair));
    return iou === undefined ? [] : [{ context: pair.contextId, mask: pair.maskId, modelMask: pair.modelMaskId, iou }];
  });
  const disputed = pairs.filter(({ iou }) => iou < AGREED).toSorted((a, b) => a.iou - b.iou || a.context - b.context);
  return { run: run.id, runName: run.name, compared: pairs.length, disputed };
}

function judgingRun(project: Project, runId: number | undefined): Run {
  const id = runId ?? project.store.saliencies.newestRun();
  if (id === undefined) {
    throw new UserError(
      'empty',
      'No contexts were found with a run yet, so no model disputes a mask. Find some first.',
    );
  }
  const run = findRun(project, id);
  if (run.modelBlob === null)
    throw new UserError('empty', `Run ${id} (${run.name}) has no model yet: it has not finished.`);
  return run;
}

/** Threads for the time of one call. */
class Threads extends ThreadPool<ReviewOrder, ReviewReply> implements AsyncDisposable {
  constructor() {
    super(new URL('../contexts/review-thread.ts', import.meta.url), { threads: availableParallelism(), data: null });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function shares<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / SHARE) }, (_, i) => items.slice(i * SHARE, (i + 1) * SHARE));
}
