/** Classes. A merged class counts as the one it was merged into, and so on up to one that stands for itself. */
import type { ClassTable } from '../core/storage/project-store.ts';
import type { ClassRecord } from '../core/storage/records.ts';
import type { Connection } from './connection.ts';

/** Ids of the classes that count as `@classId`; none when that one is merged away itself. For `IN (…)`. */
export const MEMBERS_OF_CLASS = `
  WITH RECURSIVE member (id) AS (
    SELECT id FROM class WHERE id = @classId AND mergedInto IS NULL
    UNION SELECT class.id FROM class JOIN member ON class.mergedInto = member.id
  ) SELECT id FROM member`;

/** A common table expression: `effective (id, root)`, for every class the one it counts as. Follows `WITH RECURSIVE`. */
export const EFFECTIVE_CLASSES = `
  effective (id, root) AS (
    SELECT id, id FROM class WHERE mergedInto IS NULL
    UNION SELECT class.id, effective.root FROM class JOIN effective ON class.mergedInto = effective.id
  )`;

export function classTable(connection: Connection): ClassTable {
  const add = connection.prepare<[string]>('INSERT INTO class (name) VALUES (?)');
  const byId = connection.prepare<[number], ClassRecord>('SELECT * FROM class WHERE id = ?');
  const byName = connection.prepare<[string], ClassRecord>('SELECT * FROM class WHERE name = ?');
  const list = connection.prepare<[], ClassRecord>('SELECT * FROM class ORDER BY id');
  return {
    ensure: (name) => byName.get(name) ?? byId.get(add.insert(name))!,
    get: (id) => byId.get(id),
    byName: (name) => byName.get(name),
    list: () => list.all(),
  };
}
