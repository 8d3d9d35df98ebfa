/** The history of runs: search, filter, order; and what a person writes on them. */
import type { RunHistory, RunOrder, RunRow } from '../api/runs.ts';
import type { Project } from '../storage/project.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { ListedRun, Run } from '../storage/records.ts';
import { storedSummary } from '../training/stored-figures.ts';
import { TrainConfig } from '../training/config.ts';
import { networkText } from '../training/network-text.ts';
import { findRun, methodOf } from './run-data.ts';

/** What a list of runs is narrowed by; empty and false narrow nothing. */
export interface HistoryQuery {
  /** Words that must all stand in name, tags, notes, name or title of the method, network or its weights, in any case. */
  search: string;
  states: readonly Run['state'][];
  methods: readonly string[];
  /** Runs that have all of them. */
  tags: readonly string[];
  starred: boolean;
  /** What is in the trash, instead of what is not. */
  trashed: boolean;
  order: RunOrder;
  descending: boolean;
}

/** Letters of the notes that a list shows. */
const NOTE_LENGTH = 120;

/** Runs that fit, in order; those without the figure that they are ordered by come last either way. */
export function runHistory({ store }: Project, query: HistoryQuery): RunHistory {
  const all = store.runs.listed();
  const found = searchRuns(store, all, query.search);
  const runs = all.filter((run) => found(run) && fits(run, query)).map(toRow);
  const value = valueFor(query.order);
  const sign = query.descending ? -1 : 1;
  runs.sort((a, b) => compare(value(a), value(b), sign) || b.id - a.id);
  const kept = all.filter(({ trashedAt }) => trashedAt === null);
  return { runs, total: kept.length, trashed: all.length - kept.length, tags: countTags(kept) };
}

/**
 * Search runs by words.
 * @returns whether all of them stand in a run's number, name, tags, notes, method, network or weights, in any case
 */
export function searchRuns(
  store: ProjectStore,
  runs: readonly Searched[],
  search: string,
): (run: Pick<Searched, 'id'>) => boolean {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return () => true;
  const networks = new Map(
    store.runs.networks().map(({ id, ...network }) => [id, networkText(Network.parse(network))]),
  );
  const found = runs.filter((run) => {
    const { title } = methodOf(run);
    const parts = [`#${run.id}`, run.name, ...run.tags, run.notes, run.method, title, networks.get(run.id) ?? ''];
    const text = parts.join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const ids = new Set(found.map(({ id }) => id));
  return ({ id }) => ids.has(id);
}

/** What of a run is searched beside its network. */
type Searched = Pick<Run, 'id' | 'name' | 'tags' | 'notes' | 'method'>;

const Network = TrainConfig.pick({ model: true, weights: true });

function fits(run: ListedRun, query: HistoryQuery): boolean {
  if ((run.trashedAt !== null) !== query.trashed) return false;
  if (query.starred && !run.starred) return false;
  if (query.states.length > 0 && !query.states.includes(run.state)) return false;
  if (query.methods.length > 0 && !query.methods.includes(run.method)) return false;
  return query.tags.every((tag) => run.tags.includes(tag));
}

/** A run as lists show it. */
export function toRow({ summary, modelBlob, notes, method, ...run }: ListedRun): RunRow {
  const figures = storedSummary(summary);
  const evaluation = figures?.evaluation;
  const head = evaluation && (evaluation.heads.balanced ?? evaluation.heads.uniform);
  return {
    ...run,
    method: TrainConfig.shape.method.parse(method),
    model: modelBlob !== null,
    note: notes.slice(0, NOTE_LENGTH),
    figures:
      head && figures.split !== null
        ? {
            head: evaluation.heads.balanced ? 'balanced' : 'uniform',
            split: figures.split,
            top1: head.top1?.value ?? null,
            macroRecall: head.macroRecall?.value ?? null,
            many: head.groups.many?.value ?? null,
            medium: head.groups.medium?.value ?? null,
            few: head.groups.few?.value ?? null,
          }
        : null,
  };
}

/** One run as lists show it. */
export function rowOf(run: Run, epochsDone: number): RunRow {
  const { config, engine: _e, figures, datasetBlob: _d, bankBlob: _b, bankHash: _h, ...rest } = run;
  const { codeVersion: _c, predictionsBlob: _p, ...listed } = rest;
  return toRow({ ...listed, epochs: TrainConfig.parse(config).epochs, epochsDone, summary: figures });
}

type Value = string | number | null;

function valueFor(order: RunOrder): (run: RunRow) => Value {
  switch (order) {
    case 'created':
      return ({ id }) => id;
    case 'name':
    case 'method':
    case 'state':
      return (run) => run[order].toLowerCase();
    case 'seed':
    case 'seconds':
      return (run) => run[order];
    case 'epochs':
      return ({ epochsDone }) => epochsDone;
    default:
      return ({ figures }) => figures?.[order] ?? null;
  }
}

function compare(a: Value, b: Value, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'string' && typeof b === 'string') return sign * a.localeCompare(b, 'en', { numeric: true });
  return sign * (Number(a) - Number(b));
}

function countTags(runs: readonly ListedRun[]): RunHistory['tags'] {
  const counts = new Map<string, number>();
  for (const { tags } of runs) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const tags = [...counts].map(([tag, count]) => ({ tag, runs: count }));
  return tags.toSorted((a, b) => b.runs - a.runs || a.tag.localeCompare(b.tag, 'en'));
}

/** What a person may change of a run. */
export type RunNotes = Partial<Pick<Run, 'name' | 'notes' | 'tags' | 'starred'>>;

/** Rename a run, star it, write on it. Tags are kept once each. @throws UserError 'not-found' */
export function writeOnRun(project: Project, id: number, notes: RunNotes): void {
  findRun(project, id);
  const tags = notes.tags && [...new Set(notes.tags)];
  project.store.runs.update(id, { ...notes, ...(tags ? { tags } : {}) });
}
