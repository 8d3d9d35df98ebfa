import { disagreements } from '../../services/run-answers.ts';
import { compareManyRuns, comparePairOfRuns } from '../../services/run-compare.ts';
import { implement } from '../handlers.ts';

export const compareRoutes = implement({
  'GET /api/projects/{project}/comparison': ({ service, params, query: { runs, ...options } }) =>
    compareManyRuns(service.projects.get(params.project).project, runs, options),

  'GET /api/projects/{project}/comparison/pair': ({ service, params, query: { baseline, run, head } }) =>
    comparePairOfRuns(service.projects.get(params.project).project, baseline, run, head),

  'GET /api/projects/{project}/comparison/disagreements': ({ service, params, query: { baseline, run, ...query } }) =>
    disagreements(service.projects.get(params.project).project, baseline, run, query),
});
