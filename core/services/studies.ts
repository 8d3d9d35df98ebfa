/** Did my edits help? Runs with a person's edits of masks and without, paired by seed, and what they say. */
import type { StudyReport, StudySummary } from '../api/studies.ts';
import { UserError } from '../base/errors.ts';
import { asJson, type Json } from '../base/json.ts';
import { takeBank, type BankEntry } from '../contexts/bank.ts';
import { uneditedBank } from '../contexts/unedited-bank.ts';
import { groupsByCount } from '../data/groups.ts';
import type { Difference } from '../evaluation/compare.ts';
import { primaryHead, type HeadFigures } from '../evaluation/figures.ts';
import { compareSeeds, type SeedComparison } from '../evaluation/seeds.ts';
import { editsSentence } from '../evaluation/sentences.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { Project } from '../storage/project.ts';
import type { Run, Study, StudyRun } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import type { PresetName } from '../training/presets.ts';
import { storedFigures } from '../training/stored-figures.ts';
import type { TrainEvent } from '../training/train-job.ts';
import { UNEDITED_BANK } from '../training/warnings.ts';
import { settleDrafts } from './drafts.ts';
import { comparePair, datasetOf } from './run-data.ts';
import { freezeData, performRun, queueOtherSeed, queueRun } from './runs.ts';
import { checkedSettings } from './training.ts';

export interface EditStudyRequest {
  preset: PresetName;
  seeds: readonly number[];
  /** Settings of CSA that differ from the preset's, unchecked. */
  settings: Readonly<Record<string, Json>>;
}

/** What is kept of a request. */
interface StoredRequest extends EditStudyRequest {
  curatedShare: number;
  bank: number;
  replaced: number;
  unmatched: number;
}

const ARMS = ['without', 'with'] as const;

/**
 * Make the runs of a study, seed by seed, the one without edits first. Both of a pair have the same data, settings and
 * seed, so they draw the same batches; their banks differ by the edited masks alone. Decisions stay as they are in both.
 * @throws UserError 'empty' when the bank has no edited mask that a model made first; 'usage' for a setting that is wrong, a
 *   seed named twice, or no share of contexts from the bank; else as `queueRun`
 */
export async function startEditStudy(project: Project, request: EditStudyRequest): Promise<Study> {
  const { store } = project;
  const { preset, seeds } = request;
  requireDistinct(seeds);
  const settings = { curatedShare: 1, ...request.settings };
  const { config, overrides } = checkedSettings(store, { method: 'csa', preset, settings });
  const { curatedShare } = config;
  if (curatedShare === 0) {
    throw new UserError(
      'usage',
      'curatedShare is 0: no context would come from the bank, so edits could change nothing. Choose a share above 0.',
    );
  }
  await settleDrafts(project);
  const edited = takeBank(store);
  const { bank: unedited, replaced, unmatched } = uneditedBank(store, edited);
  if (replaced === 0) {
    throw new UserError(
      'empty',
      'No accepted context has a mask that a model made and you edited: there is nothing to compare. Edit some masks first.',
    );
  }
  const banks: Record<StudyRun['arm'], BankEntry[]> = { without: unedited, with: edited };
  const data = freezeData(project);
  const params: StoredRequest = { ...request, curatedShare, bank: edited.length, replaced, unmatched };
  return store.transaction(() => {
    const runs = seeds.flatMap((seed) =>
      ARMS.map((arm): StudyRun => {
        const one = { method: 'csa', preset, overrides: { ...overrides, seed }, name: runName(arm, seed) } as const;
        const { id: runId } = queueRun(project, one, data, banks[arm]);
        if (arm === 'without') noteUnedited(project, runId);
        return { runId, arm, seed };
      }),
    );
    return store.studies.add({ kind: 'edits', params: asJson(params), createdAt: new Date().toISOString(), runs });
  });
}

/** How many contexts the bank has now, and how many of them have a mask that a person edited, stored drafts too. */
export function editsInBank({ store }: Project): { bank: number; edited: number } {
  return { bank: store.contexts.bankSize(), edited: store.contexts.editedInBank() };
}

/**
 * Make more pairs for a study: on the data set and the two banks that were frozen for it, whatever has been edited since.
 * Of a pair that lost a run only that one is made.
 * @returns the runs that were made, seed by seed
 * @throws UserError 'not-found'; 'usage' for a seed that is named twice or has its pair already; 'empty' when all runs of one
 *   side were deleted, and its bank with them
 */
export function addStudySeeds(project: Project, id: number, seeds: readonly number[]): StudyRun[] {
  const { store } = project;
  const { runs } = requireStudy(project, id);
  requireDistinct(seeds);
  const [without, edited] = ARMS.map((arm) => {
    const member = runs.find((run) => run.arm === arm);
    if (member) return store.runs.get(member.runId)!;
    throw new UserError(
      'empty',
      `Every run ${arm} your edits of study ${id} was deleted, and its bank with it: no pair can be added. Ask again for a new study.`,
    );
  });
  const models = { without, with: edited };
  return store.transaction(() => {
    const made = seeds.flatMap((seed) => {
      const missing = ARMS.filter((arm) => !runs.some((run) => run.arm === arm && run.seed === seed));
      if (missing.length === 0) {
        throw new UserError('usage', `Seed ${seed} is in study ${id} already: name seeds that are not.`);
      }
      return missing.map((arm): StudyRun => {
        return { runId: queueOtherSeed(project, models[arm], seed, runName(arm, seed)).id, arm, seed };
      });
    });
    store.studies.addRuns(id, made);
    return made;
  });
}

