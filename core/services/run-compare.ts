/** Runs side by side: settings that differ, figures, seeds, and paired differences. */
import type { PairComparison, RunComparison, SeedGroup } from '../api/compare.ts';
import { UserError } from '../base/errors.ts';
import { canonicalJson, type Json } from '../base/json.ts';
import { groupsByCount } from '../data/groups.ts';
import type { Head } from '../evaluation/figures.ts';
import { studentInterval } from '../evaluation/intervals.ts';
import { seedDifference } from '../evaluation/seeds.ts';
import type { Project } from '../storage/project.ts';
import type { Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { storedFigures, storedSummary, type EpochSummary } from '../training/stored-figures.ts';
import { comparePair, findRun, headOf, methodOf, pairRuns } from './run-data.ts';
import { rowOf } from './run-history.ts';

type HeadSummary = NonNullable<EpochSummary['evaluation']>['heads']['uniform'];
type Figures = SeedGroup['figures'];
type FigureName = keyof Figures;

/**
 * Put runs side by side.
 * @param ids two or more, each once
 * @param baseline one of them; the first when absent
 * @throws UserError 'not-found'; 'usage' when a run is named twice or the baseline is none of them; 'damaged'
 */
export async function compareManyRuns(
  project: Project,
  ids: readonly number[],
  { baseline: wanted, head }: { baseline?: number | undefined; head?: Head | undefined } = {},
): Promise<RunComparison> {
  if (new Set(ids).size < ids.length) throw new UserError('usage', 'A run is named twice: name each once.');
  const baselineId = wanted ?? ids[0];
  if (!ids.includes(baselineId)) {
    throw new UserError('usage', `The baseline, run ${baselineId}, is none of the runs that are compared.`);
  }
  const runs = ids.map((id) => findRun(project, id));
  const baseline = findRun(project, baselineId);
  const unpaired = await Promise.all(
    runs.map(async (run) => (run.id === baselineId ? null : whyUnpaired(project, baseline, run, head))),
  );
  return {
    baseline: baselineId,
    runs: runs.map((run, i) => {
      const used = headOf(run, head);
      return {
        run: rowOf(run, project.store.runs.epochCount(run.id)),
        head: used,
        summary: storedFigures(run.figures)?.evaluation?.heads[used] ?? null,
        unpaired: unpaired[i],
      };
    }),
    settings: differingSettings(runs),
    seedGroups: seedGroups(runs, baseline, head),
  };
}

/** Why two runs cannot be paired image by image; null when they can. */
async function whyUnpaired(project: Project, baseline: Run, run: Run, head?: Head): Promise<string | null> {
  try {
    await pairRuns(project, baseline, run, head);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/**
 * A run against a baseline, on the test images that both were judged on.
 * @throws UserError 'not-found'; 'empty' when one has not finished; 'usage' when classes or images differ; 'damaged'
 */
export async function comparePairOfRuns(
  project: Project,
  baselineId: number,
  runId: number,
  head?: Head,
): Promise<PairComparison> {
  const [first, second] = [findRun(project, baselineId), findRun(project, runId)];
  const { pair, comparison } = await comparePair(project, first, second, head);
  const { classes, classIds, trainCounts, split } = pair.dataset;
  const groups = groupsByCount(trainCounts, TrainConfig.parse(second.config).groups);
  return {
    baseline: baselineId,
    run: runId,
    heads: [pair.baseline.head, pair.run.head],
    split: split ?? 'test',
    images: comparison.images,
    overall: comparison.overall,
    macroRecall: comparison.macroRecall,
    groups: comparison.groups,
    ranges: comparison.ranges,
    classes: comparison.classes.map((recall, label) => {
      return {
        label,
        classId: classIds[label],
        name: classes[label],
        group: groups[label],
        trained: trainCounts[label],
        recall,
      };
    }),
  };
}

/** Settings by dotted name, and what else a run's digits depend on. */
function settingsOf(run: Run): Map<string, string> {
  const settings = new Map<string, string>();
  const add = (name: string, value: Json): void => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) add(name === '' ? key : `${name}.${key}`, inner);
    } else {
      settings.set(name, Array.isArray(value) ? value.map(String).join(', ') : String(value));
    }
  };
  add('', run.config);
  settings.set('data set', run.datasetHash.slice(0, 12));
  settings.set('curated bank', run.bankHash?.slice(0, 12) ?? 'none');
  settings.set('version', run.codeVersion);
  return settings;
}

