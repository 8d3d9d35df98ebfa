/** Saliency maps and mask versions. Rows are only ever added. */
import type { MaskTable, Rivals, SaliencyTable } from '../core/storage/project-store.ts';
import type { Mask, Saliency } from '../core/storage/records.ts';
import { fromJson, insertInto, type Connection, type JsonRow } from './connection.ts';
import { inProject } from './removed.ts';

type SaliencyRow = JsonRow<Saliency, 'look'>;
type MaskRow = JsonRow<Mask, 'params'>;

export function saliencyTable(connection: Connection): SaliencyTable {
  const add = connection.prepare<[Omit<SaliencyRow, 'id' | 'doubt'>]>(
    insertInto(
      'saliency',
      'imageId, modelHash, layer, runId, blob, width, height, probability, probabilityFrom, look, createdAt',
    ),
  );
  const byId = connection.prepare<[number], SaliencyRow>('SELECT * FROM saliency WHERE id = ?');
  const ofImage = connection.prepare<[number], SaliencyRow>(
    'SELECT * FROM saliency WHERE imageId = ? ORDER BY id DESC',
  );
  const undoubted = connection.prepare<[], Pick<Saliency, 'id' | 'blob'>>(`
    SELECT DISTINCT saliency.id, saliency.blob FROM context JOIN mask ON mask.id = context.maskId
    JOIN saliency ON saliency.id = mask.saliencyId WHERE doubt IS NULL ORDER BY saliency.id`);
  const newestRun = connection.column<number>(
    'SELECT runId FROM saliency WHERE runId IS NOT NULL ORDER BY id DESC LIMIT 1',
  );
  const setDoubt = connection.prepare<[number, number]>('UPDATE saliency SET doubt = ? WHERE id = ?');
  return {
    add: (saliency) => toSaliency(byId.get(add.insert({ ...saliency, look: JSON.stringify(saliency.look) }))!),
    get: (id) => {
      const row = byId.get(id);
      return row && toSaliency(row);
    },
    ofImage: (imageId) => ofImage.all(imageId).map(toSaliency),
    undoubted: () => undoubted.all(),
    setDoubt: (id, doubt) => setDoubt.change(doubt, id),
    newestRun: () => newestRun()[0],
  };
}

export function maskTable(connection: Connection): MaskTable {
  const add = connection.prepare<[Omit<MaskRow, 'id'>]>(
    insertInto('mask', 'imageId, parentId, origin, saliencyId, params, blob, width, height, area, author, createdAt'),
  );
  const byId = connection.prepare<[number], MaskRow>('SELECT * FROM mask WHERE id = ?');
  const ofImage = connection.prepare<[number], MaskRow>('SELECT * FROM mask WHERE imageId = ? ORDER BY id');
  const rivals = connection.prepare<[string], Rivals>(`
    SELECT context.id AS contextId, mask.id AS maskId, mask.blob, rival.id AS modelMaskId, rival.blob AS modelBlob
    FROM context JOIN mask ON mask.id = context.maskId
    JOIN mask AS rival ON rival.id = (
      SELECT max(made.id) FROM mask AS made JOIN saliency ON saliency.id = made.saliencyId
      WHERE made.imageId = context.imageId AND saliency.modelHash = ?)
    WHERE (context.state = 'accepted' OR (context.state = 'undecided' AND mask.origin IN ('edit', 'import')))
    AND ${inProject('context.imageId')} AND rival.id <> mask.id AND rival.width = mask.width AND rival.height = mask.height
    ORDER BY context.id`);
  return {
    add: (mask) => toMask(byId.get(add.insert({ ...mask, params: JSON.stringify(mask.params) }))!),
    get: (id) => {
      const row = byId.get(id);
      return row && toMask(row);
    },
    ofImage: (imageId) => ofImage.all(imageId).map(toMask),
    rivals: (modelHash) => rivals.all(modelHash),
  };
}

function toSaliency(row: SaliencyRow): Saliency {
  return { ...row, look: fromJson(row.look) };
}

function toMask(row: MaskRow): Mask {
  return { ...row, params: fromJson(row.params) };
}
