/** Tasks that belong to no project; they end with the service. */
import type { TaskTable } from '../storage/project-store.ts';
import type { TaskRecord } from '../storage/records.ts';

export function memoryTasks(): TaskTable {
  const records = new Map<number, TaskRecord>();
  let count = 0;
  const require = (id: number): TaskRecord => {
    const record = records.get(id);
    if (!record) throw new Error(`no such task: ${id}`);
    return record;
  };
  return {
    add: (task) => {
      const record = { ...task, id: ++count };
      records.set(record.id, record);
      return record;
    },
    update: (id, fields) => void records.set(id, { ...require(id), ...fields }),
    get: (id) => records.get(id),
    list: () => [...records.values()].toSorted((a, b) => a.position - b.position || a.id - b.id),
    remove: (id) => {
      require(id);
      records.delete(id);
    },
  };
}
