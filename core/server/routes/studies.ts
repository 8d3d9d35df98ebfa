import { deleteStudy, listStudies, startEditStudy, studyReport } from '../../services/studies.ts';
import { implement, type HandlerContext } from '../handlers.ts';

export const studyRoutes = implement({
  'GET /api/projects/{project}/studies': ({ service, params }) =>
    listStudies(service.projects.get(params.project).project),

  'POST /api/projects/{project}/studies/edits': async ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const { id, runs } = await startEditStudy(served.project, body);
    const tasks = runs.map(({ runId }) =>
      service.tasks.add(served, {
        kind: 'train',
        title: `Train ${served.project.store.runs.get(runId)!.name}`,
        params: { run: runId },
        command: `contexture resume ${runId}`,
        runId,
      }),
    );
    changed(service, params.project);
    // The first has begun meanwhile.
    return { study: await studyReport(served.project, id), tasks: tasks.map((task) => service.tasks.get(task.id)) };
  },

  'GET /api/projects/{project}/studies/{study}': ({ service, params }) =>
    studyReport(service.projects.get(params.project).project, params.study),

  'DELETE /api/projects/{project}/studies/{study}': ({ service, params }) => {
    deleteStudy(service.projects.get(params.project).project, params.study);
    changed(service, params.project);
    return {};
  },
});

function changed(service: HandlerContext['service'], project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['runs'] });
}
