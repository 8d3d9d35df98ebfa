import { basename, join } from 'node:path';
import { commandLine } from '../../base/command-line.ts';
import { fileError } from '../../base/errors.ts';
import { openSource } from '../../data/sources/open.ts';
import {
  listBackgrounds,
  noteBackground,
  removeBackgrounds,
  requireBackground,
  requireFolder,
  retireBackgrounds,
} from '../../services/backgrounds.ts';
import type { Access } from '../access.ts';
import { actOf } from '../act.ts';
import { implement } from '../handlers.ts';
import type { ServedProject } from '../open-projects.ts';
import type { Service } from '../service.ts';

/** Longer side of a background as it is shown, pixels. */
const SHOWN = 384;

export const backgroundRoutes = implement({
  'GET /api/projects/{project}/backgrounds': ({ service, params }) =>
    listBackgrounds(service.projects.get(params.project).project),

  'POST /api/projects/{project}/backgrounds': async ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const folders = body.folders.map((path) => service.access.check(path));
    for (const path of folders) await requireFolder(path);
    return service.tasks.add(served, {
      kind: 'backgrounds',
      title: `Add backgrounds from ${folders.map((path) => basename(path)).join(', ')}`,
      params: { folders, author: actOf(service, served.project).author },
      command: commandLine(['contexture', 'bank', 'add-backgrounds', ...folders, '--project', served.file]),
    });
  },

  'POST /api/projects/{project}/backgrounds/retire': ({ service, params, body }) =>
    setRetired(service, params.project, body.ids, true),

  'POST /api/projects/{project}/backgrounds/reinstate': ({ service, params, body }) =>
    setRetired(service, params.project, body.ids, false),

  'PUT /api/projects/{project}/backgrounds/{background}/note': ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    noteBackground(project, params.background, body.note);
    told(service, params.project);
    return { note: requireBackground(project.store, params.background).note };
  },

  'DELETE /api/projects/{project}/backgrounds/{background}': async ({ service, params }) => {
    await removeBackgrounds(service.projects.get(params.project).project, [params.background]);
    told(service, params.project);
    return { removed: 1 };
  },

  'GET /api/projects/{project}/backgrounds/{background}/picture': async ({ service, params }) => {
    const served = service.projects.get(params.project);
    const background = requireBackground(served.project.store, params.background);
    const read = (): Promise<Buffer> => readBackground(served, params.background, service.access);
    const bytes = Uint8Array.from(await served.thumbnails.get(background, read, { size: SHOWN }));
    // Its content is in no part of the address, so the page asks each time.
    return new Response(bytes, { headers: { 'content-type': 'image/webp', 'cache-control': 'private, no-cache' } });
  },
});

function setRetired(service: Service, id: string, ids: readonly number[], retired: boolean): { changed: number } {
  const { project } = service.projects.get(id);
  const changed = retireBackgrounds(project, [...new Set(ids)], retired, new Date().toISOString());
  told(service, id);
  return { changed };
}

async function readBackground({ project }: ServedProject, id: number, access: Access): Promise<Buffer> {
  const background = requireBackground(project.store, id);
  const { path } = project.store.backgrounds.folders().find((folder) => folder.id === background.folderId)!;
  const source = await openSource({ kind: 'folder', path });
  try {
    access.check(await source.realPath(background));
    return await source.read(background);
  } catch (error) {
    throw fileError(error, 'read the background', join(path, background.path));
  } finally {
    await source.close();
  }
}

function told(service: Service, project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['contexts'] });
}
