/** Contexts and their history: every step writes an event in the same transaction. */
import type { ContextFilter, ContextQuery, ContextRow, ContextTable, Decision } from '../core/storage/project-store.ts';
import type { Context, ContextEvent, ContextState, ContextStep } from '../core/storage/records.ts';
import { EFFECTIVE_CLASSES, MEMBERS_OF_CLASS } from './classes.ts';
import { insertInto, type Connection } from './connection.ts';
import { draftEnd } from './drafts.ts';
import { inProject } from './removed.ts';

const SELECT = 'SELECT context.* FROM context';

/** What every list and count holds: contexts of images whose source is in the project. */
const SHOWN = inProject('context.imageId');

const EVENT = 'contextId, action, maskId, author, at';

/** An event with what the context was before it. */
type EventRow = Omit<ContextEvent, 'id'> & {
  stepId: number | null;
  oldState: ContextState | null;
  oldMaskId: number | null;
};

/** Who decided what is decided; null while nothing is. */
const REVIEWER = `(SELECT author FROM contextEvent WHERE contextId = context.id AND action = context.state
  AND action <> 'undecided' ORDER BY id DESC LIMIT 1)`;

/** What a query's sort is by; every one ends with the id, so that the order is always the same. */
const ORDERS: Readonly<Record<NonNullable<ContextQuery['sort']>, string>> = {
  id: 'context.id',
  probability: 'context.probability',
  area: 'mask.area',
  class: '(SELECT name FROM class WHERE class.id = effective.root)',
  changed: '(SELECT max(id) FROM contextEvent WHERE contextId = context.id)',
  gain: 'coalesce(saliency.doubt * context.probability * weight.weight, 0)',
  uses: 'coalesce(useCount.times, 0)',
  reviewer: `coalesce(lower(${REVIEWER}), '')`,
};

/** A condition for each field of a query. */
const CONDITIONS: Readonly<Partial<Record<keyof ContextQuery, string>>> = {
  states: 'context.state IN (SELECT value FROM json_each(@states))',
  retired: '(context.retiredAt IS NOT NULL) = @retired',
  classIds: 'effective.root IN (SELECT value FROM json_each(@classIds))',
  minProbability: 'context.probability >= @minProbability',
  maxProbability: 'context.probability <= @maxProbability',
  minArea: 'mask.area >= @minArea',
  maxArea: 'mask.area <= @maxArea',
  text: `instr(lower(image.path), lower(@text)) > 0`,
  note: `instr(lower(context.note), lower(@note)) > 0`,
  reviewer: `${REVIEWER} = @reviewer`,
  used: 'EXISTS (SELECT 1 FROM useCount WHERE contextId = context.id AND times > 0) = @used',
};

/** Tables that conditions and orders read, by what needs them: each costs as much as the list itself. */
const JOINS: readonly { sql: string; for: readonly string[] }[] = [
  { sql: 'JOIN mask ON mask.id = context.maskId', for: ['minArea', 'maxArea', 'area', 'gain'] },
  { sql: 'JOIN image ON image.id = context.imageId', for: ['text', 'classIds', 'class', 'gain'] },
  { sql: 'JOIN effective ON effective.id = image.classId', for: ['classIds', 'class'] },
];

/**
 * What the order by gain needs besides: pairs of effective class and weight come as JSON. They are brought to found classes
 * first: as a list they would be gone through for every context.
 */
const WEIGHT = `given AS MATERIALIZED (SELECT value ->> 0 AS classId, value ->> 1 AS weight FROM json_each(@weights)),
  weight AS MATERIALIZED (
    SELECT effective.id, given.weight FROM effective LEFT JOIN given ON given.classId = effective.root)`;
const WEIGHED = 'LEFT JOIN saliency ON saliency.id = mask.saliencyId JOIN weight ON weight.id = image.classId';

/** What the order by uses needs besides: how many runs and finished exports had each context, as far as `UseTable` has counted. */
const WITH_USES = 'LEFT JOIN useCount ON useCount.contextId = context.id';

/** A step over more contexts is told by this many. */
const MOST_TOGETHER = 1000;

