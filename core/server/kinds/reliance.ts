import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { measureReliance } from '../../services/reliance.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Measures how far a run goes by the background. Its result names the run. Begun again, it measures anew. */
export const relianceKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.reliance,
  params: z.object({ run: z.int(), masksOf: z.int().nullable() }),
  async perform({ project, params: { run, masksOf }, runJob, onEvent, signal, changed }) {
    await measureReliance(project.project, run, masksOf, runJob, { onEvent, signal });
    changed('runs');
    return asJson({ run });
  },
});
