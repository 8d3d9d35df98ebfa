import {
  addStudySeeds,
  deleteStudy,
  editsInBank,
  listStudies,
  startEditStudy,
  studyReport,
} from '../../services/studies.ts';
import type { StudyRun } from '../../storage/records.ts';
import { implement, type HandlerContext } from '../handlers.ts';
import type { ServedProject } from '../open-projects.ts';

export const studyRoutes = implement({
  'GET /api/projects/{project}/studies': ({ service, params }) =>
    listStudies(service.projects.get(params.project).project),

  'GET /api/projects/{project}/studies/edits': ({ service, params }) =>
    editsInBank(service.projects.get(params.project).project),

  'POST /api/projects/{project}/studies/edits': async ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const { id, runs } = await startEditStudy(served.project, body);
    return started(service, served, id, runs);
  },

  'GET /api/projects/{project}/studies/{study}': ({ service, params }) =>
    studyReport(service.projects.get(params.project).project, params.study),

  'POST /api/projects/{project}/studies/{study}/seeds': ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    return started(service, served, params.study, addStudySeeds(served.project, params.study, body.seeds));
  },

  'DELETE /api/projects/{project}/studies/{study}': ({ service, params }) => {
    deleteStudy(service.projects.get(params.project).project, params.study);
    changed(service, params.project);
    return {};
  },
});

/** Queue the runs that were made for a study. */
async function started(
  service: HandlerContext['service'],
  served: ServedProject,
  study: number,
  runs: readonly StudyRun[],
) {
  const tasks = runs.map(({ runId }) =>
    service.tasks.add(served, {
      kind: 'train',
      title: `Train ${served.project.store.runs.get(runId)!.name}`,
      params: { run: runId },
      command: `contexture resume ${runId}`,
      runId,
    }),
  );
  changed(service, served.id);
  // The first has begun meanwhile.
  return { study: await studyReport(served.project, study), tasks: tasks.map((task) => service.tasks.get(task.id)) };
}

function changed(service: HandlerContext['service'], project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['runs'] });
}
