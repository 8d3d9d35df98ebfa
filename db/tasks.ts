/** Long work of the service. */
import type { TaskTable } from '../core/storage/project-store.ts';
import type { TaskRecord } from '../core/storage/records.ts';
import { fromJson, insertInto, updateOf, type Connection, type JsonRow } from './connection.ts';

type TaskRow = JsonRow<TaskRecord, 'params' | 'error' | 'result'>;

const COLUMNS = `
  kind, title, params, command, state, position, attempts, runId, error, result, createdAt, startedAt, endedAt`;
const JSON_COLUMNS = ['params', 'error', 'result'];

export function taskTable(connection: Connection): TaskTable {
  const add = connection.prepare<[object]>(insertInto('task', COLUMNS));
  const update = updateOf(connection, 'task', COLUMNS, JSON_COLUMNS);
  const byId = connection.prepare<[number], TaskRow>('SELECT * FROM task WHERE id = ?');
  const list = connection.prepare<[], TaskRow>('SELECT * FROM task ORDER BY position, id');
  const remove = connection.prepare<[number]>('DELETE FROM task WHERE id = ?');
  return {
    add: (task) => {
      const id = add.insert({
        ...task,
        params: JSON.stringify(task.params),
        error: JSON.stringify(task.error),
        result: JSON.stringify(task.result),
      });
      return toTask(byId.get(id)!);
    },
    update,
    get: (id) => {
      const row = byId.get(id);
      return row && toTask(row);
    },
    list: () => list.all().map(toTask),
    remove: (id) => remove.change(id),
  };
}

function toTask(row: TaskRow): TaskRecord {
  return { ...row, params: fromJson(row.params), error: fromJson(row.error), result: fromJson(row.result) };
}
