import type { Tail } from '../../api/stats.ts';
import { effectiveClasses } from '../../data/classes.ts';
import { isOfKind } from '../../data/duplicates.ts';
import { findDuplicates } from '../../services/duplicates.ts';
import { GROUPS_SETTING, tailReport } from '../../services/stats.ts';
import type { ProjectStore } from '../../storage/project-store.ts';
import { implement } from '../handlers.ts';

export const statsRoutes = implement({
  'GET /api/projects/{project}/tail': ({ service, params }) =>
    describe(service.projects.get(params.project).project.store),

  'PUT /api/projects/{project}/groups': ({ service, params, body: { many, few } }) => {
    const { id, project } = service.projects.get(params.project);
    project.store.settings.set(GROUPS_SETTING, { many, few });
    service.hub.publish({ type: 'data', project: id, topics: ['classes', 'settings'] });
    return { many, few };
  },

  'GET /api/projects/{project}/duplicates': ({ service, params, query: { kind, offset, limit } }) => {
    const { groups } = findDuplicates(service.projects.get(params.project).project.store);
    const fitting = kind ? groups.filter((group) => isOfKind(group, kind)) : groups;
    return { total: fitting.length, groups: fitting.slice(offset, offset + limit) };
  },
});

function describe(store: ProjectStore): Tail {
  const { tail, classes, ...report } = tailReport(store);
  const effective = effectiveClasses(store);
  const merged = Map.groupBy(
    store.classes.list().filter(({ mergedInto }) => mergedInto !== null),
    ({ id }) => effective.get(id)!.id,
  );
  const { ratio, gini, effectiveClasses: varied, thresholds } = tail;
  return {
    ...report,
    classes: classes.map((row) => ({ ...row, merged: (merged.get(row.id) ?? []).map(({ name }) => name) })),
    ratio,
    gini,
    effectiveClasses: varied,
    thresholds,
  };
}