function differingSettings(runs: readonly Run[]): RunComparison['settings'] {
  const all = runs.map((run) => settingsOf(run));
  const names = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  return names.flatMap((name) => {
    const values = all.map((settings) => settings.get(name) ?? '-');
    return values.every((value) => value === values[0]) ? [] : [{ name, values }];
  });
}

/** What runs of one seed group have in common. Threads change digits by rounding only. */
function groupKey({ config, datasetHash, bankHash }: Run): string {
  const { seed: _, threads: _threads, ...settings } = TrainConfig.parse(config);
  return canonicalJson([settings, datasetHash, bankHash]);
}

/** Runs by everything but their seed, the group of the baseline first; of equal seeds the newest run counts. */
function seedGroups(runs: readonly Run[], baseline: Run, head?: Head): SeedGroup[] {
  const groups = new Map<string, Map<number, Run>>([[groupKey(baseline), new Map()]]);
  for (const run of runs.toSorted((a, b) => a.id - b.id)) {
    const key = groupKey(run);
    groups.set(key, (groups.get(key) ?? new Map<number, Run>()).set(run.seed, run));
  }
  const members = [...groups.values()];
  const [base] = members;
  const names = groupNames(members.map((group) => [...group.values()][0]));
  return members.map((group, i) => ({
    name: names[i],
    runs: [...group.values()].map(({ id, seed }) => ({ run: id, seed })).toSorted((a, b) => a.seed - b.seed),
    figures: byFigure((name) => meanOf([...group.values()].flatMap((run) => figureOf(run, name, head) ?? []))),
    differences: group === base ? null : differences(base, group, head),
  }));
}

function meanOf(values: readonly number[]): Figures['top1'] {
  if (values.length === 0) return null;
  const { mean, deviation } = studentInterval(values);
  return { mean, deviation, seeds: values.length };
}

function differences(
  base: ReadonlyMap<number, Run>,
  group: ReadonlyMap<number, Run>,
  head?: Head,
): SeedGroup['differences'] {
  const shared = [...base.keys()].filter((seed) => group.has(seed));
  if (shared.length === 0) return null;
  return byFigure((name) =>
    seedDifference(
      shared.map((seed) => [figureOf(base.get(seed)!, name, head), figureOf(group.get(seed)!, name, head)] as const),
    ),
  );
}

function figureOf(run: Run, name: FigureName, head?: Head): number | null {
  const figures: HeadSummary | null | undefined = storedSummary(run.figures)?.evaluation?.heads[headOf(run, head)];
  if (!figures) return null;
  const estimate = name === 'top1' || name === 'macroRecall' ? figures[name] : figures.groups[name];
  return estimate?.value ?? null;
}

function byFigure<T>(of: (name: FigureName) => T): Record<FigureName, T> {
  return {
    top1: of('top1'),
    macroRecall: of('macroRecall'),
    many: of('many'),
    medium: of('medium'),
    few: of('few'),
  };
}

/** The method of each, with the settings in which groups of one method differ. */
function groupNames(runs: readonly Run[]): string[] {
  const differing = differingSettings(runs).filter(({ name }) => name !== 'method' && name !== 'seed');
  return runs.map((run, i) => {
    const twin = runs.some((other) => other !== run && other.method === run.method);
    const settings = twin ? differing.map(({ name, values }) => `${name} ${values[i]}`) : [];
    return [methodOf(run).title, ...settings].join(', ');
  });
}
