/** Training runs with their figures and warnings. */
import { z } from 'zod';
import type { RunTable } from '../core/storage/project-store.ts';
import type { Run, RunEpoch, RunWarning } from '../core/storage/records.ts';
import { fromJson, insertInto, updateOf, type Connection, type JsonRow } from './connection.ts';

type RunRow = JsonRow<Omit<Run, 'starred'>, 'config' | 'engine' | 'figures' | 'tags'> & { starred: number };
const Tags = z.array(z.string());
type EpochRow = JsonRow<RunEpoch, 'figures'>;

const COLUMNS = `
  name, method, config, seed, state, reason, createdAt, startedAt, endedAt, seconds, datasetHash,
  datasetBlob, bankHash, bankBlob, engine, codeVersion, modelBlob, predictionsBlob, figures`;
/** What a person writes on a run; a new one has the defaults. */
const NOTE_COLUMNS = 'notes, tags, starred, trashedAt';
const JSON_COLUMNS = ['config', 'engine', 'figures', 'tags'];

export function runTable(connection: Connection): RunTable {
  const add = connection.prepare<[object]>(insertInto('run', COLUMNS));
  const update = updateOf(connection, 'run', `${COLUMNS}, ${NOTE_COLUMNS}`, JSON_COLUMNS);
  const byId = connection.prepare<[number], RunRow>('SELECT * FROM run WHERE id = ?');
  const list = connection.prepare<[], RunRow>('SELECT * FROM run ORDER BY id DESC');
  const putEpoch = connection.prepare<[EpochRow]>(insertInto('runEpoch', 'runId, epoch, figures', 'REPLACE'));
  const epochs = connection.prepare<[number], EpochRow>('SELECT * FROM runEpoch WHERE runId = ? ORDER BY epoch');
  const addWarning = connection.prepare<[RunWarning]>(
    insertInto('runWarning', 'runId, epoch, name, message', 'REPLACE'),
  );
  const warnings = connection.prepare<[number], RunWarning>(
    'SELECT * FROM runWarning WHERE runId = ? ORDER BY epoch, name',
  );
  return {
    add: (run) => {
      const { config, engine, figures } = run;
      const id = add.insert({
        ...run,
        config: JSON.stringify(config),
        engine: JSON.stringify(engine),
        figures: JSON.stringify(figures),
      });
      return toRun(byId.get(id)!);
    },
    // SQLite has no booleans.
    update: (id, { starred, ...fields }) =>
      update(id, { ...fields, ...(starred === undefined ? {} : { starred: Number(starred) }) }),
    get: (id) => {
      const row = byId.get(id);
      return row && toRun(row);
    },
    list: () => list.all().map(toRun),
    putEpoch: (epoch) => putEpoch.run({ ...epoch, figures: JSON.stringify(epoch.figures) }),
    epochs: (runId) => epochs.all(runId).map((row) => ({ ...row, figures: fromJson(row.figures) })),
    addWarning: (warning) => addWarning.run(warning),
    warnings: (runId) => warnings.all(runId),
  };
}

function toRun(row: RunRow): Run {
  return {
    ...row,
    config: fromJson(row.config),
    engine: fromJson(row.engine),
    figures: fromJson(row.figures),
    tags: Tags.parse(fromJson(row.tags)),
    starred: row.starred === 1,
  };
}
