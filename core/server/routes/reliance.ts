import { composedPicture, prepareReliance, relianceCases, relianceReport } from '../../services/reliance.ts';
import { compareReliance } from '../../services/reliance-comparison.ts';
import { commandLine } from '../../base/command-line.ts';
import { implement } from '../handlers.ts';
import { pictureAnswer, readerOf } from '../picture-answer.ts';

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
    const served = service.projects.get(params.project);
    const read = readerOf(service, served);
    return pictureAnswer(await composedPicture(served.project, params.run, params.image, query.composition, read));
  },

  'GET /api/projects/{project}/comparison/reliance': ({ service, params, query: { baseline, run, head } }) =>
    compareReliance(service.projects.get(params.project).project, baseline, run, head),
});
