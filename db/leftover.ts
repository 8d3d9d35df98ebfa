/** What models still see of the foregrounds in contexts. */
import type { LeftoverQuery, LeftoverRow, LeftoverTable } from '../core/storage/project-store.ts';
import type { Leftover } from '../core/storage/records.ts';
import { EFFECTIVE_CLASSES } from './classes.ts';
import { insertInto, type Connection } from './connection.ts';
import { inProject } from './removed.ts';

const COLUMNS =
  'runId, contextId, maskId, whole, probability, base, answer, named, verdict, filled, grown, usual, createdAt';

/** Contexts of the bank with what a run says of them, one row each; `flagged` is as `isLeftover` has it. */
const CHECKED = `
  SELECT leftover.*, context.imageId, root AS classId,
    leftover.maskId <> context.maskId OR EXISTS (SELECT 1 FROM draftTile WHERE contextId = context.id) AS stale,
    EXISTS (SELECT 1 FROM leftoverFine AS fine WHERE fine.contextId = context.id AND fine.maskId = context.maskId) AS fine,
    named AND leftover.probability - base >= @from AS flagged
  FROM leftover JOIN context ON context.id = leftover.contextId JOIN image ON image.id = context.imageId
  JOIN effective ON effective.id = image.classId
  WHERE runId = @runId AND context.state = 'accepted' AND context.retiredAt IS NULL AND ${inProject('context.imageId')}`;

/** What each part of the list holds; those not in the first have nothing to be done about. */
const PARTS: Readonly<Record<LeftoverQuery['part'], string>> = {
  open: 'flagged AND NOT fine AND NOT stale',
  stale: 'stale',
  fine: 'fine',
  all: 'TRUE',
};

type Row = Omit<LeftoverRow, 'named' | 'stale' | 'fine' | 'flagged'> &
  Record<'named' | 'stale' | 'fine' | 'flagged', 0 | 1>;
type Counts = ReturnType<LeftoverTable['counts']>[number];

export function leftoverTable(connection: Connection): LeftoverTable {
  const put = connection.prepare<[Omit<Leftover, 'named'> & { named: 0 | 1 }]>(
    insertInto('leftover', COLUMNS, 'REPLACE'),
  );
  const putFine = connection.prepare<[object]>(insertInto('leftoverFine', 'contextId, maskId, author, at', 'REPLACE'));
  const dropFine = connection.prepare<[number]>('DELETE FROM leftoverFine WHERE contextId = ?');
  const ofContext = connection.prepare<[number, number], Omit<Leftover, 'named'> & { named: 0 | 1 }>(
    `SELECT ${COLUMNS} FROM leftover WHERE runId = ? AND contextId = ?`,
  );
  const counts = connection.prepare<[object], Counts>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}, checked AS (${CHECKED})
    SELECT classId, count(*) AS checked, sum(flagged AND NOT stale) AS flagged, sum(${PARTS.open}) AS open,
      sum((${PARTS.open}) AND verdict = 'leftover') AS leftovers,
      sum((${PARTS.open}) AND verdict = 'usual-background') AS backgrounds, sum((${PARTS.open}) AND verdict = 'outline') AS outlines,
      sum(stale) AS stale, sum(fine) AS fine, avg(probability - base) AS score, max(createdAt) AS newest
    FROM checked GROUP BY classId`);
  const newestRun = connection.column<number>('SELECT runId FROM leftover ORDER BY createdAt DESC, runId DESC LIMIT 1');
  const unchecked = connection.column<number>(`
    SELECT id FROM context WHERE state = 'accepted' AND retiredAt IS NULL AND ${inProject('imageId')} AND NOT EXISTS (
      SELECT 1 FROM leftover WHERE runId = ? AND contextId = context.id AND leftover.maskId = context.maskId
    ) ORDER BY id`);
  const list = (part: LeftoverQuery['part'], byClass: boolean): string => `
    WITH RECURSIVE ${EFFECTIVE_CLASSES}, checked AS (${CHECKED})
    SELECT *, count(*) OVER () AS total FROM checked WHERE ${PARTS[part]} ${byClass ? 'AND classId = @classId' : ''}
    ORDER BY ${PARTS.open} DESC, ${PARTS.open} AND coalesce(verdict, 'leftover') = 'leftover' DESC, probability - base DESC, contextId LIMIT @limit OFFSET @offset`;
  return {
    put: (rows) =>
      connection.transaction(() => {
        for (const row of rows) put.run({ ...row, named: row.named ? 1 : 0 });
      }),
    get: (runId, contextId) => {
      const row = ofContext.get(runId, contextId);
      return row && { ...row, named: row.named === 1 };
    },
    list: ({ part, classId, ...query }) => {
      const values = classId === undefined ? query : { ...query, classId };
      const found = connection
        .prepare<[object], Row & { total: number }>(list(part, classId !== undefined))
        .all(values);
      return {
        // Of a page after the last one it is not known, and nobody asks.
        total: found.at(0)?.total ?? 0,
        rows: found.map(({ total: _total, named, stale, fine, flagged, ...row }) => {
          return { ...row, named: named === 1, stale: stale === 1, fine: fine === 1, flagged: flagged === 1 };
        }),
      };
    },
    counts: (runId, from) => counts.all({ runId, from }),
    newestRun: () => newestRun().at(0),
    unchecked: (runId) => unchecked(runId),
    setFine: (entries, author, at) =>
      connection.transaction(() => {
        for (const { contextId, maskId } of entries) putFine.run({ contextId, maskId, author, at });
      }),
    dropFine: (contextIds) =>
      connection.transaction(() => {
        for (const id of contextIds) dropFine.run(id);
      }),
  };
}
