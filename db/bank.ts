/** The bank as a whole. */
import type { BankTable } from '../core/storage/project-store.ts';
import { EFFECTIVE_CLASSES } from './classes.ts';
import type { Connection } from './connection.ts';
import { inProject } from './removed.ts';

export function bankTable(connection: Connection): BankTable {
  const byClass = connection.prepare<[], { classId: number; held: number; retired: number }>(`
    WITH RECURSIVE ${EFFECTIVE_CLASSES}
    SELECT root AS classId, sum(context.retiredAt IS NULL) AS held, sum(context.retiredAt IS NOT NULL) AS retired
    FROM context JOIN image ON image.id = context.imageId JOIN effective ON effective.id = image.classId
    WHERE context.state = 'accepted' AND ${inProject('context.imageId')} GROUP BY root`);
  // Materialised: else SQLite looks the event up once for each clause that names it.
  const reviewers = connection.prepare<[], { name: string; contexts: number }>(`
    WITH accepted AS MATERIALIZED (
      SELECT (SELECT author FROM contextEvent WHERE contextId = context.id AND action = 'accepted' ORDER BY id DESC LIMIT 1)
        AS name FROM context WHERE state = 'accepted' AND ${inProject('imageId')})
    SELECT name, count(*) AS contexts FROM accepted WHERE name IS NOT NULL GROUP BY name ORDER BY name`);
  const lastEvent = connection.column<number>('SELECT coalesce(max(id), 0) FROM contextEvent');
  const changedSince = connection.column<number>(`
    SELECT count(DISTINCT contextId) FROM contextEvent
    WHERE id > ? AND (action = 'accepted' OR oldState = 'accepted')`);
  return {
    byClass: () => byClass.all(),
    reviewers: () => reviewers.all(),
    lastEvent: () => lastEvent()[0],
    changedSince: (event) => changedSince(event)[0],
  };
}
