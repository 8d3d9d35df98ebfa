import type { ContextSelection } from '../../api/contexts.ts';
import { commandLine } from '../../base/command-line.ts';
import { contextUses, countUses, madeWith, noteContext, retireContexts, useCounts } from '../../services/bank.ts';
import { bankSummary } from '../../services/bank-summary.ts';
import { contextCounts, contextDetail, selectContexts } from '../../services/context-view.ts';
import { lastDiversity, lookingRun } from '../../services/diversity.ts';
import type { Project } from '../../storage/project.ts';
import { actOf } from '../act.ts';
import { atWork } from '../at-work.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';

/** Banks that are counted within a request; each takes a fraction of a second. */
const FEW_BANKS = 2;

export const bankRoutes = implement({
  'GET /api/projects/{project}/bank': ({ service, params }) =>
    bankSummary(service.projects.get(params.project).project),

  'POST /api/projects/{project}/bank/retire': async ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    const ids = await chosen(project, body.select);
    const changed = retireContexts(project, ids, true, actOf(service, project));
    told(service, params.project);
    const counts = contextCounts(project.store);
    return { changed: changed.length, counts, madeWith: await madeWith(project, changed) };
  },

  'POST /api/projects/{project}/bank/reinstate': async ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    const ids = await chosen(project, body.select);
    const changed = retireContexts(project, ids, false, actOf(service, project));
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

  'POST /api/projects/{project}/bank/uses/count': async ({ service, params }) => {
    const served = service.projects.get(params.project);
    if (served.project.store.uses.newBanks() <= FEW_BANKS) {
      await countUses(served.project);
      return { task: null };
    }
    const added = {
      kind: 'uses',
      title: 'Count uses of contexts',
      params: {},
      command: 'contexture bank list',
    } as const;
    return { task: atWork(service, served.id, added) ?? service.tasks.add(served, added) };
  },

  'GET /api/projects/{project}/bank/diversity': ({ service, params }) =>
    lastDiversity(service.projects.get(params.project).project),

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

async function chosen(project: Project, select: ContextSelection): Promise<number[]> {
  if ('ids' in select) return [...new Set(select.ids)];
  if (select.filter.used !== undefined) await countUses(project);
  return selectContexts(project.store, select.filter).map(({ id }) => id);
}

function told(service: Service, project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['contexts'] });
}
