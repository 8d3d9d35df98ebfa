import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { measureDiversity } from '../../services/diversity.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Measures how diverse the bank is; its result is a `DiversityReport`. Begun again, it measures anew. */
export const diversityKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.diversity,
  params: z.object({ run: z.int(), twinsFrom: z.number() }),
  async perform({ project, params: { run, twinsFrom }, runJob, onEvent, signal, changed }) {
    const report = await measureDiversity(project.project, { runId: run, twinsFrom }, runJob, { onEvent, signal });
    changed('contexts');
    return asJson(report);
  },
});
