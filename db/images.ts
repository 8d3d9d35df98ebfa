/** Images: what was found, with the view of the edits over it. */
import type { ImageCount, ImageTable } from '../core/storage/project-store.ts';
import type { BlobId, ImageRecord, ImageState, NewImage, Split } from '../core/storage/records.ts';
import { EFFECTIVE_CLASSES, MEMBERS_OF_CLASS } from './classes.ts';
import { insertInto, type Connection, type Query } from './connection.ts';
import { inProject } from './removed.ts';
import { selectImages } from './select-images.ts';

/** Images read at a time while iterating: some hundreds of kilobytes. */
const PAGE = 1000;

/** SQLite has no booleans. */
type Flagged<T> = Omit<T, 'excluded'> & { excluded: 0 | 1 };
type ImageRow = Flagged<ImageRecord>;

const NAME = 'sourceId, path, pathBytes';
const CONTENT = 'size, mtimeMs, hash, width, height, format, orientation, foundClassId, foundSplit';
const SELECT = `SELECT id, ${NAME}, ${CONTENT}, classId, split, excluded, state FROM image`;
/** The unique index over a file's exact name; `path` alone is lossy where `pathBytes` is set. */
const KEY = `sourceId, path, ifnull(pathBytes, x'')`;
const SAME_FILE = `sourceId = @sourceId AND path = @path AND ifnull(pathBytes, x'') = ifnull(@pathBytes, x'')`;

/**
 * The statement for one page of a listing. Every plan walks in order of id, so that a page costs what it holds and not
 * what is behind it; a `+` keeps SQLite from an index that would have to be sorted anew for each page.
 * @param oneClass whether a class asked for is one class, as found by its index, or several that were merged
 */
export function pageStatement(fields: readonly string[], oneClass: boolean): string {
  const conditions: Record<string, string> = {
    sourceId: '+sourceId = @sourceId',
    classId: oneClass ? 'classId = @classId' : `+classId IN (${MEMBERS_OF_CLASS})`,
    // IS also finds what is null.
    split: '+split IS @split',
    state: '+state = @state',
    excluded: '+excluded = @excluded',
  };
  const wanted = fields.flatMap((field) => conditions[field] ?? []);
  return `${SELECT} WHERE ${[...wanted, 'id > @afterId'].join(' AND ')} ORDER BY id LIMIT @limit`;
}

