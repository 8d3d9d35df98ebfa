/** Classes with merges applied. */
import type { ProjectStore } from '../storage/project-store.ts';
import type { ClassRecord } from '../storage/records.ts';

/** The class that each class counts as, by id: the end of its chain of merges. */
export function effectiveClasses(store: ProjectStore): Map<number, ClassRecord> {
  const records = new Map(store.classes.list().map((record) => [record.id, record]));
  const resolve = (record: ClassRecord): ClassRecord =>
    record.mergedInto === null ? record : resolve(records.get(record.mergedInto)!);
  return new Map([...records].map(([id, record]) => [id, resolve(record)]));
}
