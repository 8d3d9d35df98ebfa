/** The ids of the images that a page shows, by any filter and in any order: one statement, however many images there are. */
import type { ImageSelection } from '../core/storage/project-store.ts';
import { EFFECTIVE_CLASSES } from './classes.ts';
import { containing, type Connection } from './connection.ts';
import { inProject } from './removed.ts';

const LISTED = (name: string): string => `IN (SELECT value FROM json_each(@${name}))`;

/** Usable images whose content is there more than once; their index is all that is read for it. */
const REPEATED = `
  SELECT hash FROM image WHERE state = 'ok' AND excluded = 0 GROUP BY hash HAVING count(*) > 1`;

/** Of them those whose copies differ in something; few enough to be looked at one by one. */
const DIFFERING = (what: string): string => `
  SELECT hash FROM image JOIN effective ON effective.id = image.classId
  WHERE state = 'ok' AND excluded = 0 AND hash IN (${REPEATED}) GROUP BY hash HAVING count(DISTINCT ${what}) > 1`;

const DUPLICATES: Readonly<Record<NonNullable<ImageSelection['duplicates']>, string>> = {
  any: REPEATED,
  leak: DIFFERING(`ifnull(split, 'train')`),
  conflict: DIFFERING('root'),
};

/** What each field asks of an image. */
const CONDITIONS = {
  classIds: () => `classId IN (SELECT id FROM effective WHERE root ${LISTED('classIds')})`,
  splits: () => `ifnull(split, 'none') ${LISTED('splits')}`,
  states: () => `state ${LISTED('states')}`,
  excluded: () => '+excluded = @excluded',
  sourceIds: () => `+sourceId ${LISTED('sourceIds')}`,
  // A name may be composed on disk one way and typed another.
  text: () => `(path LIKE @composed ESCAPE '\\' OR path LIKE @decomposed ESCAPE '\\')`,
  duplicates: ({ duplicates }: ImageSelection) =>
    `state = 'ok' AND excluded = 0 AND hash IN (${DUPLICATES[duplicates ?? 'any']})`,
  problem: () => '(sourceId, path) IN (SELECT sourceId, path FROM problem WHERE kind = @problem)',
} as const satisfies Partial<Record<keyof ImageSelection, (selection: ImageSelection) => string>>;

type Field = keyof typeof CONDITIONS;
const FIELDS = Object.keys(CONDITIONS).filter((field): field is Field => field in CONDITIONS);

/** Answered by the index of paths alone. */
const BY_PATH_INDEX: readonly Field[] = ['sourceIds', 'text'];

/**
 * The statement for a selection. In order of path it walks the index of paths where that holds all that is asked;
 * elsewhere (the `+`) one pass over the table and a sort are faster than a look at a row for each entry of the index.
 */
export function selectStatement(selection: ImageSelection): string {
  const given = FIELDS.filter((field) => selection[field] !== undefined);
  const where = [inProject('image.id'), ...given.map((field) => CONDITIONS[field](selection))];
  const direction = selection.descending ? 'DESC' : 'ASC';
  const plus = given.every((field) => BY_PATH_INDEX.includes(field)) && selection.order === 'path' ? '' : '+';
  const path = `${plus}sourceId ${direction}, path ${direction}, ifnull(pathBytes, x'') ${direction}`;
  const orders: Readonly<Record<ImageSelection['order'], string>> = {
    path,
    class: `class.name ${direction}, ${path}`,
    size: `size ${direction}, image.id ${direction}`,
    date: `mtimeMs ${direction}, image.id ${direction}`,
  };
  const classes =
    selection.order === 'class'
      ? 'JOIN effective ON effective.id = image.classId JOIN class ON class.id = effective.root'
      : '';
  return `
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT image.id FROM image ${classes}
    WHERE ${where.join(' AND ')}
    ORDER BY ${orders[selection.order]}`;
}

/** Ids of the images that fit a selection, in its order. */
export function selectImages(connection: Connection): (selection: ImageSelection) => Uint32Array<ArrayBuffer> {
  const statements = new Map<string, (values: object) => number[]>();
  return (selection) => {
    const sql = selectStatement(selection);
    const statement = statements.get(sql) ?? connection.column<number>(sql);
    statements.set(sql, statement);
    return Uint32Array.from(statement(valuesOf(selection)));
  };
}

function valuesOf(selection: ImageSelection): object {
  const { classIds, splits, states, excluded, sourceIds, text, problem } = selection;
  return {
    classIds: JSON.stringify(classIds),
    splits: JSON.stringify(splits?.map((split) => split ?? 'none')),
    states: JSON.stringify(states),
    excluded: Number(excluded),
    sourceIds: JSON.stringify(sourceIds),
    composed: text === undefined ? null : containing(text.normalize('NFC')),
    decomposed: text === undefined ? null : containing(text.normalize('NFD')),
    problem,
  };
}
