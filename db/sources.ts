/** Sources of images, and what was wrong with them. */
import type { ProblemTable, SourceTable } from '../core/storage/project-store.ts';
import type { NewProblem, Problem, Source } from '../core/storage/records.ts';
import { insertInto, type Connection } from './connection.ts';

export function sourceTable(connection: Connection): SourceTable {
  const add = connection.prepare<[Omit<Source, 'id' | 'scannedAt'>]>(
    insertInto('source', 'kind, path, relativePath, addedAt'),
  );
  const byId = connection.prepare<[number], Source>('SELECT * FROM source WHERE id = ?');
  const list = connection.prepare<[], Source>('SELECT * FROM source ORDER BY id');
  const setPath = connection.prepare<[string, string | null, number]>(
    'UPDATE source SET path = ?, relativePath = ? WHERE id = ?',
  );
  const setScanned = connection.prepare<[string, number]>('UPDATE source SET scannedAt = ? WHERE id = ?');
  return {
    add: (source) => byId.get(add.insert(source))!,
    get: (id) => byId.get(id),
    list: () => list.all(),
    setPath: (id, path, relativePath) => setPath.change(path, relativePath, id),
    setScanned: (id, at) => setScanned.change(at, id),
  };
}

export function problemTable(connection: Connection): ProblemTable {
  const add = connection.prepare<[NewProblem & { sourceId: number }]>(
    insertInto('problem', 'sourceId, path, kind, severity, reason'),
  );
  const clear = connection.prepare<[number]>('DELETE FROM problem WHERE sourceId = ?');
  const all = connection.prepare<[], Problem>('SELECT * FROM problem ORDER BY id');
  const ofSource = connection.prepare<[number], Problem>('SELECT * FROM problem WHERE sourceId = ? ORDER BY id');
  return {
    add: (sourceId, problems) =>
      connection.transaction(() => {
        for (const problem of problems) add.run({ sourceId, ...problem });
      }),
    clear: (sourceId) => clear.run(sourceId),
    list: (sourceId) => (sourceId === undefined ? all.all() : ofSource.all(sourceId)),
  };
}
