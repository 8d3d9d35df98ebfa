/** Leftover check: which contexts of the bank a run's model still names their own class by, and what was made of that. */
import type { LeftoverContext, LeftoverOutcome, LeftoverReport } from '../api/leftover.ts';
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { Random } from '../base/random.ts';
import { contextsOf, putBank, takeBank, type ContextEntry } from '../contexts/bank.ts';
import type { LeftoverResult, LeftoverSpec } from '../contexts/leftover-job.ts';
import { verdictInWords, verdictOf } from '../contexts/leftover-verdict.ts';
import { isLeftover, LEFTOVER_FROM, leftoverScore } from '../contexts/leftover.ts';
import { effectiveClasses } from '../data/classes.ts';
import { putSnapshot, takeSnapshot } from '../data/snapshot.ts';
import { encodePng } from '../export/png.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { compose, meanColour } from '../predict/compositions.ts';
import type { Project } from '../storage/project.ts';
import type { LeftoverQuery } from '../storage/project-store.ts';
import { TrainConfig } from '../training/config.ts';
import { cardOfRun, maskPixels, pixelsOf, targetOf, type ReadImage } from './bank-picture.ts';
import { contextMask } from './context-view.ts';
import type { Act } from './contexts.ts';
import { lookingRun } from './diversity.ts';
import { settleDrafts } from './drafts.ts';
import { requireModel } from './explain.ts';
import { engineJobEnvironment } from './job-environment.ts';
import { requireContext, requireImage } from './require.ts';
import { findRun, headOf } from './run-data.ts';

/** Contexts that are looked at, too, for the base rates, where only a part of the bank is asked about. */
const BASE_CONTEXTS = 1000;
/** Of those that are drawn. */
const SEED = 1;
/** What is looked at. */
export interface LeftoverOptions {
  /** The newest run with a model when absent. */
  runId?: number;
  /** Effective class. */
  classId?: number;
  /** Only what this run has not been asked about with the mask in force. */
  unchecked?: boolean;
}

/**
 * Look for leftovers in the bank as it is now, and keep what the run says.
 * @throws UserError as `lookingRun`; 'empty' where there is nothing to look at; 'cancelled': what was said until then is kept;
 *   'engine', 'memory'
 */
export async function checkLeftovers(
  project: Project,
  { runId, classId, unchecked = false }: LeftoverOptions,
  runJob: RunJob,
  { onEvent, signal }: Pick<RunJobOptions<Progress>, 'onEvent' | 'signal'> = {},
): Promise<LeftoverOutcome> {
  const { store, blobs } = project;
  const run = lookingRun(project, runId);
  await settleDrafts(project);
  const bank = chosenEntries(project, contextsOf(takeBank(store)), run.id, classId, unchecked);
  const spec: LeftoverSpec = {
    snapshotBlob: putSnapshot(blobs, takeSnapshot(store)),
    bankBlob: putBank(blobs, bank),
    blobFolder: blobs.folder,
    model: blobs.path(requireModel(run)),
  };
  const { contexts, unknown, unreadable, left } = await runJob<LeftoverSpec, Progress, LeftoverResult>(
    'leftover',
    spec,
    {
      ...(onEvent ? { onEvent } : {}),
      ...(signal ? { signal } : {}),
      env: engineJobEnvironment(TrainConfig.parse(run.config).threads),
    },
  );
  const createdAt = new Date().toISOString();
  const rows = contexts.map(({ evidence, ...context }) => {
    const why = evidence ?? { filled: null, grown: null, usual: null };
    return { runId: run.id, ...context, ...why, verdict: evidence && verdictOf(evidence), createdAt };
  });
  store.leftover.put(rows);
  if (signal?.aborted && left > 0) {
    const all = contexts.length + left;
    throw new UserError('cancelled', `${contexts.length} of ${all} contexts were looked at; what was found is kept.`);
  }
  return {
    run: run.id,
    checked: contexts.length,
    flagged: contexts.filter(isLeftover).length,
    unknown,
    unreadable: unreadable.map(({ contextId, reason }) => ({ context: contextId, reason })),
  };
}

/** The part of the bank that is asked about, with some of the rest for the base rates. @throws UserError 'empty' */
function chosenEntries(
  { store }: Project,
  bank: ContextEntry[],
  runId: number,
  classId: number | undefined,
  unchecked: boolean,
): ContextEntry[] {
  if (bank.length === 0) {
    throw new UserError('empty', 'The bank is empty, so there are no contexts to look at: accept some first.');
  }
  const fresh = unchecked ? new Set(store.leftover.unchecked(runId)) : null;
  const ofClass =
    classId === undefined
      ? null
      : new Set(store.contexts.find({ states: ['accepted'], retired: false, classIds: [classId] }).map(({ id }) => id));
  const isAsked = ({ contextId }: ContextEntry): boolean =>
    (fresh?.has(contextId) ?? true) && (ofClass?.has(contextId) ?? true);
  const asked = bank.filter(isAsked);
  if (asked.length === 0) {
    const what = unchecked ? 'has been looked at already' : 'is of that class';
    throw new UserError('empty', `No context of the bank is left to look at: ${unchecked ? 'each' : 'none'} ${what}.`);
  }
  const rest = Random.stream(SEED, 'leftover base').shuffle(bank.filter((entry) => !isAsked(entry)));
  return [...asked, ...rest.slice(0, BASE_CONTEXTS)];
}

/**
 * What was found, by class.
 * @param runId the run that was asked last when absent
 * @returns null where no run was asked, or this one was not
 * @throws UserError 'not-found'
 */
