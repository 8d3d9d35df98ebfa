import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { findNearDuplicates } from '../../services/near-duplicates.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Looks for near-duplicates; its result is a `NearOutcome`. Begun again, it describes what was not described yet. */
export const nearDuplicatesKind = taskKind({
  scope: 'project',
  lane: JOB_LANES['near-duplicates'],
  params: z.object({ by: z.string() }),
  async perform({ project, params: { by }, runJob, onEvent, signal, changed }) {
    const outcome = await findNearDuplicates(project.project, { by }, runJob, { onEvent, signal });
    changed('images');
    return asJson(outcome);
  },
});
