/** Training runs with their figures and warnings. */
import { z } from 'zod';
import type { RunTable } from '../core/storage/project-store.ts';
import type { ListedRun, Run, RunEpoch, RunWarning } from '../core/storage/records.ts';
import { fromJson, insertInto, updateOf, type Connection, type JsonRow } from './connection.ts';

type RunRow = JsonRow<Omit<Run, 'starred'>, 'config' | 'engine' | 'figures' | 'tags'> & { starred: number };
const Tags = z.array(z.string());
type ListedRow = JsonRow<Omit<ListedRun, 'starred'>, 'summary' | 'tags'> & { starred: number };
type EpochRow = JsonRow<RunEpoch, 'figures'>;

const COLUMNS = `
  name, method, config, seed, state, reason, createdAt, startedAt, endedAt, seconds, datasetHash,
  datasetBlob, bankHash, bankBlob, engine, codeVersion, modelBlob, predictionsBlob, figures`;
/** All that `runListed` holds. */
const LISTED_COLUMNS = `
  id, name, method, seed, state, reason, createdAt, startedAt, endedAt, seconds, datasetHash, modelBlob, notes, tags,
  starred, trashedAt, epochs, summary`;
/** What a person writes on a run; a new one has the defaults. */
const NOTE_COLUMNS = 'notes, tags, starred, trashedAt';
const JSON_COLUMNS = ['config', 'engine', 'figures', 'tags'];

export function runTable(connection: Connection): RunTable {
  const add = connection.prepare<[object]>(insertInto('run', COLUMNS));
  const update = updateOf(connection, 'run', `${COLUMNS}, ${NOTE_COLUMNS}`, JSON_COLUMNS);
  const select = `SELECT id, ${COLUMNS}, ${NOTE_COLUMNS} FROM run`;
  const byId = connection.prepare<[number], RunRow>(`${select} WHERE id = ?`);
  const list = connection.prepare<[], RunRow>(`${select} ORDER BY id DESC`);
  const listed = connection.prepare<[], ListedRow>(`
    SELECT ${LISTED_COLUMNS}, (SELECT ifnull(max(epoch) + 1, 0) FROM runEpoch WHERE runId = run.id) AS epochsDone
    FROM run INDEXED BY runListed ORDER BY id DESC`);
  const networks = connection.prepare<[], { id: number; model: string; weights: string | null }>(
    `SELECT id, config -> '$.model' AS model, config -> '$.weights' AS weights FROM run`,
  );
  const removals = [
    'DELETE FROM runEpoch WHERE runId = ?',
    'DELETE FROM runWarning WHERE runId = ?',
    'DELETE FROM variant WHERE runId = ?',
    'DELETE FROM reliance WHERE runId = ?',
    'DELETE FROM leftover WHERE runId = ?',
    'DELETE FROM studyRun WHERE runId = ?',
    'UPDATE saliency SET runId = NULL WHERE runId = ?',
    'UPDATE task SET runId = NULL WHERE runId = ?',
  ].map((sql) => connection.prepare<[number]>(sql));
  const remove = connection.prepare<[number]>('DELETE FROM run WHERE id = ?');
  const putEpoch = connection.prepare<[EpochRow]>(insertInto('runEpoch', 'runId, epoch, figures', 'REPLACE'));
  const epochs = connection.prepare<[number], EpochRow>(
    'SELECT runId, epoch, figures FROM runEpoch WHERE runId = ? ORDER BY epoch',
  );
  const epochCount = connection.prepare<[number], { count: number }>(
    'SELECT ifnull(max(epoch) + 1, 0) AS count FROM runEpoch WHERE runId = ?',
  );
  const epochSummaries = connection.prepare<[number, number], { epoch: number; summary: string }>(
    'SELECT epoch, summary FROM runEpoch INDEXED BY runEpochSummary WHERE runId = ? AND epoch >= ? ORDER BY epoch',
  );
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
    listed: () =>
      listed.all().map(({ starred, tags, summary, ...row }) => ({
        ...row,
        starred: starred === 1,
        tags: Tags.parse(fromJson(tags)),
        summary: fromJson(summary),
      })),
    networks: () =>
      networks.all().map(({ id, model, weights }) => {
        return { id, model: fromJson(model), weights: weights === null ? null : fromJson(weights) };
      }),
    remove: (ids) =>
      connection.transaction(() => {
        for (const id of ids) {
          for (const removal of removals) removal.run(id);
          remove.change(id);
        }
      }),
    putEpoch: (epoch) => putEpoch.run({ ...epoch, figures: JSON.stringify(epoch.figures) }),
    epochs: (runId) => epochs.all(runId).map((row) => ({ ...row, figures: fromJson(row.figures) })),
    epochCount: (runId) => epochCount.get(runId)!.count,
    epochSummaries: (runId, from) =>
      epochSummaries.all(runId, from).map(({ epoch, summary }) => ({ epoch, summary: fromJson(summary) })),
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
