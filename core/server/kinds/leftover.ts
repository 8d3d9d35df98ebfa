import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { checkLeftovers } from '../../services/leftover.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Looks for leftovers in the bank; its result is a `LeftoverOutcome`. Stopped, it keeps what it has; begun again, it looks anew. */
export const leftoverKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.leftover,
  params: z.object({ run: z.int(), class: z.int().optional(), unchecked: z.boolean() }),
  async perform({ project, params: { run, class: classId, unchecked }, runJob, onEvent, signal, changed }) {
    const options = { runId: run, unchecked, ...(classId === undefined ? {} : { classId }) };
    try {
      return asJson(await checkLeftovers(project.project, options, runJob, { onEvent, signal }));
    } finally {
      // Stopped, it keeps what it has.
      changed('contexts');
    }
  },
});
