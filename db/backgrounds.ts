/** Plain backgrounds and the folders that they lie in. */
import type { BackgroundTable } from '../core/storage/project-store.ts';
import type { Background, BackgroundFolder } from '../core/storage/records.ts';
import { insertInto, type Connection } from './connection.ts';

const FILE = 'folderId, path, pathBytes, size, mtimeMs, hash, width, height, format, orientation';

export function backgroundTable(connection: Connection): BackgroundTable {
  const folderAt = connection.prepare<[string], BackgroundFolder>('SELECT * FROM backgroundFolder WHERE path = ?');
  const addFolder = connection.prepare<[Omit<BackgroundFolder, 'id'>]>(
    insertInto('backgroundFolder', 'path, relativePath'),
  );
  const folders = connection.prepare<[], BackgroundFolder>('SELECT * FROM backgroundFolder ORDER BY id');
  const moveFolder = connection.prepare<[string, string | null, number]>(
    'UPDATE backgroundFolder SET path = ?, relativePath = ? WHERE id = ?',
  );
  const add = connection.prepare<[Omit<Background, 'id' | 'retiredAt' | 'note'>]>(
    insertInto('background', `${FILE}, author, addedAt`),
  );
  const assignments = FILE.split(', ').map((column) => `${column} = @${column}`);
  const setFile = connection.prepare<[Omit<Background, 'author' | 'addedAt' | 'retiredAt' | 'note'>]>(
    `UPDATE background SET ${assignments.join(', ')} WHERE id = @id`,
  );
  const byId = connection.prepare<[number], Background>('SELECT * FROM background WHERE id = ?');
  const byHash = connection.prepare<[string], Background>('SELECT * FROM background WHERE hash = ?');
  const byPath = connection.prepare<[number, string, Uint8Array | null], Background>(
    "SELECT * FROM background WHERE folderId = ? AND path = ? AND ifnull(pathBytes, x'') = ifnull(?, x'')",
  );
  const list = connection.prepare<[], Background>('SELECT * FROM background ORDER BY id');
  const counts = connection.prepare<[], { held: number; retired: number }>(
    'SELECT count(*) - count(retiredAt) AS held, count(retiredAt) AS retired FROM background',
  );
  const setRetired = connection.prepare<[string | null, number]>('UPDATE background SET retiredAt = ? WHERE id = ?');
  const setNote = connection.prepare<[string, number]>('UPDATE background SET note = ? WHERE id = ?');
  const remove = connection.prepare<[number]>('DELETE FROM background WHERE id = ?');
  const dropEmptyFolders = connection.prepare<[]>(
    'DELETE FROM backgroundFolder WHERE id NOT IN (SELECT folderId FROM background)',
  );
  return {
    folder: (path, relativePath) =>
      folderAt.get(path) ?? { id: addFolder.insert({ path, relativePath }), path, relativePath },
    folders: () => folders.all(),
    moveFolder: (id, path, relativePath) => moveFolder.change(path, relativePath, id),
    add: (background) => byId.get(add.insert(background))!,
    setFile: (id, file) => setFile.change({ id, ...file }),
    get: (id) => byId.get(id),
    withHash: (hash) => byHash.get(hash),
    byPath: (folderId, path, pathBytes = null) => byPath.get(folderId, path, pathBytes),
    list: () => list.all(),
    counts: () => counts.get()!,
    setRetired: (id, at) => setRetired.change(at, id),
    setNote: (id, note) => setNote.change(note, id),
    remove: (id) =>
      connection.transaction(() => {
        remove.change(id);
        dropEmptyFolders.run();
      }),
  };
}
