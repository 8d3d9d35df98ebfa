import { z } from 'zod';
import { TrainingRequest } from '../../api/training.ts';
import { UserError } from '../../base/errors.ts';
import { asJson } from '../../base/json.ts';
import { performRun } from '../../services/runs.ts';
import { tryTraining } from '../../services/training.ts';
import type { TrainEvent } from '../../training/train-job.ts';
import { keepStep } from '../live-steps.ts';
import { taskKind, type ProjectTaskContext } from '../task-kind.ts';

/** Trains a run that has been made, or goes on with it. Its result names the run. */
export const trainKind = taskKind({
  scope: 'project',
  lane: 'engine',
  params: z.object({ run: z.int() }),
  async perform({ params: { run: id }, ...context }) {
    const { project, signal, runJob, changed } = context;
    // Pages show it as running, with what it has told before.
    queueMicrotask(() => changed('runs'));
    try {
      const run = await performRun(project.project, id, runJob, { signal, onEvent: follow(context, id) });
      if (run.state === 'stopped') throw new UserError('cancelled', `Run ${id} was stopped and keeps its checkpoint.`);
      return asJson({ run: id });
    } finally {
      changed('runs');
    }
  },
});

/** Pass on what a run tells. */
function follow(
  {
    project,
    onEvent,
    changed,
    publish,
  }: Pick<ProjectTaskContext<unknown>, 'project' | 'onEvent' | 'changed' | 'publish'>,
  run: number,
): (event: TrainEvent) => void {
  const of = { project: project.id, run };
  return (event) => {
    onEvent(event);
    switch (event.type) {
      case 'step':
        keepStep(project, run, event);
        publish({ ...event, ...of, type: 'run-step' });
        break;
      case 'epoch':
        publish({ type: 'run-epoch', ...of, epoch: event.epoch });
        break;
      case 'preview':
        publish({ type: 'run-preview', ...of, epoch: event.epoch });
        break;
      case 'warning':
        changed('runs');
        break;
    }
  };
}

/** Measures some steps, for estimates. Its result is a `TrialResult`. */
export const trialKind = taskKind({
  scope: 'project',
  lane: 'engine',
  params: TrainingRequest,
  async perform({ project, params, signal, runJob, onEvent }) {
    return asJson(await tryTraining(project.project, params, runJob, { signal, onEvent }));
  },
});
