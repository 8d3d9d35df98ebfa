/** Exports and the lineage of every exported picture. */
import type { ExportTable } from '../core/storage/project-store.ts';
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
  };
}

function toExport(row: ExportRow): ExportRecord {
  return { ...row, recipe: fromJson(row.recipe) };
}

function optional(row: ExportRow | undefined): ExportRecord | undefined {
  return row && toExport(row);
}
