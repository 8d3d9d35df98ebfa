import { z } from 'zod';
import { Head } from '../../api/figures.ts';
import { asJson } from '../../base/json.ts';
import { makeSaliency } from '../../services/run-saliency.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Finds what in pictures a run's model goes by. Its result names the pictures that could not be looked at. */
export const saliencyKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.explain,
  params: z.object({
    run: z.number(),
    head: Head.optional(),
    pictures: z.array(z.object({ image: z.number(), label: z.number() })),
  }),
  perform: async ({ project, params: { run, head, pictures }, runJob, onEvent, signal }) =>
    asJson({ problems: await makeSaliency(project.project, run, pictures, head, runJob, { onEvent, signal }) }),
});
