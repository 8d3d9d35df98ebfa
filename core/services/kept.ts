/** What is made of a project's tables and asked for again and again. */
import type { ProjectStore } from '../storage/project-store.ts';

/** `make`, done again only when something was written into the project since; callers leave what it made as it is. */
export function keptUntilChange<Made>(make: (store: ProjectStore) => Made): (store: ProjectStore) => Made {
  const kept = new WeakMap<ProjectStore, { changes: number; made: Made }>();
  return (store) => {
    const changes = store.changes();
    const before = kept.get(store);
    if (before?.changes === changes) return before.made;
    const made = make(store);
    kept.set(store, { changes, made });
    return made;
  };
}
