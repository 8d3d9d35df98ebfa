/** Studies and the runs that were made for them. */
import type { StudyTable } from '../core/storage/project-store.ts';
import type { Study, StudyRun } from '../core/storage/records.ts';
import { fromJson, insertInto, type Connection, type JsonRow } from './connection.ts';

type StudyRow = JsonRow<Omit<Study, 'runs'>, 'params'>;

export function studyTable(connection: Connection): StudyTable {
  const add = connection.prepare<[Omit<StudyRow, 'id'>]>(insertInto('study', 'kind, params, createdAt'));
  const addRun = connection.prepare<[StudyRun & { studyId: number }]>(
    insertInto('studyRun', 'studyId, runId, arm, seed'),
  );
  const byId = connection.prepare<[number], StudyRow>('SELECT * FROM study WHERE id = ?');
  const list = connection.prepare<[], StudyRow>('SELECT * FROM study ORDER BY id DESC');
  const runs = connection.prepare<[number], StudyRun>(
    'SELECT runId, arm, seed FROM studyRun WHERE studyId = ? ORDER BY seed, arm DESC, runId',
  );
  const ofRun = connection.prepare<[number], StudyRow>(
    'SELECT study.* FROM study JOIN studyRun ON studyId = study.id WHERE runId = ? ORDER BY study.id DESC LIMIT 1',
  );
  const removeRuns = connection.prepare<[number]>('DELETE FROM studyRun WHERE studyId = ?');
  const remove = connection.prepare<[number]>('DELETE FROM study WHERE id = ?');
  const toStudy = (row: StudyRow): Study => ({ ...row, params: fromJson(row.params), runs: runs.all(row.id) });
  return {
    add: ({ runs: members, params, ...study }) =>
      connection.transaction(() => {
        const studyId = add.insert({ ...study, params: JSON.stringify(params) });
        for (const run of members) addRun.run({ ...run, studyId });
        return toStudy(byId.get(studyId)!);
      }),
    get: (id) => {
      const row = byId.get(id);
      return row && toStudy(row);
    },
    list: () => list.all().map(toStudy),
    ofRun: (runId) => {
      const row = ofRun.get(runId);
      return row && toStudy(row);
    },
    addRuns: (studyId, members) =>
      connection.transaction(() => {
        for (const run of members) addRun.run({ ...run, studyId });
      }),
    remove: (id) =>
      connection.transaction(() => {
        removeRuns.run(id);
        remove.change(id);
      }),
  };
}
