import { z } from 'zod';
import { countUses } from '../../services/bank.ts';
import { taskKind } from '../task-kind.ts';

/** Counts what the banks of runs held, so that uses of contexts are known. Begun again, it goes on. */
export const usesKind = taskKind({
  scope: 'project',
  lane: 'side',
  params: z.object({}),
  async perform({ project, onEvent, signal }) {
    await countUses(project.project, { onEvent, signal });
    return null;
  },
});