export function contextTable(connection: Connection): ContextTable {
  const add = connection.prepare<[Omit<Context, 'id' | 'revision' | 'retiredAt' | 'note'>]>(
    insertInto('context', 'imageId, maskId, state, probability, createdAt'),
  );
  const byId = connection.prepare<[number], Context>(`${SELECT} WHERE id = ?`);
  const ofImage = connection.prepare<[number], Context>(`${SELECT} WHERE imageId = ?`);
  // A condition whose value was not given holds for all.
  const list = connection.prepare<[Record<keyof ContextFilter, unknown>], Context>(`
    ${SELECT} JOIN image ON image.id = context.imageId
    WHERE ${SHOWN} AND (@state IS NULL OR context.state = @state)
    AND (@retired IS NULL OR (context.retiredAt IS NOT NULL) = @retired)
    AND (@classId IS NULL OR image.classId IN (${MEMBERS_OF_CLASS}))
    AND (@minProbability IS NULL OR context.probability >= @minProbability)
    ORDER BY context.id`);
  const count = connection.prepare<[], { state: ContextState; count: number }>(
    `SELECT state, count(*) AS count FROM context WHERE ${SHOWN} GROUP BY state`,
  );
  const bankSize = connection.column<number>(
    `SELECT count(*) FROM context WHERE state = 'accepted' AND retiredAt IS NULL AND ${SHOWN}`,
  );
  const editedInBank = connection.column<number>(
    `SELECT count(*) FROM context JOIN mask ON mask.id = context.maskId
    WHERE context.state = 'accepted' AND context.retiredAt IS NULL AND ${SHOWN}
    AND (mask.origin IN ('edit', 'import') OR EXISTS (SELECT 1 FROM draftTile WHERE contextId = context.id))`,
  );
  const setRetired = connection.prepare<[string | null, number]>('UPDATE context SET retiredAt = ? WHERE id = ?');
  const setNote = connection.prepare<[string, number]>('UPDATE context SET note = ? WHERE id = ?');
  const setState = connection.prepare<[ContextState, number]>('UPDATE context SET state = ? WHERE id = ?');
  const setMask = connection.prepare<[number, number | null, number]>(
    'UPDATE context SET maskId = ?, probability = coalesce(?, probability), revision = revision + 1 WHERE id = ?',
  );
  const settleMask = connection.prepare<[number, number]>('UPDATE context SET maskId = ? WHERE id = ?');
  const isPending = connection.prepare<[number]>('SELECT 1 FROM draftTile WHERE contextId = ? LIMIT 1');
  const endDraft = draftEnd(connection);
  // Nothing but made: neither decided, painted on, noted nor taken out of the bank.
  const isUntouched = connection.prepare<[number]>(`
    SELECT 1 FROM context WHERE id = ? AND state = 'undecided' AND retiredAt IS NULL AND note = ''
    AND (SELECT count(*) FROM contextEvent WHERE contextId = context.id) = 1
    AND NOT EXISTS (SELECT 1 FROM stroke WHERE contextId = context.id)`);
  const removeEvents = connection.prepare<[number]>('DELETE FROM contextEvent WHERE contextId = ?');
  const remove = connection.prepare<[number]>('DELETE FROM context WHERE id = ?');
  const addEvent = connection.prepare<[EventRow]>(insertInto('contextEvent', `${EVENT}, stepId, oldState, oldMaskId`));
  const history = connection.prepare<[number], ContextEvent>(
    `SELECT id, ${EVENT} FROM contextEvent WHERE contextId = ? ORDER BY id`,
  );
  const countByClass = connection.prepare<[], { classId: number; state: ContextState; count: number }>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT root AS classId, context.state, count(*) AS count
    FROM context JOIN image ON image.id = context.imageId JOIN effective ON effective.id = image.classId
    WHERE ${SHOWN} GROUP BY root, context.state`);
  const decisions = connection.prepare<[number], Omit<Decision, 'corrected'> & { corrected: 0 | 1 }>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES},
    newest AS MATERIALIZED (SELECT * FROM contextEvent WHERE stepId IS NOT NULL ORDER BY id DESC LIMIT ?),
    step AS MATERIALIZED (
      SELECT stepId, (SELECT count(*) FROM (
        SELECT 1 FROM contextEvent WHERE contextEvent.stepId = seen.stepId LIMIT ${MOST_TOGETHER})) AS together
      FROM (SELECT DISTINCT stepId FROM newest) AS seen)
    SELECT contextId, root AS classId, event.action AS state, mask.origin IN ('edit', 'import') AS corrected,
      together, event.author, event.at
    FROM newest AS event JOIN step USING (stepId) JOIN context ON context.id = event.contextId JOIN image ON image.id = context.imageId
    JOIN mask ON mask.id = context.maskId JOIN effective ON effective.id = image.classId
    WHERE event.action IN ('accepted', 'rejected') AND event.action = context.state
    ORDER BY event.id DESC`);
  const rows = connection.prepare<
    [string],
    Omit<ContextRow, 'excluded' | 'draft' | 'sourceRemoved'> & Record<'excluded' | 'draft' | 'sourceRemoved', 0 | 1>
  >(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT context.*, image.path, effective.root AS classId, image.width, image.height, image.state AS imageState, excluded, split,
      mask.origin, mask.area, EXISTS (SELECT 1 FROM draftTile WHERE contextId = context.id) AS draft,
      ${REVIEWER} AS reviewer, NOT (${SHOWN}) AS sourceRemoved
    FROM json_each(?) AS wanted JOIN context ON context.id = wanted.value JOIN image ON image.id = context.imageId
    JOIN mask ON mask.id = context.maskId JOIN effective ON effective.id = image.classId
    ORDER BY wanted.key`);
  const addStep = connection.prepare<[Pick<ContextStep, 'kind' | 'author' | 'at'>]>(
    insertInto('contextStep', 'kind, author, at'),
  );
  const lastStep = connection.prepare<[], ContextStep & { contexts: number }>(`
    SELECT *, (SELECT count(DISTINCT contextId) FROM contextEvent WHERE stepId = contextStep.id) AS contexts
    FROM contextStep WHERE undoneAt IS NULL AND EXISTS (SELECT 1 FROM contextEvent WHERE stepId = contextStep.id)
    ORDER BY id DESC LIMIT 1`);
  const setUndone = connection.prepare<[string, number]>('UPDATE contextStep SET undoneAt = ? WHERE id = ?');
  const stepEvents = connection.prepare<[number], EventRow>(
    `SELECT ${EVENT}, stepId, oldState, oldMaskId FROM contextEvent WHERE stepId = ? ORDER BY id DESC`,
  );

  const require = (id: number): Context => {
    const context = byId.get(id);
    if (!context) throw new Error(`context ${id} does not exist`);
    return context;
  };

  return {
    add: (context, author, stepId) =>
      connection.transaction(() => {
        const { maskId, createdAt } = context;
        const id = add.insert({ ...context, state: 'undecided' });
        const before = { stepId: stepId ?? null, oldState: null, oldMaskId: null };
        addEvent.run({ contextId: id, action: 'created', maskId, author, at: createdAt, ...before });
        return require(id);
      }),
    get: (id) => byId.get(id),
    ofImage: (imageId) => ofImage.get(imageId),
    list: ({ state = null, retired = null, classId = null, minProbability = null }: Nullable<ContextFilter> = {}) =>
      list.all({ state, retired: retired === null ? null : Number(retired), classId, minProbability }),
    count: () => {
      const result: Record<ContextState, number> = { undecided: 0, accepted: 0, rejected: 0 };
      for (const row of count.all()) result[row.state] = row.count;
      return result;
    },
    bankSize: () => bankSize()[0],
    editedInBank: () => editedInBank()[0],
    find: (query) => {
      const fields = Object.entries(query).filter(([, value]) => value !== undefined);
      const given = Object.fromEntries(fields.map(([name, value]) => [name, valueOf(value)]));
      const conditions = Object.entries(CONDITIONS).flatMap(([name, sql]) => (name in given ? [sql] : []));
      const direction = query.descending === true ? 'DESC' : 'ASC';
      const byGain = query.sort === 'gain';
      const parts = [EFFECTIVE_CLASSES, ...(byGain ? [WEIGHT] : [])];
      const needed = new Set([...Object.keys(given), query.sort]);
      const joined = JOINS.flatMap(({ sql, for: names }) => (names.some((name) => needed.has(name)) ? [sql] : []));
      const joins = [...joined, ...(byGain ? [WEIGHED] : []), ...(query.sort === 'uses' ? [WITH_USES] : [])];
      const found = connection.prepare<[object], { id: number; imageId: number }>(`
        WITH RECURSIVE ${parts.join(', ')}
        SELECT context.id, context.imageId FROM context ${joins.join(' ')} WHERE ${[SHOWN, ...conditions].join(' AND ')}
        ORDER BY ${ORDERS[query.sort ?? 'id']} ${direction}, context.id`);
      return found.all(byGain ? { weights: '[]', ...given } : given);
    },
    rows: (ids) =>
      rows.all(JSON.stringify(ids)).map((row) => ({
        ...row,
        excluded: row.excluded === 1,
        draft: row.draft === 1,
        sourceRemoved: row.sourceRemoved === 1,
      })),
    countByClass: () => countByClass.all(),
    setState: (id, state, author, at, stepId) =>
      connection.transaction(() => {
        const { maskId, state: oldState } = require(id);
        setState.run(state, id);
        const before = { stepId: stepId ?? null, oldState, oldMaskId: maskId };
        addEvent.run({ contextId: id, action: state, maskId, author, at, ...before });
      }),
    setMask: (id, maskId, author, at, probability, stepId) =>
      connection.transaction(() => {
        const { state: oldState, maskId: oldMaskId } = require(id);
        setMask.run(maskId, probability ?? null, id);
        endDraft(id);
        addEvent.run({
          contextId: id,
          action: 'mask',
          maskId,
          author,
          at,
          stepId: stepId ?? null,
          oldState,
          oldMaskId,
        });
      }),
    settle: (id, maskId, author, at, stepId) =>
      connection.transaction(() => {
        const { state: oldState, maskId: oldMaskId } = require(id);
        settleMask.run(maskId, id);
        addEvent.run({ contextId: id, action: 'mask', maskId, author, at, stepId, oldState, oldMaskId });
      }),
    setRetired: (id, retired, author, at, stepId) =>
      connection.transaction(() => {
        const { maskId, state: oldState } = require(id);
        setRetired.run(retired ? at : null, id);
        const before = { stepId: stepId ?? null, oldState, oldMaskId: maskId };
        addEvent.run({ contextId: id, action: retired ? 'retired' : 'reinstated', maskId, author, at, ...before });
      }),
    setNote: (id, note) => setNote.change(note, id),
    history: (id) => history.all(id),
    decisions: (limit) => {
      const seen = new Set<number>();
      const newest = decisions.all(limit).filter(({ contextId }) => !seen.has(contextId) && seen.add(contextId));
      return newest.map((row) => ({ ...row, corrected: row.corrected === 1 }));
    },
    addStep: ({ kind, author, at }) => addStep.insert({ kind, author, at }),
    lastStep: () => lastStep.get(),
    undoStep: (author, at) =>
      connection.transaction(() => {
        const last = lastStep.get();
        if (!last) return undefined;
        const { contexts: _, ...step } = last;
        let changed = 0;
        let kept = 0;
        for (const event of stepEvents.all(step.id)) {
          const { contextId: id, action, maskId, oldState, oldMaskId } = event;
          if (action === 'created') {
            if (isUntouched.get(id)) {
              removeEvents.run(id);
              remove.change(id);
              changed++;
            } else kept++;
            continue;
          }
          const now = require(id);
          const before = { stepId: null, oldState: now.state, oldMaskId: now.maskId };
          if (action === 'mask') {
            if (now.maskId !== maskId || oldMaskId === null || isPending.get(id)) {
              kept++;
              continue;
            }
            setMask.run(oldMaskId, null, id);
            endDraft(id);
            addEvent.run({ contextId: id, action: 'mask', maskId: oldMaskId, author, at, ...before });
          } else if (action === 'retired' || action === 'reinstated') {
            const retired = action === 'retired';
            if ((now.retiredAt !== null) !== retired) {
              kept++;
              continue;
            }
            setRetired.run(retired ? null : at, id);
            const back = retired ? 'reinstated' : 'retired';
            addEvent.run({ contextId: id, action: back, maskId: now.maskId, author, at, ...before });
          } else {
            if (now.state !== action || oldState === null) {
              kept++;
              continue;
            }
            setState.run(oldState, id);
            addEvent.run({ contextId: id, action: oldState, maskId: now.maskId, author, at, ...before });
          }
          changed++;
        }
        setUndone.run(at, step.id);
        return { step: { ...step, undoneAt: at }, changed, kept };
      }),
  };
}

/** A value of a query as SQLite takes it. */
function valueOf(value: ContextQuery[keyof ContextQuery]): string | number | undefined {
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

type Nullable<T> = { [K in keyof T]: T[K] | null };
