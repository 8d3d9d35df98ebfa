import { UserError } from '../../base/errors.ts';
import { asJson } from '../../base/json.ts';
import { findRun } from '../../services/run-data.ts';
import { settleDrafts } from '../../services/drafts.ts';
import { planTraining, queueRuns, requestOf, trainingSetup } from '../../services/training.ts';
import { liveRun, runPreview } from '../../services/training-live.ts';
import { implement } from '../handlers.ts';
import { keptSteps } from '../live-steps.ts';

export const trainingRoutes = implement({
  'GET /api/projects/{project}/training': ({ service, params }) =>
    trainingSetup(service.projects.get(params.project).project.store),

  'POST /api/projects/{project}/training/plan': ({ service, params, body }) =>
    jsonPlan(planTraining(service.projects.get(params.project).project, body)),

  'POST /api/projects/{project}/training/trial': ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const { commands, issues } = planTraining(served.project, body);
    if (issues.length > 0) throw new UserError('usage', issues[0].message);
    return service.tasks.add(served, {
      kind: 'trial',
      title: 'Measure training steps',
      params: asJson(body),
      command: `${commands[0]} --dry-run`,
    });
  },

  'POST /api/projects/{project}/runs': async ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    await settleDrafts(served.project);
    const tasks = queueRuns(served.project, body).map(({ run, command }) =>
      service.tasks.add(served, {
        kind: 'train',
        title: `Train ${run.name}`,
        params: { run: run.id },
        command,
        runId: run.id,
      }),
    );
    service.hub.publish({ type: 'data', project: served.id, topics: ['runs'] });
    // The first has begun meanwhile.
    return tasks.map(({ id }) => service.tasks.get(id));
  },

  'GET /api/projects/{project}/runs/{run}/request': ({ service, params }) => {
    const { project } = service.projects.get(params.project);
    const { methods, seeds, ...request } = requestOf(project.store, findRun(project, params.run));
    return { ...request, methods: [...methods], seeds: [...seeds] };
  },

  'GET /api/projects/{project}/runs/{run}/live': async ({ service, params }) => {
    const served = service.projects.get(params.project);
    return { ...(await liveRun(served.project, params.run)), steps: keptSteps(served, params.run) };
  },

  'GET /api/projects/{project}/runs/{run}/preview': ({ service, params }) =>
    runPreview(service.projects.get(params.project).project, params.run),
});

/** Configurations as JSON. */
function jsonPlan({ config, defaults, ...plan }: ReturnType<typeof planTraining>) {
  return { ...plan, config: config && { ...config }, defaults: { ...defaults } };
}
