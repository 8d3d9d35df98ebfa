/** Sources of images, and what was wrong with them. */
import type { ProblemFilter, ProblemTable, SourceTable } from '../core/storage/project-store.ts';
import type { NewProblem, Problem, Source } from '../core/storage/records.ts';
import { containing, insertInto, type Connection } from './connection.ts';

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
  // A condition whose value was not given holds for all.
  const fits = `(@sourceId IS NULL OR sourceId = @sourceId) AND (@kind IS NULL OR kind = @kind)
    AND (@severity IS NULL OR severity = @severity)
    AND (@text IS NULL OR path LIKE @text ESCAPE '\\' OR reason LIKE @text ESCAPE '\\')`;
  type Values = Record<keyof ProblemFilter, unknown>;
  const page = connection.prepare<[Values & { offset: number; limit: number }], Problem>(
    `SELECT * FROM problem WHERE ${fits} ORDER BY id LIMIT @limit OFFSET @offset`,
  );
  const total = connection.prepare<[Values], { count: number }>(`SELECT count(*) AS count FROM problem WHERE ${fits}`);
  // Of a bare column beside min(), SQLite takes the row of the minimum.
  const summary = connection.prepare<[{ sourceId: number | null }], Problem & { count: number }>(`
    SELECT count(*) AS count, min(id) AS id, sourceId, path, kind, severity, reason FROM problem
    WHERE @sourceId IS NULL OR sourceId = @sourceId GROUP BY kind, severity ORDER BY severity, kind`);
  const ofPath = connection.prepare<[number, string], Problem>(
    'SELECT * FROM problem WHERE sourceId = ? AND path = ? ORDER BY id',
  );
  return {
    add: (sourceId, problems) =>
      connection.transaction(() => {
        for (const problem of problems) add.run({ sourceId, ...problem });
      }),
    clear: (sourceId) => clear.run(sourceId),
    list: (sourceId) => (sourceId === undefined ? all.all() : ofSource.all(sourceId)),
    page: ({ sourceId = null, kind = null, severity = null, text }: Nullable<ProblemFilter>, offset, limit) => {
      const values = { sourceId, kind, severity, text: text === undefined || text === null ? null : containing(text) };
      return { total: total.get(values)!.count, problems: page.all({ ...values, offset, limit }) };
    },
    summary: (sourceId) => summary.all({ sourceId: sourceId ?? null }).map(({ count, ...first }) => ({ count, first })),
    ofPath: (sourceId, path) => ofPath.all(sourceId, path),
  };
}

type Nullable<T> = { [K in keyof T]: T[K] | null };
