import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { FolderEntry } from '../../api/app.ts';
import { fileError } from '../../base/errors.ts';
import { CODE_VERSION } from '../../base/version.ts';
import { eventStream } from '../event-stream.ts';
import { implement } from '../handlers.ts';
import { openApiDocument } from '../openapi.ts';

const FILE_KINDS: Readonly<Record<string, FolderEntry['kind']>> = {
  '.zip': 'zip',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.contexture': 'project',
};

export const appRoutes = implement({
  'GET /api/about': ({ service }) => ({
    version: CODE_VERSION,
    node: process.versions.node,
    platform: process.platform,
    pid: process.pid,
    access: service.access.kind,
    roots: [...service.access.roots],
    projectFolder: service.projectFolder,
  }),

  'GET /api/settings': ({ service }) => service.library.settings,

  'PATCH /api/settings': async ({ service, body }) => {
    const given = Object.entries(body).filter(([, value]) => value !== undefined);
    await service.library.changeSettings(Object.fromEntries(given));
    service.hub.publish({ type: 'settings' });
    return service.library.settings;
  },

  'GET /api/folders': async ({ service, query }) => {
    const { roots } = service.access;
    if (query.path === undefined && roots.length > 0) {
      return {
        path: null,
        parent: null,
        entries: roots.map((path) => ({ name: path, path, kind: 'folder' as const })),
      };
    }
    const path = service.access.check(query.path ?? dirname(service.projectFolder));
    const parent = dirname(path);
    return {
      path,
      parent: roots.includes(path) || parent === path ? null : parent,
      entries: await entriesOf(path),
    };
  },

  'GET /api/events': ({ service, header, signal }) =>
    eventStream(service.hub, header('last-event-id'), signal, service.heartbeat),

  'GET /api/openapi.json': () => Response.json(openApiDocument()),
});

/** Folders and files that can be imported or opened, by name; hidden ones are left out. */
async function entriesOf(folder: string): Promise<FolderEntry[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw fileError(error, 'list the folder', folder);
  }
  const entries = await Promise.all(
    names.toSorted().map(async (name): Promise<FolderEntry[]> => {
      if (name.startsWith('.')) return [];
      const path = join(folder, name);
      const kind = FILE_KINDS[extname(name).toLowerCase()];
      // A link to nothing is neither.
      const isFolder = await stat(path).then(
        (stats) => stats.isDirectory(),
        () => undefined,
      );
      if (isFolder) return name.endsWith('.contexture.files') ? [] : [{ name, path, kind: 'folder' }];
      return isFolder === false && kind ? [{ name, path, kind }] : [];
    }),
  );
  return entries.flat();
}
