/** Variants of runs. */
import type { VariantTable } from '../core/storage/project-store.ts';
import type { Variant } from '../core/storage/records.ts';
import { fromJson, insertInto, updateOf, type Connection, type JsonRow } from './connection.ts';

type VariantRow = JsonRow<Variant, 'temperatures' | 'figures'>;

const COLUMNS = 'runId, name, head, kind, tau, calibration, temperatures, figures, blob, createdAt';

export function variantTable(connection: Connection): VariantTable {
  const add = connection.prepare<[Omit<VariantRow, 'id'>]>(insertInto('variant', COLUMNS));
  const byId = connection.prepare<[number], VariantRow>('SELECT * FROM variant WHERE id = ?');
  const ofRun = connection.prepare<[number], VariantRow>('SELECT * FROM variant WHERE runId = ? ORDER BY id');
  const update = updateOf(connection, 'variant', 'name', []);
  const remove = connection.prepare<[number]>('DELETE FROM variant WHERE id = ?');
  return {
    add: (variant) => {
      const { temperatures, figures } = variant;
      const row = { ...variant, temperatures: JSON.stringify(temperatures), figures: JSON.stringify(figures) };
      return toVariant(byId.get(add.insert(row))!);
    },
    get: (id) => {
      const row = byId.get(id);
      return row && toVariant(row);
    },
    ofRun: (runId) => ofRun.all(runId).map(toVariant),
    rename: (id, name) => update(id, { name }),
    remove: (id) => remove.change(id),
  };
}

function toVariant(row: VariantRow): Variant {
  return { ...row, temperatures: fromJson(row.temperatures), figures: fromJson(row.figures) };
}