export function leftoverReport(project: Project, runId?: number): LeftoverReport | null {
  const { store } = project;
  const asked = runId ?? store.leftover.newestRun();
  if (asked === undefined) return null;
  const run = findRun(project, asked);
  const names = effectiveClasses(store);
  const counts = store.leftover.counts(asked, LEFTOVER_FROM);
  if (counts.length === 0) return null;
  const classes = counts
    .map(({ newest: _newest, ...row }) => ({ ...row, name: names.get(row.classId)!.name }))
    .toSorted((a, b) => b.open - a.open || b.score - a.score);
  const sum = (of: keyof Omit<(typeof counts)[number], 'newest'>): number =>
    counts.reduce((all, row) => all + row[of], 0);
  const unchecked = store.leftover.unchecked(asked).length;
  const verdicts = { leftovers: sum('leftovers'), backgrounds: sum('backgrounds'), outlines: sum('outlines') };
  const parts = { checked: sum('checked'), open: sum('open'), stale: sum('stale'), fine: sum('fine') };
  const totals = { ...parts, ...verdicts, unchecked };
  return {
    run: asked,
    runName: run.name,
    head: headOf(run),
    checkedAt: counts.reduce((newest, row) => (row.newest > newest ? row.newest : newest), ''),
    from: LEFTOVER_FROM,
    ...totals,
    sentence: nextInWords(totals),
    classes,
  };
}

const contexts = (count: number): string => `${count} context${count === 1 ? '' : 's'}`;

function nextInWords(
  totals: Pick<LeftoverReport, 'open' | 'leftovers' | 'backgrounds' | 'outlines' | 'unchecked'>,
): string {
  const { open, leftovers, backgrounds, outlines, unchecked } = totals;
  if (open > 0) {
    const them = open === 1 ? 'it' : 'them';
    const parts = [
      ...(leftovers > 0 ? [`leftovers are likely in ${leftovers}`] : []),
      ...(backgrounds > 0
        ? [`${backgrounds} show${backgrounds === 1 ? 's' : ''} a usual background of the class`]
        : []),
      ...(outlines > 0 ? [`of ${outlines} it is the outline of the mask`] : []),
    ];
    const why = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
    return `The model still names the class of ${contexts(open)} without the foreground${why}: look at ${them}, correct the mask, retire ${them} or say that ${open === 1 ? 'it is' : 'they are'} fine.`;
  }
  const next = unchecked === 0 ? '' : ` Check the ${contexts(unchecked)} that were not looked at yet.`;
  return `Nothing is left to look at: the model names no class by its context alone, or you have seen it.${next}`;
}

/** Contexts that a run was asked about, a page of them. @throws UserError 'not-found' */
export function leftoverContexts(
  project: Project,
  runId: number | undefined,
  query: Omit<LeftoverQuery, 'runId' | 'from'>,
): { total: number; contexts: LeftoverContext[] } {
  const { store } = project;
  const asked = runId ?? store.leftover.newestRun();
  if (asked === undefined) return { total: 0, contexts: [] };
  findRun(project, asked);
  const names = effectiveClasses(store);
  const { total, rows } = store.leftover.list({ ...query, runId: asked, from: LEFTOVER_FROM });
  const described = rows.map(({ contextId, imageId, classId, maskId, runId: _run, createdAt: _at, ...row }) => ({
    ...row,
    context: contextId,
    image: imageId,
    className: names.get(classId)!.name,
    path: store.images.get(imageId)!.path,
    mask: maskId,
    score: leftoverScore(row),
    reason: row.verdict && verdictInWords(row.verdict, names.get(classId)!.name),
  }));
  return { total, contexts: described };
}

/**
 * A context as the model saw it when it was asked.
 * @param options.whole without anything painted over
 * @param options.version of the mask; the one of the time when absent
 * @returns PNG at input size
 * @throws UserError 'not-found'; 'empty' where the run was not asked about it; 'changed', 'damaged'; whatever `read` throws
 */
export async function leftoverPicture(
  project: Project,
  runId: number,
  contextId: number,
  { whole, version }: { whole: boolean; version?: number | undefined },
  read: ReadImage,
): Promise<Buffer> {
  const { store } = project;
  findRun(project, runId);
  const looked = store.leftover.get(runId, contextId);
  const { imageId } = requireContext(store, contextId);
  if (!looked) {
    throw new UserError('empty', `Run ${runId} was not asked about context ${contextId}: check the bank by it first.`);
  }
  const card = await cardOfRun(project, runId);
  const target = targetOf(card);
  const pixels = await pixelsOf(requireImage(store, imageId), target, read);
  if (whole) return encodePng(pixels, target);
  const { blob } = contextMask(store, contextId, version ?? looked.maskId);
  const mask = await maskPixels(project, blob, target);
  return encodePng(compose('no-fg', { pixels, mask }, null, meanColour(card.preprocessing.mean)), target);
}

/**
 * Remember that contexts were looked at and are fine with the masks that they have now, or forget it.
 * @returns how many
 * @throws UserError 'not-found' naming the first unknown context; then none is changed
 */
export async function markFine(project: Project, ids: readonly number[], fine: boolean, act: Act): Promise<number> {
  const { store } = project;
  const unique = [...new Set(ids)];
  for (const id of unique) requireContext(store, id);
  if (fine) {
    await settleDrafts(project, unique);
    const entries = unique.map((contextId) => ({ contextId, maskId: store.contexts.get(contextId)!.maskId }));
    store.leftover.setFine(entries, act.author, act.at);
  } else {
    store.leftover.dropFine(unique);
  }
  return unique.length;
}