/**
 * Train what has not finished of a study, run by run. Stopped, it goes on with the same call.
 * @throws UserError 'not-found'; 'cancelled'; as `performRun`
 */
export async function performStudy(
  project: Project,
  id: number,
  runJob: RunJob,
  { onEvent, signal }: { onEvent: (event: TrainEvent, run: Run) => void; signal: AbortSignal },
): Promise<void> {
  for (const { runId } of requireStudy(project, id).runs) {
    const run = project.store.runs.get(runId)!;
    const { state } = await performRun(project, runId, runJob, { onEvent: (event) => onEvent(event, run), signal });
    if (state === 'stopped') throw new UserError('cancelled', `Run ${runId} of study ${id} was stopped.`);
  }
}

/** Newest first. */
export function listStudies(project: Project): Promise<StudySummary[]> {
  return Promise.all(project.store.studies.list().map(async ({ id }) => studyReport(project, id)));
}

/** @throws UserError 'not-found', 'damaged' */
export async function studyReport(project: Project, id: number): Promise<StudyReport> {
  const study = requireStudy(project, id);
  const { preset, seeds, curatedShare, bank, replaced, unmatched } = storedRequest(study);
  const runs = study.runs.map((member) => ({ ...member, run: project.store.runs.get(member.runId)! }));
  const pairs = [...Map.groupBy(runs, ({ seed }) => seed)].flatMap(([seed, members]) => {
    const [without, edited] = ARMS.map((arm) => members.find((member) => member.arm === arm)?.run);
    return without && edited ? [{ seed, without, with: edited }] : [];
  });
  const finished = pairs.filter((pair) => ARMS.every((arm) => pair[arm].state === 'finished'));
  const bySeed = await Promise.all(
    finished.map(async (pair) => {
      const { comparison } = await comparePair(project, pair.without, pair.with);
      const { overall, macroRecall, groups } = comparison;
      return { seed: pair.seed, without: pair.without.id, with: pair.with.id, overall, macroRecall, groups };
    }),
  );
  const overSeeds = await seedReport(project, finished);
  const single: Difference | null = bySeed.length === 1 ? bySeed[0].macroRecall : null;
  return {
    id,
    kind: study.kind,
    createdAt: study.createdAt,
    preset,
    seeds: [...new Set([...seeds, ...runs.map(({ seed }) => seed)])],
    curatedShare,
    bank,
    replaced,
    unmatched,
    pairs: pairs.length,
    finished: finished.length,
    sentence: editsSentence(single ?? overSeeds?.macroRecall ?? null, finished.length),
    runs: runs.map(({ run: { id: run, name, state, seconds }, arm, seed }) => ({
      run,
      name,
      state,
      arm,
      seed,
      seconds,
    })),
    overSeeds,
    bySeed,
  };
}

/** Forget a study; its runs stay. @throws UserError 'not-found' */
export function deleteStudy(project: Project, id: number): void {
  const { runs } = requireStudy(project, id);
  project.store.transaction(() => {
    for (const { runId, arm } of runs) if (arm === 'without') noteUnedited(project, runId);
    project.store.studies.remove(id);
  });
}

/** A run keeps by itself that it had the bank without edits: the study that says so, too, may be forgotten. */
function noteUnedited({ store }: Project, runId: number): void {
  if (store.runs.warnings(runId).some(({ name }) => name === UNEDITED_BANK.name)) return;
  store.runs.addWarning({ runId, ...UNEDITED_BANK, epoch: 0 });
}

async function seedReport(
  project: Project,
  pairs: readonly Record<StudyRun['arm'], Run>[],
): Promise<StudyReport['overSeeds']> {
  if (pairs.length === 0) return null;
  const { top1, macroRecall, groups, classes }: SeedComparison = compareSeeds(
    pairs.map((pair) => [figuresOf(pair.without), figuresOf(pair.with)] as const),
  );
  const [{ with: first }] = pairs;
  const dataset = await datasetOf(project, first);
  const groupOf = groupsByCount(dataset.trainCounts, TrainConfig.parse(first.config).groups);
  const ofFirst = figuresOf(first).classes;
  return {
    top1,
    macroRecall,
    groups,
    classes: classes.map((recall, label) => {
      const [name, trained] = [dataset.classes[label], dataset.trainCounts[label]];
      return { label, name, group: groupOf[label], trained, tested: ofFirst[label].tested, recall };
    }),
  };
}

const runName = (arm: StudyRun['arm'], seed: number): string => `CSA ${arm} my edits, seed ${seed}`;

function requireDistinct(seeds: readonly number[]): void {
  if (new Set(seeds).size < seeds.length) throw new UserError('usage', 'A seed is named twice: name each once.');
}

/** Of a run that has finished. */
function figuresOf(run: Run): HeadFigures {
  return primaryHead(storedFigures(run.figures)!.evaluation!);
}

function requireStudy({ store }: Project, id: number): Study {
  const study = store.studies.get(id);
  if (!study) throw new UserError('not-found', `There is no study ${id} in this project.`);
  return study;
}

function storedRequest({ params }: Study): StoredRequest {
  // As `startEditStudy` stored it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return params as unknown as StoredRequest;
}
