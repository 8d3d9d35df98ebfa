/** Sources of images, and what was wrong with them. */
import type { ProblemFilter, ProblemTable, SourceContent, SourceTable } from '../core/storage/project-store.ts';
import type { NewProblem, Problem, Source } from '../core/storage/records.ts';
import { containing, insertInto, type Connection } from './connection.ts';

export function sourceTable(connection: Connection): SourceTable {
  const add = connection.prepare<[Omit<Source, 'id' | 'scannedAt' | 'removedAt'>]>(
    insertInto('source', 'kind, path, relativePath, addedAt'),
  );
  const byId = connection.prepare<[number], Source>('SELECT * FROM source WHERE id = ?');
  const all = connection.prepare<[], Source>('SELECT * FROM source ORDER BY id');
  const setPath = connection.prepare<[string, string | null, number]>(
    'UPDATE source SET path = ?, relativePath = ? WHERE id = ?',
  );
  const setScanned = connection.prepare<[string, number]>('UPDATE source SET scannedAt = ? WHERE id = ?');
  const setRemoved = connection.prepare<[string | null, number]>('UPDATE source SET removedAt = ? WHERE id = ?');
  const keepStates = connection.prepare<[number]>(
    'INSERT INTO removedImage SELECT id, state FROM image WHERE sourceId = ?',
  );
  const putOut = connection.prepare<[number]>(`
    UPDATE image SET state = 'missing' WHERE sourceId = ? AND state <> 'missing'`);
  const putBack = connection.prepare<[number]>(`
    UPDATE image SET state = removedImage.state FROM removedImage
    WHERE removedImage.imageId = image.id AND sourceId = ? AND image.state <> removedImage.state`);
  const forgetStates = connection.prepare<[number]>(
    'DELETE FROM removedImage WHERE imageId IN (SELECT id FROM image WHERE sourceId = ?)',
  );
  const content = connection.prepare<[{ id: number }], SourceContent>(`
    SELECT (SELECT count(*) FROM image WHERE sourceId = @id AND state = 'ok' AND excluded = 0) AS images,
      count(*) AS contexts, count(*) FILTER (WHERE context.state = 'accepted' AND retiredAt IS NULL) AS bank
    FROM image JOIN context ON context.imageId = image.id WHERE sourceId = @id`);
  return {
    add: (source) => byId.get(add.insert(source))!,
    get: (id) => byId.get(id),
    list: () => all.all().filter(({ removedAt }) => removedAt === null),
    all: () => all.all(),
    remove: (id, at) =>
      connection.transaction(() => {
        setRemoved.change(at, id);
        keepStates.run(id);
        putOut.run(id);
      }),
    restore: (id) =>
      connection.transaction(() => {
        setRemoved.change(null, id);
        putBack.run(id);
        forgetStates.run(id);
      }),
    content: (id) => content.get({ id })!,
    setPath: (id, path, relativePath) => setPath.change(path, relativePath, id),
    setScanned: (id, at) => setScanned.change(at, id),
  };
}

export function problemTable(connection: Connection): ProblemTable {
  const add = connection.prepare<[NewProblem & { sourceId: number }]>(
    insertInto('problem', 'sourceId, path, kind, severity, reason'),
  );
  const clear = connection.prepare<[number]>('DELETE FROM problem WHERE sourceId = ?');
  const shown = 'sourceId IN (SELECT id FROM source WHERE removedAt IS NULL)';
  const all = connection.prepare<[], Problem>(`SELECT * FROM problem WHERE ${shown} ORDER BY id`);
  const ofSource = connection.prepare<[number], Problem>('SELECT * FROM problem WHERE sourceId = ? ORDER BY id');
  // A condition whose value was not given holds for all.
  const fits = `${shown} AND (@sourceId IS NULL OR sourceId = @sourceId) AND (@kind IS NULL OR kind = @kind)
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
    WHERE ${shown} AND (@sourceId IS NULL OR sourceId = @sourceId) GROUP BY kind, severity ORDER BY severity, kind`);
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
