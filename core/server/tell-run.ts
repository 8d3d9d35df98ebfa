/** What a run tells while it is at work, passed on to the pages: the same for a task and for a command line. */
import type { TrainEvent } from '../training/train-job.ts';
import type { EventHub } from './event-hub.ts';
import { keepStep } from './live-steps.ts';
import type { ServedProject } from './open-projects.ts';

export function tellRun(hub: EventHub, project: ServedProject, run: number, event: TrainEvent): void {
  const of = { project: project.id, run };
  switch (event.type) {
    case 'step':
      keepStep(project, run, event);
      hub.publish({ ...event, ...of, type: 'run-step' });
      break;
    case 'epoch':
      hub.publish({ type: 'run-epoch', ...of, epoch: event.epoch });
      break;
    case 'preview':
      hub.publish({ type: 'run-preview', ...of, epoch: event.epoch });
      break;
    case 'warning':
      hub.publish({ type: 'data', project: project.id, topics: ['runs'] });
      break;
  }
}
