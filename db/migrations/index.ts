/** All migrations, oldest first. A file that has been released never changes again; a new shape is a new file. */
import type { Migration } from '../migrate.ts';
import * as firstTables from './0001-first-tables.ts';
import * as tasksAndRunNotes from './0002-tasks-and-run-notes.ts';

export const migrations: readonly Migration[] = [firstTables, tasksAndRunNotes];
