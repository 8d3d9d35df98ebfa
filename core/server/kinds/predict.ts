import { z } from 'zod';
import { TriedPicture } from '../../api/predict.ts';
import { asJson } from '../../base/json.ts';
import { tryPictures } from '../../services/try-pictures.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Shows pictures to the model of a run, at once, whatever else is at work. Its result is a `PredictionResult`. */
export const predictKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.predict,
  params: z.object({ run: z.number(), pictures: z.array(TriedPicture) }),
  perform: async ({ project, params: { run, pictures }, runJob, onEvent, signal }) =>
    asJson(await tryPictures(project.project, run, pictures, runJob, { onEvent, signal })),
});
