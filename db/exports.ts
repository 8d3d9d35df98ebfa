/** Exports and the lineage of every exported picture. */
import type { ExportLineage, ExportTable } from '../core/storage/project-store.ts';
import type { ExportItem, ExportRecord } from '../core/storage/records.ts';
import { fromJson, insertInto, updateOf, type Connection, type JsonRow } from './connection.ts';

/** Items read at a time while iterating. */
const PAGE = 1000;

type ExportRow = JsonRow<ExportRecord, 'recipe'>;

const COLUMNS = 'path, recipe, state, datasetHash, manifestHash, images, createdAt, endedAt';

export function exportTable(connection: Connection): ExportTable {
  const add = connection.prepare<[Omit<ExportRow, 'id'>]>(insertInto('export', COLUMNS));
  const update = updateOf(connection, 'export', COLUMNS, ['recipe']);
  const byId = connection.prepare<[number], ExportRow>('SELECT * FROM export WHERE id = ?');
  const byPath = connection.prepare<[string], ExportRow>(
    'SELECT * FROM export WHERE path = ? ORDER BY id DESC LIMIT 1',
  );
  const list = connection.prepare<[], ExportRow>('SELECT * FROM export ORDER BY id');
  const addItem = connection.prepare<[ExportItem]>(
    insertInto('exportItem', 'exportId, file, imageId, contextId, maskId, backgroundId, lambda', 'REPLACE'),
  );
  const page = connection.prepare<[number, string, number], ExportItem>(
    'SELECT * FROM exportItem WHERE exportId = ? AND file > ? ORDER BY file LIMIT ?',
  );
  const made = connection.prepare<[number], Pick<ExportLineage, 'mixed' | 'plain' | 'sources'>>(`
    SELECT count(lambda) AS mixed, count(*) - count(lambda) AS plain, count(DISTINCT imageId) AS sources
    FROM exportItem WHERE exportId = ?`);
  const byLambda = connection.prepare<[{ exportId: number; parts: number }], { part: number; count: number }>(`
    SELECT min(@parts - 1, CAST(lambda * @parts AS INTEGER)) AS part, count(*) AS count
    FROM exportItem WHERE exportId = @exportId AND lambda IS NOT NULL GROUP BY part`);
  /** By context: how many pictures have it, and whether it has changed since. */
  const USED = `used AS (
    SELECT contextId, count(*) AS uses,
      max(context.id IS NULL OR context.state <> 'accepted' OR coalesce(exportItem.maskId <> context.maskId, FALSE)) AS changed
    FROM exportItem LEFT JOIN context ON context.id = contextId
    WHERE exportId = ? AND lambda IS NOT NULL AND contextId IS NOT NULL GROUP BY contextId)`;
  const used = connection.prepare<[number], Pick<ExportLineage, 'contexts' | 'changedContexts'>>(
    `WITH ${USED} SELECT count(*) AS contexts, coalesce(sum(changed), 0) AS changedContexts FROM used`,
  );
  const mostUsed = connection.prepare<[number, number], ExportLineage['mostUsed'][number]>(`
    WITH ${USED} SELECT contextId AS context, context.imageId AS image, uses
    FROM used JOIN context ON context.id = contextId ORDER BY uses DESC, contextId LIMIT ?`);
  return {
    add: (record) => toExport(byId.get(add.insert({ ...record, recipe: JSON.stringify(record.recipe) }))!),
    update,
    get: (id) => optional(byId.get(id)),
    byPath: (path) => optional(byPath.get(path)),
    list: () => list.all().map(toExport),
    addItems: (items) =>
      connection.transaction(() => {
        for (const item of items) addItem.run(item);
      }),
    *items(exportId) {
      for (let after = ''; ;) {
        const items = page.all(exportId, after, PAGE);
        yield* items;
        if (items.length < PAGE) return;
        after = items[PAGE - 1].file;
      }
    },
    lineage: (exportId, { parts, most }) => {
      const lambda = Array.from({ length: parts }, () => 0);
      for (const { part, count } of byLambda.all({ exportId, parts })) lambda[part] = count;
      return { ...made.get(exportId)!, lambda, ...used.get(exportId)!, mostUsed: mostUsed.all(exportId, most) };
    },
  };
}

function toExport(row: ExportRow): ExportRecord {
  return { ...row, recipe: fromJson(row.recipe) };
}

function optional(row: ExportRow | undefined): ExportRecord | undefined {
  return row && toExport(row);
}
