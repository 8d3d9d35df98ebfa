import { z } from 'zod';
import { ModelChoice } from '../../api/models.ts';
import { asJson } from '../../base/json.ts';
import { makeOnnx } from '../../services/model-view.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Makes and checks the ONNX file of a run's model, to be saved afterwards. Its result is an `OnnxFile`. */
export const onnxKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.onnx,
  params: z.object({ run: z.number(), choice: ModelChoice }),
  perform: async ({ project, params: { run, choice }, runJob, onEvent, signal }) =>
    asJson(await makeOnnx(project.project, run, choice, runJob, { onEvent, signal })),
});
