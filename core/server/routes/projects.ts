import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OpenedProject } from '../../api/projects.ts';
import { UserError, fileError } from '../../base/errors.ts';
import { implement } from '../handlers.ts';
import type { ServedProject } from '../open-projects.ts';

export const projectRoutes = implement({
  'GET /api/projects': ({ service }) => service.listProjects(),

  'POST /api/projects': async ({ service, body: { file, create, name } }) => {
    const path = service.access.check(file);
    if (create) await makeFolder(dirname(path));
    return describe(await service.openProject(path, { create, ...(name === undefined ? {} : { name }) }));
  },

  'GET /api/projects/{project}': ({ service, params }) => describe(service.projects.get(params.project)),

  'POST /api/projects/{project}/close': async ({ service, params }) => {
    await service.closeProject(params.project);
    return {};
  },

  'POST /api/projects/forget': async ({ service, body: { file } }) => {
    service.access.check(file);
    if (service.projects.byFile(file)) throw new UserError('usage', `${file} is open: close it first.`);
    await service.library.forget(file);
    service.hub.publish({ type: 'projects' });
    return {};
  },

  'POST /api/sample': ({ service, body }) => {
    const parent = service.access.check(body.folder ?? service.projectFolder);
    const folder = freeName(join(parent, 'Sample'));
    return service.tasks.add(null, {
      kind: 'sample',
      title: 'Make the sample',
      params: { folder },
      command: `contexture sample --project ${join(folder, 'sample.contexture')}`,
    });
  },
});

function describe({ id, name, file, createdAt, lostSources }: ServedProject): OpenedProject {
  return { id, name, file, createdAt, lostSources: [...lostSources] };
}

/** The path, or with a number behind it where that is taken. */
function freeName(path: string): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? path : `${path} ${number}`;
    if (!existsSync(candidate)) return candidate;
  }
}

/** @throws UserError 'no-permission', 'no-space', 'usage' */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(error, 'make the folder of the project', path);
  }
}
