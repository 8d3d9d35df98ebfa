import { composedPicture, prepareReliance, relianceCases, relianceReport } from '../../services/reliance.ts';
import { commandLine } from '../../base/command-line.ts';
import { implement } from '../handlers.ts';

export const relianceRoutes = implement({
  'GET /api/projects/{project}/runs/{run}/reliance': ({ service, params, query }) =>
    relianceReport(service.projects.get(params.project).project, params.run, query.head),

  'POST /api/projects/{project}/runs/{run}/reliance': async ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const masksOf = body.masksOf ?? null;
    await prepareReliance(served.project, params.run, masksOf);
    const option = masksOf === null ? [] : ['--masks-of', String(masksOf)];
    return service.tasks.add(served, {
      kind: 'reliance',
      title: `Context reliance of run ${params.run}`,
      params: { run: params.run, masksOf },
      command: commandLine(['contexture', 'reliance', String(params.run), '--again', ...option]),
    });
  },

  'GET /api/projects/{project}/runs/{run}/reliance/cases': ({ service, params, query }) =>
    relianceCases(service.projects.get(params.project).project, params.run, query),

  'GET /api/projects/{project}/runs/{run}/reliance/images/{image}': async ({ service, params, query }) => {
    const { project, files } = service.projects.get(params.project);
    const bytes = await composedPicture(project, params.run, params.image, query.composition, (image) =>
      files.read(image, (path) => service.access.check(path)),
    );
    const headers = { 'content-type': 'image/png', 'cache-control': 'private, no-cache' };
    return new Response(new Uint8Array(bytes), { headers });
  },
});
