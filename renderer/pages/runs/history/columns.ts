/** The columns of the history. */
import type { RunRow } from '../../../../core/api/runs.ts';
import type { Column } from '../../../components/table.ts';
import { duration, when } from '../../../lib/format.ts';
import type { Cells } from '../table-text.ts';
import { FIGURES, METHODS, share, STATES, type FigureName } from '../words.ts';

export const RUN_STATES_SHOWN = ['queued', 'running', 'stopped', 'finished', 'failed'] as const;
export const METHOD_NAMES_SHOWN = ['ce', 'cbrs', 'control', 'csa'] as const;

const figure = (run: RunRow, name: FigureName): number | null => run.figures?.[name] ?? null;

/** "12 of 20", "20" */
export function epochsText({ epochs, epochsDone }: RunRow): string {
  return epochs === null || epochs === epochsDone ? String(epochsDone) : `${epochsDone} of ${epochs}`;
}

const COLUMNS: readonly Column<RunRow>[] = [
  { key: 'choose', title: '', width: '40px', text: () => '' },
  { key: 'starred', title: '', width: '36px', text: () => '' },
  {
    key: 'id',
    title: 'Run',
    width: '64px',
    align: 'end',
    text: ({ id }) => `#${id}`,
    value: ({ id }) => id,
    descendingFirst: true,
  },
  { key: 'name', title: 'Name', width: 'minmax(180px, 1fr)', text: ({ name }) => name, value: ({ name }) => name },
  {
    key: 'method',
    title: 'Method',
    width: '108px',
    text: ({ method }) => METHODS[method],
    value: ({ method }) => METHODS[method],
  },
  {
    key: 'state',
    title: 'State',
    width: '86px',
    text: ({ state }) => STATES[state].text,
    value: ({ state }) => STATES[state].text,
  },
  ...FIGURES.map(({ name, title, hint }): Column<RunRow> => ({
    key: name,
    title: `${title} %`,
    hint,
    width: name === 'macroRecall' ? '106px' : name === 'medium' ? '86px' : '70px',
    align: 'end',
    text: (run) => share(figure(run, name)),
    value: (run) => figure(run, name),
    descendingFirst: true,
  })),
  {
    key: 'seed',
    title: 'Seed',
    width: '66px',
    align: 'end',
    text: ({ seed }) => String(seed),
    value: ({ seed }) => seed,
  },
  {
    key: 'epochs',
    title: 'Epochs',
    width: '88px',
    align: 'end',
    text: epochsText,
    value: ({ epochsDone }) => epochsDone,
    descendingFirst: true,
  },
  {
    key: 'seconds',
    title: 'Work',
    hint: 'Time of work over all attempts: reading pictures, steps, evaluation',
    width: '104px',
    align: 'end',
    text: ({ seconds }) => (seconds === 0 ? '–' : duration(seconds)),
    value: ({ seconds }) => seconds,
    descendingFirst: true,
  },
  {
    key: 'created',
    title: 'Made',
    width: '96px',
    align: 'end',
    text: ({ createdAt }) => when(createdAt),
    value: ({ id }) => id,
    descendingFirst: true,
  },
  { key: 'more', title: '', width: '44px', text: () => '' },
];

/** Widths of the window from which a column is shown, CSS pixels; the others always are. */
const FROM: Readonly<Record<string, number>> = {
  method: 1000,
  state: 960,
  created: 1180,
  top1: 1360,
  seconds: 1400,
  epochs: 1480,
  seed: 1560,
};

/** The columns for a window of that width. */
export function columnsFor(width: number): Column<RunRow>[] {
  return COLUMNS.filter(({ key }) => width >= (FROM[key] ?? 0));
}

/** The history as a file. */
export function historyCells(runs: readonly RunRow[]): Cells {
  return [
    ['run', 'name', 'method', 'state', 'seed', 'epochs', 'seconds', 'created', 'tags', 'starred', 'measured_on'].concat(
      FIGURES.map(({ name }) => name),
    ),
    ...runs.map((run) => [
      run.id,
      run.name,
      run.method,
      run.state,
      run.seed,
      run.epochsDone,
      Math.round(run.seconds),
      run.createdAt,
      run.tags.join(' '),
      run.starred,
      run.figures?.split ?? null,
      ...FIGURES.map(({ name }) => figure(run, name)),
    ]),
  ];
}
