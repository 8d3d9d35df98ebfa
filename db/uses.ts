/** Which contexts were used by what: counted once for each frozen bank and each finished export. */
import type { BankUse, ContextUse, UseCount, UseTable } from '../core/storage/project-store.ts';
import type { BlobId, RunState } from '../core/storage/records.ts';
import type { Connection } from './connection.ts';

/** What marks an export that was finished and does not change any more. */
const DONE = 'manifestHash IS NOT NULL';

interface RunUseRow {
  id: number;
  name: string;
  state: RunState;
  modelBlob: BlobId | null;
  maskId: number;
}

export function useTable(connection: Connection): UseTable {
  const newBank = connection.column<BlobId>(`
    SELECT bankBlob FROM run
    WHERE bankBlob IS NOT NULL AND NOT EXISTS (SELECT 1 FROM useTally WHERE useTally.bankBlob = run.bankBlob)
    LIMIT 1`);
  const newBanks = connection.column<number>(`
    SELECT count(DISTINCT bankBlob) FROM run
    WHERE bankBlob IS NOT NULL AND NOT EXISTS (SELECT 1 FROM useTally WHERE useTally.bankBlob = run.bankBlob)`);
  const newExports = connection.column<number>(`
    SELECT id FROM export WHERE ${DONE} AND NOT EXISTS (SELECT 1 FROM useTally WHERE exportId = export.id) ORDER BY id`);
  const addBankTally = connection.prepare<[{ blob: BlobId; runs: number }]>(
    'INSERT INTO useTally (bankBlob, runs) VALUES (@blob, @runs)',
  );
  const runsWith = connection.column<number>('SELECT count(*) FROM run WHERE bankBlob = ?');
  const staleBank = connection.column<BlobId>(`
    SELECT bankBlob FROM useTally
    WHERE bankBlob IS NOT NULL AND runs <> (SELECT count(*) FROM run WHERE run.bankBlob = useTally.bankBlob) LIMIT 1`);
  const runsCounted = connection.column<number>('SELECT runs FROM useTally WHERE bankBlob = ?');
  const setRuns = connection.prepare<[number, BlobId]>('UPDATE useTally SET runs = ? WHERE bankBlob = ?');
  const addTimes = connection.prepare<[{ times: number; contexts: string }]>(`
    INSERT INTO useCount (contextId, times) SELECT value, @times FROM json_each(@contexts) WHERE true
    ON CONFLICT (contextId) DO UPDATE SET times = times + excluded.times`);
  const exported = connection.column<number>(`
    SELECT DISTINCT contextId FROM exportItem WHERE exportId = ? AND contextId IS NOT NULL AND maskId IS NOT NULL`);
  const addExportTally = connection.prepare<[number]>('INSERT INTO useTally (exportId) VALUES (?)');
  const addBankUses = connection.prepare<[number, string]>(`
    INSERT INTO contextUse (contextId, tallyId, maskId, pictures)
    SELECT value ->> 0, ?, value ->> 1, NULL FROM json_each(?)`);
  const addExportUses = connection.prepare<[number, number]>(`
    INSERT INTO contextUse (contextId, tallyId, maskId, pictures)
    SELECT contextId, ?, maskId, count(*) FROM exportItem
    WHERE exportId = ? AND contextId IS NOT NULL AND maskId IS NOT NULL GROUP BY contextId, maskId`);
  const addBankBackgrounds = connection.prepare<[number, string]>(`
    INSERT INTO backgroundUse (backgroundId, tallyId, pictures) SELECT value, ?, NULL FROM json_each(?)`);
  const addExportBackgrounds = connection.prepare<[number, number]>(`
    INSERT INTO backgroundUse (backgroundId, tallyId, pictures)
    SELECT backgroundId, ?, count(*) FROM exportItem
    WHERE exportId = ? AND backgroundId IS NOT NULL GROUP BY backgroundId`);
  const runs = connection.prepare<[number], RunUseRow>(`
    SELECT run.id, run.name, run.state, run.modelBlob, maskId
    FROM contextUse JOIN useTally ON useTally.id = tallyId JOIN run ON run.bankBlob = useTally.bankBlob
    WHERE contextId = ? ORDER BY run.id DESC`);
  const exports = connection.prepare<[number], ContextUse['exports'][number]>(`
    SELECT export.id, export.path, maskId, pictures
    FROM contextUse JOIN useTally ON useTally.id = tallyId JOIN export ON export.id = useTally.exportId
    WHERE contextId = ? ORDER BY export.id DESC, maskId`);
  const counts = connection.prepare<[string], UseCount>(`
    SELECT wanted.value AS contextId,
      (SELECT count(*) FROM contextUse JOIN useTally ON useTally.id = tallyId
        JOIN run ON run.bankBlob = useTally.bankBlob WHERE contextId = wanted.value) AS runs,
      (SELECT count(DISTINCT tallyId) FROM contextUse WHERE contextId = wanted.value AND pictures IS NOT NULL) AS exports,
      (SELECT coalesce(sum(pictures), 0) FROM contextUse WHERE contextId = wanted.value) AS pictures
    FROM json_each(?) AS wanted ORDER BY wanted.key`);
  const USED = 'SELECT DISTINCT tallyId FROM contextUse WHERE contextId IN (SELECT value FROM json_each(?))';
  const runsOf = connection.column<number>(`
    SELECT count(*) FROM run JOIN useTally ON useTally.bankBlob = run.bankBlob WHERE useTally.id IN (${USED})`);
  const exportsOf = connection.column<number>(`
    SELECT count(*) FROM useTally WHERE exportId IS NOT NULL AND id IN (${USED})`);
  const ofBackgrounds = connection.prepare<
    [],
    { backgroundId: number; runs: number; exports: number; pictures: number }
  >(`
    SELECT backgroundId, count(run.id) AS runs, count(DISTINCT exportId) AS exports, coalesce(sum(pictures), 0) AS pictures
    FROM backgroundUse JOIN useTally ON useTally.id = tallyId LEFT JOIN run ON run.bankBlob = useTally.bankBlob
    GROUP BY backgroundId`);
  return {
    newBank: () => newBank().at(0),
    newBanks: () => newBanks()[0],
    addBank: (blob, entries) =>
      connection.transaction(() => {
        const [times] = runsWith(blob);
        const tally = addBankTally.insert({ blob, runs: times });
        const contexts = entries.filter((entry) => 'contextId' in entry);
        addBankUses.run(tally, JSON.stringify(contexts.map(({ contextId, maskId }) => [contextId, maskId])));
        const backgrounds = entries.filter((entry) => 'backgroundId' in entry);
        addBankBackgrounds.run(tally, JSON.stringify(backgrounds.map(({ backgroundId }) => backgroundId)));
        addTimes.run({ times, contexts: contextIds(entries) });
      }),
    staleBank: () => staleBank().at(0),
    recount: (blob, entries) =>
      connection.transaction(() => {
        const [times] = runsWith(blob);
        addTimes.run({ times: times - runsCounted(blob)[0], contexts: contextIds(entries) });
        setRuns.change(times, blob);
      }),
    addExports: () =>
      connection.transaction(() => {
        for (const id of newExports()) {
          const tally = addExportTally.insert(id);
          addExportUses.run(tally, id);
          addExportBackgrounds.run(tally, id);
          addTimes.run({ times: 1, contexts: JSON.stringify(exported(id)) });
        }
      }),
    ofContext: (id) => ({
      runs: runs.all(id).map(({ modelBlob, ...run }) => ({ ...run, model: modelBlob !== null })),
      exports: exports.all(id),
    }),
    counts: (ids) => counts.all(JSON.stringify(ids)),
    ofContexts: (ids) => {
      const wanted = JSON.stringify(ids);
      return { runs: runsOf(wanted)[0], exports: exportsOf(wanted)[0] };
    },
    ofBackgrounds: () => new Map(ofBackgrounds.all().map(({ backgroundId, ...uses }) => [backgroundId, uses])),
  };
}

function contextIds(entries: readonly BankUse[]): string {
  return JSON.stringify(entries.flatMap((entry) => ('contextId' in entry ? [entry.contextId] : [])));
}
