/** The storage interface of core over SQLite. The entries (command line, service) hand it to core. */
import type { ProjectStorage } from '../core/storage/project-store.ts';
import { openProjectFile } from './open.ts';
import { createStore } from './store.ts';

export const sqliteStorage: ProjectStorage = {
  open: (file, options) => {
    const project = openProjectFile(file, options);
    try {
      return createStore(project);
    } catch (error) {
      project.close();
      throw error;
    }
  },
};
