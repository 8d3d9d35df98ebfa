/** The bank as a person keeps it: contexts retired and put back, notes, and what was made with a context. */
import { setImmediate } from 'node:timers/promises';
import type { ContextUses, MadeWith } from '../api/bank.ts';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { readBank } from '../contexts/bank.ts';
import type { Project } from '../storage/project.ts';
import type { UseCount } from '../storage/project-store.ts';
import type { Act } from './contexts.ts';
import { requireContext } from './require.ts';

/**
 * Take contexts out of the bank or put them back, all or none, as one step. What they are decided to be stays.
 * @returns those that changed
 * @throws UserError 'not-found' naming the first unknown context
 */
export function retireContexts(
  { store }: Project,
  ids: readonly number[],
  retired: boolean,
  { author, at }: Act,
): number[] {
  return store.transaction(() => {
    const step = store.contexts.addStep({ kind: retired ? 'retire' : 'reinstate', author, at });
    const changed = ids.filter((id) => (requireContext(store, id).retiredAt !== null) !== retired);
    for (const id of changed) store.contexts.setRetired(id, retired, author, at, step);
    return changed;
  });
}

/** Write the note of a context. @throws UserError 'not-found' */
export function noteContext({ store }: Project, id: number, note: string): void {
  requireContext(store, id);
  store.contexts.setNote(id, note.trim());
}

/** What was made with a context. @throws UserError 'not-found'; 'damaged' when the bank of a run is */
export async function contextUses(project: Project, id: number): Promise<ContextUses> {
  const { store } = project;
  const { maskId: inForce } = requireContext(store, id);
  await countUses(project);
  const used = store.uses.ofContext(id);
  const runs = used.runs.map(({ id: run, maskId, ...rest }) => ({ run, ...rest, ...versionOf(maskId, inForce) }));
  const exports = used.exports.map(({ id: made, maskId, ...rest }) => ({
    export: made,
    ...rest,
    ...versionOf(maskId, inForce),
  }));
  return { runs, exports, sentence: usesInWords(runs, exports) };
}

function versionOf(mask: number, inForce: number): { mask: number; current: boolean } {
  return { mask, current: mask === inForce };
}

/** How often contexts were used, in the order asked for; ids that are not there were used by nothing. */
export async function useCounts(project: Project, ids: readonly number[]): Promise<UseCount[]> {
  await countUses(project);
  return project.store.uses.counts(ids);
}

/** What was made with any of these contexts, and stays as it is. */
export async function madeWith(project: Project, ids: readonly number[]): Promise<MadeWith> {
  await countUses(project);
  const { runs, exports } = project.store.uses.ofContexts(ids);
  if (runs + exports === 0)
    return { runs, exports, sentence: `Nothing was made with ${ids.length === 1 ? 'it' : 'them'} yet.` };
  const made = `${madeInWords(runs, exports)} made with ${ids.length === 1 ? 'it' : 'them'} before`;
  return { runs, exports, sentence: `${made} and ${runs + exports === 1 ? 'stays as it is' : 'stay as they are'}.` };
}

function usesInWords(runs: ContextUses['runs'], exports: ContextUses['exports']): string {
  const madeBy = new Set(exports.map((row) => row.export)).size;
  if (runs.length + madeBy === 0) return 'Nothing was made with it yet.';
  const all = `${madeInWords(runs.length, madeBy)} made with it`;
  const oldRuns = runs.filter(({ current }) => !current).length;
  const oldExports = new Set(exports.filter(({ current }) => !current).map((row) => row.export)).size;
  if (oldRuns + oldExports === 0) return `${all}.`;
  if (oldRuns === runs.length && oldExports === madeBy) return `${all}, with an earlier mask.`;
  return `${all}; ${madeInWords(oldRuns, oldExports)} made with an earlier mask.`;
}

/** "2 runs and 1 export were" */
function madeInWords(runs: number, exports: number): string {
  const parts = [...(runs > 0 ? [numbered(runs, 'run')] : []), ...(exports > 0 ? [numbered(exports, 'export')] : [])];
  return `${parts.join(' and ')} ${runs + exports === 1 ? 'was' : 'were'}`;
}

function numbered(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Count the banks and exports that have not been counted yet; each is read once and never again.
 * @throws UserError 'cancelled': what has been counted stays; 'damaged' when the bank of a run is
 */
export async function countUses(
  { store, blobs }: Project,
  { onEvent, signal }: { onEvent?: (event: Progress) => void; signal?: AbortSignal } = {},
): Promise<void> {
  const total = store.uses.newBanks();
  const meter = new ProgressMeter(onEvent ?? (() => {}), { stage: 'Counting uses', unit: 'banks', total });
  for (let blob = store.uses.newBank(); blob !== undefined; blob = store.uses.newBank()) {
    if (signal?.aborted) throw new UserError('cancelled', `${meter.done} of ${total} banks were counted.`);
    store.uses.addBank(blob, readBank(blobs, blob));
    meter.add();
    // An older project may have hundreds, each a fraction of a second: others are served in between.
    await setImmediate();
  }
  for (let blob = store.uses.staleBank(); blob !== undefined; blob = store.uses.staleBank()) {
    store.uses.recount(blob, readBank(blobs, blob));
    await setImmediate();
  }
  store.uses.addExports();
  if (total > 0) meter.finish();
}
