import { implement } from '../handlers.ts';

export const taskRoutes = implement({
  'GET /api/tasks': ({ service }) => service.tasks.list(),
  'GET /api/tasks/{task}': ({ service, params }) => service.tasks.get(params.task),
  'POST /api/tasks/{task}/cancel': ({ service, params }) => service.tasks.cancel(params.task),
  'POST /api/tasks/{task}/pause': ({ service, params }) => service.tasks.pause(params.task),
  'POST /api/tasks/{task}/resume': ({ service, params }) => service.tasks.resume(params.task),
  'POST /api/tasks/{task}/move': ({ service, params, body }) => service.tasks.move(params.task, body.before),
  'DELETE /api/tasks/{task}': ({ service, params }) => {
    service.tasks.dismiss(params.task);
    return {};
  },
  'POST /api/tasks/pause-all': ({ service }) => service.tasks.stopAll('paused'),
  'POST /api/tasks/cancel-all': ({ service }) => service.tasks.stopAll('cancelled'),
});
