import { Trial } from '../../api/predict.ts';
import { asJson } from '../../base/json.ts';
import { tryPictures } from '../../services/try-pictures.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Shows pictures to a model, at once, whatever else is at work. Its result is a `PredictionResult`. */
export const predictKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.predict,
  params: Trial,
  perform: async ({ project, params, runJob, onEvent, signal }) =>
    asJson(await tryPictures(project.project, params, runJob, { onEvent, signal })),
});
