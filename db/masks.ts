/** Saliency maps and mask versions. Rows are only ever added. */
import type { MaskTable, SaliencyTable } from '../core/storage/project-store.ts';
import type { Mask, Saliency } from '../core/storage/records.ts';
import { fromJson, insertInto, type Connection, type JsonRow } from './connection.ts';

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
  };
}

export function maskTable(connection: Connection): MaskTable {
  const add = connection.prepare<[Omit<MaskRow, 'id'>]>(
    insertInto('mask', 'imageId, parentId, origin, saliencyId, params, blob, width, height, area, author, createdAt'),
  );
  const byId = connection.prepare<[number], MaskRow>('SELECT * FROM mask WHERE id = ?');
  const ofImage = connection.prepare<[number], MaskRow>('SELECT * FROM mask WHERE imageId = ? ORDER BY id');
  return {
    add: (mask) => toMask(byId.get(add.insert({ ...mask, params: JSON.stringify(mask.params) }))!),
    get: (id) => {
      const row = byId.get(id);
      return row && toMask(row);
    },
    ofImage: (imageId) => ofImage.all(imageId).map(toMask),
  };
}

function toSaliency(row: SaliencyRow): Saliency {
  return { ...row, look: fromJson(row.look) };
}

function toMask(row: MaskRow): Mask {
  return { ...row, params: fromJson(row.params) };
}
