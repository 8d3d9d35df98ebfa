/** Finished runs whose models can look at the bank, newest first. */
import { call } from '../../lib/api.ts';
import { resource, type Resource } from '../../lib/resource.svelte.ts';

export interface LookingRun {
  id: number;
  name: string;
}

/** Call it while a component is being made. */
export function lookingRuns(project: string): Resource<LookingRun[]> {
  return resource(
    async (signal) => {
      const { runs } = await call('GET /api/projects/{project}/runs', { params: { project }, signal });
      return runs.filter(({ model }) => model).map(({ id, name }) => ({ id, name }));
    },
    { topics: ['runs'], project: () => project },
  );
}

/** For a `Select`. */
export function runOptions(runs: readonly LookingRun[]): { value: string; label: string }[] {
  return runs.map(({ id, name }) => ({ value: String(id), label: `#${id} ${name}` }));
}
