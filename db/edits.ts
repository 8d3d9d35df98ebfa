/**
 * The view over what was found. An edit keeps, for every field it set, the value before and after; undoing it puts the
 * values before back, redoing it those after. As edits are undone newest first, redone oldest first and made anew only when
 * nothing is left to redo, that is always the state in which the edit was made or left.
 */
import { UserError } from '../core/base/errors.ts';
import type { EditTable } from '../core/storage/project-store.ts';
import type { ClassRecord, Edit, ImageChange } from '../core/storage/records.ts';
import { fromJson, insertInto, type Connection, type JsonRow } from './connection.ts';

/** Values as stored; null in the first two means "as found". */
interface Overrides {
  classId: number | null;
  split: string | null;
  excluded: 0 | 1;
}
type Field = keyof Overrides;
const COLUMNS: Readonly<Record<Field, string>> = {
  classId: 'editedClassId',
  split: 'editedSplit',
  excluded: 'excluded',
};
const FIELDS = ['classId', 'split', 'excluded'] as const satisfies readonly Field[];

type EditRow = Omit<JsonRow<Edit, 'params'>, 'redoable'> & { redoable: 0 | 1 };
type NewEdit = Omit<EditRow, 'id' | 'undoneAt' | 'redoable' | 'changes'>;
type Value = number | string | null;

