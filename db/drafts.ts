/** Painting on masks: strokes, and the tiles of masks that no version shows yet. */
import type { DraftTable, StrokeSummary } from '../core/storage/project-store.ts';
import type { Stroke } from '../core/storage/records.ts';
import { fromJson, insertInto, type Connection } from './connection.ts';

const SUMMARY = 'id, contextId, tool, params, x, y, width, height, undone, maskId, author, at';

type SummaryRow = Omit<StrokeSummary, 'params' | 'undone'> & { params: string; undone: 0 | 1 };
type StrokeRow = SummaryRow & Pick<Stroke, 'pixelsBefore' | 'pixelsAfter'>;

/** What can no longer be taken back keeps its place until a mask version shows it: it counts among the tools. */
const GIVE_UP = 'UPDATE stroke SET pixelsBefore = NULL, pixelsAfter = NULL, bytes = 0';

/** Forgets what is painted on the mask of a context. */
export function draftEnd(connection: Connection): (contextId: number) => void {
  const tiles = connection.prepare<[number]>('DELETE FROM draftTile WHERE contextId = ?');
  const strokes = connection.prepare<[number]>('DELETE FROM stroke WHERE contextId = ?');
  return (contextId) => {
    tiles.run(contextId);
    strokes.run(contextId);
  };
}

export function draftTable(connection: Connection): DraftTable {
  const tiles = connection.prepare<[number], { tile: number; pixels: Uint8Array }>(
    'SELECT tile, pixels FROM draftTile WHERE contextId = ? ORDER BY tile',
  );
  const putTile = connection.prepare<[{ contextId: number; tile: number; pixels: Uint8Array }]>(
    insertInto('draftTile', 'contextId, tile, pixels', 'REPLACE'),
  );
  const dropTiles = connection.prepare<[number]>('DELETE FROM draftTile WHERE contextId = ?');
  const pending = connection.column<number>('SELECT DISTINCT contextId FROM draftTile ORDER BY contextId');
  const isPending = connection.prepare<[number]>('SELECT 1 FROM draftTile WHERE contextId = ? LIMIT 1');
  const strokes = connection.prepare<[number], SummaryRow>(
    `SELECT ${SUMMARY} FROM stroke WHERE contextId = ? AND pixelsBefore IS NOT NULL ORDER BY id`,
  );
  const unsettled = connection.prepare<[number], Pick<Stroke, 'tool' | 'author'>>(
    'SELECT tool, author FROM stroke WHERE contextId = ? AND undone = 0 AND maskId IS NULL ORDER BY id',
  );
  const byId = connection.prepare<[number], StrokeRow>(
    `SELECT ${SUMMARY}, pixelsBefore, pixelsAfter FROM stroke WHERE id = ? AND pixelsBefore IS NOT NULL`,
  );
  const add = connection.prepare<
    [Omit<Stroke, 'id' | 'undone' | 'maskId' | 'params'> & { params: string; bytes: number }]
  >(insertInto('stroke', 'contextId, tool, params, x, y, width, height, pixelsBefore, pixelsAfter, bytes, author, at'));
  const dropUndone = connection.prepare<[number]>('DELETE FROM stroke WHERE contextId = ? AND undone = 1');
  // The newest always stays.
  const giveUp = connection.prepare<[{ contextId: number; depth: number; most: number }]>(`
    ${GIVE_UP} WHERE id IN (SELECT id FROM (
      SELECT id, bytes, row_number() OVER (ORDER BY id DESC) AS place, sum(bytes) OVER (ORDER BY id DESC) AS total
      FROM stroke WHERE contextId = @contextId
    ) WHERE bytes > 0 AND place > 1 AND (place > @depth OR total > @most))`);
  const dropGivenUp = connection.prepare<[number]>(
    'DELETE FROM stroke WHERE contextId = ? AND pixelsBefore IS NULL AND maskId IS NOT NULL',
  );
  const setUndone = connection.prepare<[0 | 1, number]>('UPDATE stroke SET undone = ? WHERE id = ?');
  const setMask = connection.prepare<[number, number]>(
    'UPDATE stroke SET maskId = ? WHERE contextId = ? AND undone = 0 AND maskId IS NULL',
  );
  const count = connection.column<number>('UPDATE context SET revision = revision + 1 WHERE id = ? RETURNING revision');
  const prune = connection.prepare<[{ contexts: number; most: number }]>(`
    DELETE FROM stroke WHERE contextId NOT IN (SELECT contextId FROM draftTile) AND contextId IN (
      SELECT contextId FROM (
        SELECT contextId, row_number() OVER (ORDER BY last DESC) AS place, sum(bytes) OVER (ORDER BY last DESC) AS total
        FROM (SELECT contextId, max(id) AS last, sum(bytes) AS bytes FROM stroke GROUP BY contextId)
      ) WHERE place > @contexts OR total > @most)`);

  const put = (contextId: number, changed: ReadonlyMap<number, Uint8Array>): number => {
    for (const [tile, pixels] of changed) putTile.run({ contextId, tile, pixels });
    return count(contextId)[0];
  };
  const stroke = (id: number): Stroke => {
    const row = byId.get(id);
    if (!row) throw new Error(`stroke ${id} does not exist or cannot be taken back`);
    return { ...row, params: fromJson(row.params), undone: row.undone === 1 };
  };

  return {
    tiles: (contextId) => new Map(tiles.all(contextId).map(({ tile, pixels }) => [tile, pixels])),
    pending: () => pending(),
    isPending: (contextId) => isPending.get(contextId) !== undefined,
    strokes: (contextId) =>
      strokes.all(contextId).map((row) => ({ ...row, params: fromJson(row.params), undone: row.undone === 1 })),
    unsettled: (contextId) => unsettled.all(contextId),
    stroke,
    paint: (painted, changed, bounds) =>
      connection.transaction(() => {
        const { contextId, params, pixelsBefore, pixelsAfter } = painted;
        dropUndone.run(contextId);
        const bytes = pixelsBefore.length + pixelsAfter.length;
        add.insert({ ...painted, params: JSON.stringify(params), bytes });
        giveUp.run({ contextId, ...bounds });
        dropGivenUp.run(contextId);
        return put(contextId, changed);
      }),
    setUndone: (id, undone, changed) =>
      connection.transaction(() => {
        const { contextId } = stroke(id);
        setUndone.run(undone ? 1 : 0, id);
        return put(contextId, changed);
      }),
    settled: (contextId, maskId) =>
      connection.transaction(() => {
        dropTiles.run(contextId);
        setMask.run(maskId, contextId);
        dropGivenUp.run(contextId);
      }),
    prune: (bounds) => {
      prune.run(bounds);
    },
  };
}
