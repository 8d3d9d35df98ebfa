/** Contexts and their history: every step writes an event in the same transaction. */
import type { ContextFilter, ContextTable } from '../core/storage/project-store.ts';
import type { Context, ContextEvent, ContextState } from '../core/storage/records.ts';
import { MEMBERS_OF_CLASS } from './classes.ts';
import { insertInto, type Connection } from './connection.ts';

const SELECT = 'SELECT context.* FROM context';

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
  const addEvent = connection.prepare<[Omit<ContextEvent, 'id'>]>(
    insertInto('contextEvent', 'contextId, action, maskId, author, at'),
  );
  const history = connection.prepare<[number], ContextEvent>(
    'SELECT * FROM contextEvent WHERE contextId = ? ORDER BY id',
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
        addEvent.run({ contextId: id, action: 'created', maskId, author, at: createdAt });
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
    setState: (id, state, author, at) =>
      connection.transaction(() => {
        const { maskId } = require(id);
        setState.run(state, id);
        addEvent.run({ contextId: id, action: state, maskId, author, at });
      }),
    setMask: (id, maskId, author, at, probability) =>
      connection.transaction(() => {
        require(id);
        setMask.run(maskId, probability ?? null, id);
        addEvent.run({ contextId: id, action: 'mask', maskId, author, at });
      }),
    history: (id) => history.all(id),
  };
}

type Nullable<T> = { [K in keyof T]: T[K] | null };
