/** Contexts and their history: every step writes an event in the same transaction. */
import type { ContextFilter, ContextQuery, ContextRow, ContextTable } from '../core/storage/project-store.ts';
import type { Context, ContextEvent, ContextState, ContextStep } from '../core/storage/records.ts';
import { EFFECTIVE_CLASSES, MEMBERS_OF_CLASS } from './classes.ts';
import { insertInto, type Connection } from './connection.ts';

const SELECT = 'SELECT context.* FROM context';

const EVENT = 'contextId, action, maskId, author, at';

/** An event with what the context was before it. */
type EventRow = Omit<ContextEvent, 'id'> & {
  stepId: number | null;
  oldState: ContextState | null;
  oldMaskId: number | null;
};

/** What a query's sort is by; every one ends with the id, so that the order is always the same. */
const ORDERS: Readonly<Record<NonNullable<ContextQuery['sort']>, string>> = {
  id: 'context.id',
  probability: 'context.probability',
  area: 'mask.area',
  class: '(SELECT name FROM class WHERE class.id = effective.root)',
  changed: '(SELECT max(id) FROM contextEvent WHERE contextId = context.id)',
};

/** A condition for each field of a query. */
const CONDITIONS: Readonly<Partial<Record<keyof ContextQuery, string>>> = {
  states: 'context.state IN (SELECT value FROM json_each(@states))',
  classIds: 'effective.root IN (SELECT value FROM json_each(@classIds))',
  minProbability: 'context.probability >= @minProbability',
  maxProbability: 'context.probability <= @maxProbability',
  minArea: 'mask.area >= @minArea',
  maxArea: 'mask.area <= @maxArea',
  text: `instr(lower(image.path), lower(@text)) > 0`,
};

const JOINED = `FROM context JOIN image ON image.id = context.imageId JOIN mask ON mask.id = context.maskId
  JOIN effective ON effective.id = image.classId`;

export function contextTable(connection: Connection): ContextTable {
  const add = connection.prepare<[Omit<Context, 'id'>]>(
    insertInto('context', 'imageId, maskId, state, probability, createdAt'),
  );
  const byId = connection.prepare<[number], Context>(`${SELECT} WHERE id = ?`);
  const ofImage = connection.prepare<[number], Context>(`${SELECT} WHERE imageId = ?`);
  // A condition whose value was not given holds for all.
  const list = connection.prepare<[Record<keyof ContextFilter, unknown>], Context>(`
    ${SELECT} JOIN image ON image.id = context.imageId
    WHERE (@state IS NULL OR context.state = @state)
    AND (@classId IS NULL OR image.classId IN (${MEMBERS_OF_CLASS}))
    AND (@minProbability IS NULL OR context.probability >= @minProbability)
    ORDER BY context.id`);
  const count = connection.prepare<[], { state: ContextState; count: number }>(
    'SELECT state, count(*) AS count FROM context GROUP BY state',
  );
  const setState = connection.prepare<[ContextState, number]>('UPDATE context SET state = ? WHERE id = ?');
  const setMask = connection.prepare<[number, number | null, number]>(
    'UPDATE context SET maskId = ?, probability = coalesce(?, probability) WHERE id = ?',
  );
  const addEvent = connection.prepare<[EventRow]>(insertInto('contextEvent', `${EVENT}, stepId, oldState, oldMaskId`));
  const history = connection.prepare<[number], ContextEvent>(
    `SELECT id, ${EVENT} FROM contextEvent WHERE contextId = ? ORDER BY id`,
  );
  const countByClass = connection.prepare<[], { classId: number; state: ContextState; count: number }>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT root AS classId, context.state, count(*) AS count
    FROM context JOIN image ON image.id = context.imageId JOIN effective ON effective.id = image.classId
    GROUP BY root, context.state`);
  const rows = connection.prepare<[string], Omit<ContextRow, 'excluded'> & { excluded: 0 | 1 }>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT context.*, image.path, effective.root AS classId, image.width, image.height, image.state AS imageState, excluded, split,
      mask.origin, mask.area
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
    add: (context, author) =>
      connection.transaction(() => {
        const { maskId, createdAt } = context;
        const id = add.insert({ ...context, state: 'undecided' });
        const before = { stepId: null, oldState: null, oldMaskId: null };
        addEvent.run({ contextId: id, action: 'created', maskId, author, at: createdAt, ...before });
        return require(id);
      }),
    get: (id) => byId.get(id),
    ofImage: (imageId) => ofImage.get(imageId),
    list: ({ state = null, classId = null, minProbability = null }: Nullable<ContextFilter> = {}) =>
      list.all({ state, classId, minProbability }),
    count: () => {
      const result: Record<ContextState, number> = { undecided: 0, accepted: 0, rejected: 0 };
      for (const row of count.all()) result[row.state] = row.count;
      return result;
    },
    find: (query) => {
      const fields = Object.entries(query).filter(([, value]) => value !== undefined);
      const given = Object.fromEntries(
        fields.map(([name, value]) => [name, Array.isArray(value) ? JSON.stringify(value) : value]),
      );
      const conditions = Object.entries(CONDITIONS).flatMap(([name, sql]) => (name in given ? [sql] : []));
      const direction = query.descending === true ? 'DESC' : 'ASC';
      const found = connection.prepare<[object], { id: number; imageId: number }>(`
        WITH RECURSIVE ${EFFECTIVE_CLASSES}
        SELECT context.id, context.imageId ${JOINED} WHERE ${['TRUE', ...conditions].join(' AND ')}
        ORDER BY ${ORDERS[query.sort ?? 'id']} ${direction}, context.id`);
      return found.all(given);
    },
    rows: (ids) => rows.all(JSON.stringify(ids)).map(({ excluded, ...row }) => ({ ...row, excluded: excluded === 1 })),
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
    history: (id) => history.all(id),
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
          const now = require(id);
          const before = { stepId: null, oldState: now.state, oldMaskId: now.maskId };
          if (action === 'mask') {
            if (now.maskId !== maskId || oldMaskId === null) {
              kept++;
              continue;
            }
            setMask.run(oldMaskId, null, id);
            addEvent.run({ contextId: id, action: 'mask', maskId: oldMaskId, author, at, ...before });
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

type Nullable<T> = { [K in keyof T]: T[K] | null };
