import type { ContextSelection } from '../../api/contexts.ts';
import { commandLine } from '../../base/command-line.ts';
import { contextUses, madeWith, noteContext, retireContexts, useCounts } from '../../services/bank.ts';
import { contextCounts, contextDetail, selectContexts } from '../../services/context-view.ts';
import { lookingRun } from '../../services/diversity.ts';
import type { Project } from '../../storage/project.ts';
import { actOf } from '../act.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';

export const bankRoutes = implement({
  'POST /api/projects/{project}/bank/retire': async ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    const ids = chosen(project, body.select);
    const changed = retireContexts(project, ids, true, actOf(service, project));
    told(service, params.project);
    const counts = contextCounts(project.store);
    return { changed: changed.length, counts, madeWith: await madeWith(project, changed) };
  },

  'POST /api/projects/{project}/bank/reinstate': ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    const changed = retireContexts(project, chosen(project, body.select), false, actOf(service, project));
    told(service, params.project);
    return { changed: changed.length, counts: contextCounts(project.store) };
  },

  'PUT /api/projects/{project}/contexts/{context}/note': ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    noteContext(project, params.context, body.note);
    told(service, params.project);
    return contextDetail(project.store, params.context);
  },

  'GET /api/projects/{project}/contexts/{context}/uses': ({ service, params }) =>
    contextUses(service.projects.get(params.project).project, params.context),

  'POST /api/projects/{project}/bank/uses': async ({ service, params, body }) => {
    const counted = await useCounts(service.projects.get(params.project).project, body.ids);
    return counted.map(({ contextId, ...counts }) => ({ context: contextId, ...counts }));
  },

  'POST /api/projects/{project}/bank/diversity': ({ service, params, body: { run: runId, twinsFrom } }) => {
    const served = service.projects.get(params.project);
    const { id: run } = lookingRun(served.project, runId);
    return service.tasks.add(served, {
      kind: 'diversity',
      title: `Diversity of the bank, by run ${run}`,
      params: { run, twinsFrom },
      command: commandLine([
        'contexture',
        'bank',
        'diversity',
        '--run',
        String(run),
        '--twins-from',
        String(twinsFrom),
      ]),
    });
  },
});

function chosen({ store }: Project, select: ContextSelection): number[] {
  return 'ids' in select ? [...new Set(select.ids)] : selectContexts(store, select.filter).map(({ id }) => id);
}

function told(service: Service, project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['contexts'] });
}
