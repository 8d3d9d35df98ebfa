import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../base/errors.ts';
import { appStorage, cleanApp, cleanProject, projectStorage } from '../../services/storage-use.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';

/** Beside the code of a package, or where the build of one has just put it. */
const LICENCES = ['../../../../licences.txt', '../../../out/licences.txt'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

export const storageRoutes = implement({
  'GET /api/projects/{project}/storage': async ({ service, params }) => ({
    ...(await projectStorage(service.projects.get(params.project).project)),
    busy: busy(service, params.project),
  }),

  'POST /api/projects/{project}/storage/clean': async ({ service, params, body }) => {
    const freed = await cleanProject(service.projects.get(params.project).project, body.parts, () => {
      const reason = busy(service, params.project);
      if (reason !== null) throw new UserError('locked', reason);
    });
    // Views that were kept as blobs may be gone.
    service.hub.publish({ type: 'data', project: params.project, topics: ['settings'] });
    return freed;
  },

  'GET /api/storage': () => appStorage(),

  'POST /api/storage/clean': ({ body }) => cleanApp(body.parts),

  'GET /api/log': ({ service }) => ({ lines: [...service.recentLog.lines] }),

  'GET /api/licences': () => {
    const file = LICENCES.find((path) => existsSync(path));
    if (file === undefined)
      throw new UserError('not-found', 'This copy was not packaged: the licences lie in node_modules.');
    return new Response(readFileSync(file), { headers: { 'content-type': 'text/plain; charset=utf-8' } });
  },
});

/** What is at work in a project, and may be about to read what would be deleted. */
function busy(service: Service, project: string): string | null {
  const task = service.tasks.list().find((one) => one.project === project && one.state === 'running');
  return task ? `“${task.title}” is at work in this project: wait for its end or pause it, then clean up.` : null;
}
