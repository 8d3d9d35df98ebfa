/** Saliency maps and mask versions. Rows are only ever added. */
import type { MaskTable, SaliencyTable } from '../core/storage/project-store.ts';
import type { Mask, Saliency } from '../core/storage/records.ts';
import { fromJson, insertInto, type Connection, type JsonRow } from './connection.ts';

type MaskRow = JsonRow<Mask, 'params'>;

export function saliencyTable(connection: Connection): SaliencyTable {
  const add = connection.prepare<[Omit<Saliency, 'id'>]>(
    insertInto(
      'saliency',
      'imageId, modelHash, layer, runId, blob, width, height, probability, probabilityFrom, createdAt',
    ),
  );
  const byId = connection.prepare<[number], Saliency>('SELECT * FROM saliency WHERE id = ?');
  const ofImage = connection.prepare<[number], Saliency>('SELECT * FROM saliency WHERE imageId = ? ORDER BY id DESC');
  return {
    add: (saliency) => byId.get(add.insert(saliency))!,
    get: (id) => byId.get(id),
    ofImage: (imageId) => ofImage.all(imageId),
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

function toMask(row: MaskRow): Mask {
  return { ...row, params: fromJson(row.params) };
}
