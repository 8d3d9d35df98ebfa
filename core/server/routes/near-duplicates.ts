import { commandLine } from '../../base/command-line.ts';
import { isOfKind } from '../../data/duplicates.ts';
import { describedBy, descriptors } from '../../near/descriptors.ts';
import { describeNear, findNear } from '../../services/duplicates.ts';
import { nearReport, setNearThreshold } from '../../services/near-duplicates.ts';
import { implement } from '../handlers.ts';

export const nearDuplicateRoutes = implement({
  'GET /api/projects/{project}/near-duplicates': ({ service, params }) => ({
    descriptors: descriptors(),
    report: nearReport(service.projects.get(params.project).project.store),
  }),

  'POST /api/projects/{project}/near-duplicates': ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const { name, title } = describedBy(body.by ?? descriptors()[0].name);
    return service.tasks.add(served, {
      kind: 'near-duplicates',
      title: `Near-duplicates by ${title}`,
      params: { by: name },
      command: commandLine(['contexture', 'near-duplicates', '--find', '--by', name, '--project', served.file]),
    });
  },

  'PUT /api/projects/{project}/near-duplicates/threshold': ({ service, params, body }) => {
    const { id, project } = service.projects.get(params.project);
    setNearThreshold(project.store, body.threshold);
    service.hub.publish({ type: 'data', project: id, topics: ['images'] });
    return nearReport(project.store)!;
  },

  'GET /api/projects/{project}/near-duplicates/groups': ({ service, params, query: { kind, offset, limit } }) => {
    const { store } = service.projects.get(params.project).project;
    const groups = findNear(store)?.groups ?? [];
    const fitting = kind ? groups.filter((group) => isOfKind(group, kind)) : groups;
    return { total: fitting.length, groups: describeNear(store, fitting.slice(offset, offset + limit)) };
  },
});