export function editTable(connection: Connection): EditTable {
  const addEdit = connection.prepare<[NewEdit & { changes: number }]>(
    insertInto('edit', 'kind, params, author, at, changes'),
  );
  const setChanges = connection.prepare<[number, number]>('UPDATE edit SET changes = ? WHERE id = ?');
  const setUndone = connection.prepare<[string, number]>('UPDATE edit SET undoneAt = ?, redoable = 1 WHERE id = ?');
  const setRedone = connection.prepare<[number]>('UPDATE edit SET undoneAt = NULL, redoable = 0 WHERE id = ?');
  const forgetRedo = connection.prepare<[]>('UPDATE edit SET redoable = 0 WHERE redoable = 1');
  const byId = connection.prepare<[number], EditRow>('SELECT * FROM edit WHERE id = ?');
  const newest = connection.prepare<[], { id: number }>(
    'SELECT id FROM edit WHERE undoneAt IS NULL ORDER BY id DESC LIMIT 1',
  );
  const next = connection.prepare<[], { id: number }>('SELECT id FROM edit WHERE redoable = 1 ORDER BY id LIMIT 1');
  const list = connection.prepare<[], EditRow>('SELECT * FROM edit ORDER BY id');

  const overrides = connection.prepare<[number], Overrides>(
    'SELECT editedClassId AS classId, editedSplit AS split, excluded FROM image WHERE id = ?',
  );
  const setField = mapFields((field) =>
    connection.prepare<[Value, number]>(`UPDATE image SET ${COLUMNS[field]} = ? WHERE id = ?`),
  );
  const addImage = connection.prepare<[number, number, Field, Value, Value]>(`
    INSERT INTO editImage (editId, imageId, field, oldValue, newValue) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (editId, field, imageId) DO UPDATE SET newValue = excluded.newValue`);
  const countImages = connection.prepare<[number], { count: number }>(
    'SELECT count(DISTINCT imageId) AS count FROM editImage WHERE editId = ?',
  );
  const putFields = (which: 'oldValue' | 'newValue') =>
    mapFields((field) =>
      connection.prepare<[number]>(`
        UPDATE image SET ${COLUMNS[field]} = editImage.${which} FROM editImage
        WHERE editImage.editId = ? AND editImage.field = '${field}' AND image.id = editImage.imageId`),
    );
  const putClasses = (which: 'oldValue' | 'newValue') =>
    connection.prepare<[number]>(`
      UPDATE class SET mergedInto = editClass.${which} FROM editClass
      WHERE editClass.editId = ? AND class.id = editClass.classId`);
  const backward = { fields: putFields('oldValue'), classes: putClasses('oldValue') };
  const forward = { fields: putFields('newValue'), classes: putClasses('newValue') };

  const classById = connection.prepare<[number], ClassRecord>('SELECT * FROM class WHERE id = ?');
  const setMerged = connection.prepare<[number | null, number]>('UPDATE class SET mergedInto = ? WHERE id = ?');
  const addClass = connection.prepare<[number, number, number | null, number | null]>(
    'INSERT INTO editClass (editId, classId, oldValue, newValue) VALUES (?, ?, ?, ?)',
  );

  const start = (edit: NewEdit): number => {
    forgetRedo.run();
    return addEdit.insert({ ...edit, changes: 0 });
  };
  const put = (id: number, { fields, classes }: typeof backward): void => {
    for (const field of FIELDS) fields[field].run(id);
    classes.run(id);
  };
  const get = (id: number): Edit => toEdit(byId.get(id)!);
  const requireClass = (id: number): ClassRecord => {
    const record = classById.get(id);
    if (!record) throw new Error(`class ${id} does not exist`);
    return record;
  };

  const applyChange = (editId: number, change: ImageChange): void => {
    const before = overrides.get(change.imageId);
    if (!before) throw new Error(`image ${change.imageId} does not exist`);
    const after = stored(change);
    for (const field of FIELDS) {
      const value = after[field];
      if (value === undefined || value === before[field]) continue;
      addImage.run(editId, change.imageId, field, before[field], value);
      setField[field].run(value, change.imageId);
    }
  };

  return {
    apply: (edit, changes) =>
      connection.transaction(() => {
        const id = start({ ...edit, params: JSON.stringify(edit.params) });
        for (const change of changes) applyChange(id, change);
        setChanges.run(countImages.get(id)!.count, id);
        return get(id);
      }),

    merge: (edit, classIds, into) =>
      connection.transaction(() => {
        const moved = new Set(classIds);
        for (let target = into; target !== null;) {
          const record = requireClass(target);
          if (moved.has(target)) throw cycleError(record.name, requireClass(into!).name);
          target = record.mergedInto;
        }
        const id = start({ ...edit, kind: 'merge', params: JSON.stringify(edit.params) });
        let changes = 0;
        for (const classId of moved) {
          const { mergedInto } = requireClass(classId);
          if (mergedInto === into) continue;
          addClass.run(id, classId, mergedInto, into);
          setMerged.run(into, classId);
          changes++;
        }
        setChanges.run(changes, id);
        return get(id);
      }),

    undo: (at) =>
      connection.transaction(() => {
        const edit = newest.get();
        if (!edit) return undefined;
        put(edit.id, backward);
        setUndone.run(at, edit.id);
        return get(edit.id);
      }),

    redo: () =>
      connection.transaction(() => {
        const edit = next.get();
        if (!edit) return undefined;
        put(edit.id, forward);
        setRedone.run(edit.id);
        return get(edit.id);
      }),

    list: () => list.all().map(toEdit),
  };
}

function mapFields<T>(make: (field: Field) => T): Record<Field, T> {
  return { classId: make('classId'), split: make('split'), excluded: make('excluded') };
}

/** A change in stored form; fields that it does not touch are undefined. A split taken away is 'none'. */
function stored(change: ImageChange): Partial<Overrides> {
  const { classId, split, excluded } = change;
  return {
    ...(classId === undefined ? {} : { classId }),
    ...(split === undefined ? {} : { split: split ?? 'none' }),
    ...(excluded === undefined ? {} : { excluded: excluded ? 1 : 0 }),
  };
}

function cycleError(moved: string, into: string): UserError {
  return new UserError(
    'usage',
    moved === into
      ? `Cannot merge the class '${moved}' into itself. Choose another class.`
      : `Cannot merge the class '${moved}' into '${into}', which counts as '${moved}' itself. Undo that merge first.`,
  );
}

function toEdit(row: EditRow): Edit {
  return { ...row, redoable: row.redoable === 1, params: fromJson(row.params) };
}