export function imageTable(connection: Connection): ImageTable {
  // Two statements instead of one upsert: that one, with foreign keys, would keep a journal of its own for each row,
  // which costs as much as the row.
  const add = connection.prepare<[NewImage]>(`
    ${insertInto('image', `${NAME}, ${CONTENT}`)} ON CONFLICT (${KEY}) DO NOTHING`);
  // The last line saves rewriting what has not changed, which is nearly everything when a folder is scanned again.
  const update = connection.prepare<[NewImage]>(`
    UPDATE image SET ${CONTENT.replaceAll(/\w+/g, '$& = @$&')}, state = 'ok'
    WHERE ${SAME_FILE} AND (${CONTENT}, state) IS NOT (${CONTENT.replaceAll(/\w+/g, '@$&')}, 'ok')`);
  const staleContext = connection.prepare<[NewImage], { id: number; maskId: number }>(`
    SELECT id, maskId FROM context WHERE state <> 'undecided'
    AND imageId = (SELECT id FROM image WHERE ${SAME_FILE} AND hash <> @hash)`);
  const reopenContext = connection.prepare<[number]>(`UPDATE context SET state = 'undecided' WHERE id = ?`);
  const addEvent = connection.prepare<[number, number, string]>(`
    INSERT INTO contextEvent (contextId, action, maskId, author, at) VALUES (?, 'undecided', ?, 'import', ?)`);
  const setState = connection.prepare<[ImageState, number]>('UPDATE image SET state = ? WHERE id = ?');
  const byId = connection.prepare<[number], ImageRow>(`${SELECT} WHERE id = ?`);
  const byPath = connection.prepare<[object], ImageRow>(`${SELECT} WHERE ${SAME_FILE}`);
  const counts = connection.prepare<[], Flagged<ImageCount>>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES},
    found AS MATERIALIZED (
      SELECT classId, split, excluded, state, count(*) AS count FROM image WHERE ${inProject('id')}
      GROUP BY classId, split, excluded, state
    )
    SELECT root AS classId, split, excluded, state, sum(count) AS count
    FROM found JOIN effective ON effective.id = found.classId
    GROUP BY root, split, excluded, state ORDER BY root, split, excluded, state`);
  // Grouped as the index is first: else every image is read for its size.
  const trainSides = connection.prepare<[], { side: number; count: number }>(`
    SELECT min(width, height) AS side, sum(count) AS count FROM (
      SELECT width, height, count(*) AS count FROM image
      WHERE state = 'ok' AND excluded = 0 AND ifnull(split, 'train') = 'train'
      GROUP BY foundSplit, split, width, height)
    GROUP BY side ORDER BY side`);
  const duplicates = connection.prepare<[], { hash: BlobId; id: number }>(`
    SELECT hash, id FROM image WHERE state = 'ok' AND excluded = 0 AND hash IN (
      SELECT hash FROM image WHERE state = 'ok' AND excluded = 0 GROUP BY hash HAVING count(*) > 1
    ) ORDER BY hash, id`);

  const many = connection.prepare<[string], ImageRow>(`${SELECT} WHERE id IN (SELECT value FROM json_each(?))`);
  const bySource = connection.prepare<[], { sourceId: number; count: number }>(
    'SELECT sourceId, count(*) AS count FROM image GROUP BY sourceId',
  );
  const withHash = connection.column<number>(
    `SELECT id FROM image WHERE hash = ? AND state = 'ok' AND excluded = 0 ORDER BY id`,
  );
  const foundIn = connection.prepare<[Split], { id: number }>(
    `SELECT id FROM image WHERE foundSplit = ? AND state = 'ok' AND excluded = 0 LIMIT 1`,
  );
  const removedClasses = connection.column<number>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT DISTINCT root FROM removedImage JOIN image ON image.id = imageId JOIN effective ON effective.id = image.classId`);
  const splitOrigins = connection.prepare<[Split], { usable: number; found: number; excluded: number }>(`
    SELECT count(*) FILTER (WHERE excluded = 0) AS usable,
      count(*) FILTER (WHERE excluded = 0 AND foundSplit = split) AS found,
      count(*) FILTER (WHERE excluded = 1) AS excluded
    FROM image WHERE split = ? AND state = 'ok'`);
  const select = selectImages(connection);
  const members = connection.prepare<[{ classId: number }], { id: number }>(MEMBERS_OF_CLASS);
  /** One statement for each set of conditions that was ever asked for. */
  const pages = new Map<string, Query<[object], ImageRow>>();
  const pageQuery = (sql: string): Query<[object], ImageRow> => {
    const query = pages.get(sql) ?? connection.prepare<[object], ImageRow>(sql);
    pages.set(sql, query);
    return query;
  };

  return {
    upsert: (images) =>
      connection.transaction(() => {
        for (const image of images) {
          if (add.run(image) > 0) continue;
          const stale = staleContext.get(image);
          if (stale) {
            reopenContext.run(stale.id);
            addEvent.run(stale.id, stale.maskId, new Date().toISOString());
          }
          update.run(image);
        }
      }),
    setState: (ids, state) =>
      connection.transaction(() => {
        for (const id of ids) setState.change(state, id);
      }),
    get: (id) => unflag(byId.get(id)),
    byPath: (sourceId, path, pathBytes = null) => unflag(byPath.get({ sourceId, path, pathBytes })),
    *iterate(filter = {}) {
      const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
      const { classId, excluded, afterId: start = 0, limit = Infinity } = filter;
      const classes = classId === undefined ? 0 : members.all({ classId }).length;
      if (classId !== undefined && classes === 0) return;
      const query = pageQuery(pageStatement(Object.keys(given), classes === 1));
      let afterId = start;
      for (let left = limit; left > 0; left -= PAGE) {
        const page = query.all({ ...given, excluded: Number(excluded), afterId, limit: Math.min(left, PAGE) });
        for (const row of page) yield { ...row, excluded: row.excluded === 1 };
        if (page.length < PAGE) return;
        afterId = page[PAGE - 1].id;
      }
    },
    many: (ids) => {
      const found = new Map(many.all(JSON.stringify(ids)).map((row) => [row.id, row]));
      return ids.flatMap((id) => unflag(found.get(id)) ?? []);
    },
    select,
    splitOrigins: (split) => splitOrigins.get(split)!,
    hasFoundSplit: (split) => foundIn.get(split) !== undefined,
    withHash,
    countBySource: () => new Map(bySource.all().map(({ sourceId, count }) => [sourceId, count])),
    counts: () => counts.all().map((row) => ({ ...row, excluded: row.excluded === 1 })),
    removedClasses: () => new Set(removedClasses()),
    trainSides: () => trainSides.all(),
    duplicateGroups: () => {
      const groups: { hash: BlobId; imageIds: number[] }[] = [];
      for (const { hash, id } of duplicates.all()) {
        if (groups.at(-1)?.hash === hash) groups.at(-1)!.imageIds.push(id);
        else groups.push({ hash, imageIds: [id] });
      }
      return groups;
    },
  };
}

function unflag(row: ImageRow | undefined): ImageRecord | undefined {
  return row && { ...row, excluded: row.excluded === 1 };
}
