import { z } from 'zod';
import { TrainingRequest } from '../../api/training.ts';
import { UserError } from '../../base/errors.ts';
import { asJson } from '../../base/json.ts';
import { performRun } from '../../services/runs.ts';
import { tryTraining } from '../../services/training.ts';
import type { TrainEvent } from '../../training/train-job.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';
import { tellRun } from '../tell-run.ts';

/** Trains a run that has been made, or goes on with it. Its result names the run. */
export const trainKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.train,
  params: z.object({ run: z.int() }),
  async perform({ params: { run: id }, ...context }) {
    const { service, project, signal, runJob, changed } = context;
    const onEvent = (event: TrainEvent): void => {
      context.onEvent(event);
      tellRun(service.hub, project, id, event);
    };
    // Pages show it as running, with what it has told before.
    queueMicrotask(() => changed('runs'));
    try {
      const run = await performRun(project.project, id, runJob, { signal, onEvent });
      if (run.state === 'stopped') throw new UserError('cancelled', `Run ${id} was stopped and keeps its checkpoint.`);
      return asJson({ run: id });
    } finally {
      changed('runs');
    }
  },
});

/** Measures some steps, for estimates. Its result is a `TrialResult`. */
export const trialKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.trial,
  params: TrainingRequest,
  async perform({ project, params, signal, runJob, onEvent }) {
    return asJson(await tryTraining(project.project, params, runJob, { signal, onEvent }));
  },
});
