/** The project itself: its name and its small settings. */
import { UserError } from '../core/base/errors.ts';
import type { ProjectInfo, SettingTable } from '../core/storage/project-store.ts';
import { fromJson, type Connection } from './connection.ts';

/** @throws UserError 'damaged' when the file does not say whose it is */
export function projectInfo(connection: Connection): ProjectInfo {
  const info = connection.prepare<[], ProjectInfo>('SELECT id, name, createdAt FROM project').get();
  if (!info) throw new UserError('damaged', `${connection.file} is damaged: it holds no project.`);
  return info;
}

export function settingTable(connection: Connection): SettingTable {
  const byName = connection.prepare<[string], { value: string }>('SELECT value FROM setting WHERE name = ?');
  const put = connection.prepare<[string, string]>('REPLACE INTO setting (name, value) VALUES (?, ?)');
  return {
    get: (name) => {
      const row = byName.get(name);
      return row && fromJson(row.value);
    },
    set: (name, value) => put.run(name, JSON.stringify(value)),
  };
}
