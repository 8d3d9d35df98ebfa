import { asJson } from '../../base/json.ts';
import { UserError } from '../../base/errors.ts';
import { CURVES } from '../../api/runs.ts';
import type { TaskKind } from '../../api/tasks.ts';
import { runAnswers, runConfusion } from '../../services/run-answers.ts';
import { runClasses, runCurves, runDetail } from '../../services/run-detail.ts';
import { runHistory, writeOnRun } from '../../services/run-history.ts';
import { knownSaliency } from '../../services/run-saliency.ts';
import { emptyTrash, restoreRuns, trashContent, trashRuns } from '../../services/run-trash.ts';
import { implement, type HandlerContext } from '../handlers.ts';
import type { ServedProject } from '../open-projects.ts';
import { isOpen } from '../task-list.ts';

export const runRoutes = implement({
  'GET /api/projects/{project}/runs': ({ service, params, query }) =>
    runHistory(service.projects.get(params.project).project, query),

  'GET /api/projects/{project}/runs/{run}': ({ service, params }) =>
    runDetail(service.projects.get(params.project).project, params.run),

  'PATCH /api/projects/{project}/runs/{run}': ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
    writeOnRun(project, params.run, given);
    changed(service, params.project);
    return runDetail(project, params.run);
  },

  'GET /api/projects/{project}/runs/{run}/curves': ({ service, params, query }) => {
    const { project } = service.projects.get(params.project);
    return runCurves(project, params.run, { ...query, curves: query.curves.length > 0 ? query.curves : CURVES });
  },

  'GET /api/projects/{project}/runs/{run}/classes': ({ service, params, query }) =>
    runClasses(service.projects.get(params.project).project, params.run, query.head),

  'GET /api/projects/{project}/runs/{run}/confusion': ({ service, params, query }) =>
    runConfusion(service.projects.get(params.project).project, params.run, query.head),

  'GET /api/projects/{project}/runs/{run}/answers': ({ service, params, query }) =>
    runAnswers(service.projects.get(params.project).project, params.run, query),

  'POST /api/projects/{project}/runs/{run}/saliency': async ({ service, params, body: { head, pictures } }) => {
    const served = service.projects.get(params.project);
    const { maps, missing } = await knownSaliency(served.project, params.run, pictures, head);
    const task =
      missing.length === 0
        ? null
        : service.tasks.add(served, {
            kind: 'saliency',
            title: `Saliency of run ${params.run}`,
            params: asJson({ run: params.run, pictures: missing, ...(head === undefined ? {} : { head }) }),
            command: `contexture contexts find --run ${params.run}`,
          });
    return { maps, task };
  },

  'POST /api/projects/{project}/run-trash': ({ service, params, body }) => {
    trashRuns(service.projects.get(params.project).project, body.runs);
    changed(service, params.project);
    return {};
  },

  'POST /api/projects/{project}/run-trash/restore': ({ service, params, body }) => {
    restoreRuns(service.projects.get(params.project).project, body.runs);
    changed(service, params.project);
    return {};
  },

  'GET /api/projects/{project}/run-trash': ({ service, params }) =>
    trashContent(service.projects.get(params.project).project),

  'POST /api/projects/{project}/run-trash/empty': ({ service, params }) => {
    const served = service.projects.get(params.project);
    refuseWhileAtWork(service, served);
    const freed = emptyTrash(served.project);
    changed(service, params.project);
    return freed;
  },
});

function changed(service: HandlerContext['service'], project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['runs'] });
}

/** Kinds of tasks that use no bytes but those that some record names. */
const HARMLESS: readonly TaskKind[] = ['predict', 'saliency', 'onnx', 'doctor'];

/** A job at work may use bytes that no record names yet. */
function refuseWhileAtWork(service: HandlerContext['service'], { id }: ServedProject): void {
  const open = service.tasks
    .list()
    .find(({ project, state, kind }) => project === id && isOpen(state) && !HARMLESS.includes(kind));
  if (!open) return;
  throw new UserError(
    'usage',
    `“${open.title}” is ${open.state}: wait until it has ended, or pause it, and empty the trash then.`,
  );
}
