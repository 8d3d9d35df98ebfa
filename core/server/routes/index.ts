/** All handlers: the type says that none is missing. */
import type { Handlers } from '../handlers.ts';
import { appRoutes } from './app.ts';
import { projectRoutes } from './projects.ts';
import { taskRoutes } from './tasks.ts';

export const HANDLERS: Handlers = {
  ...appRoutes,
  ...projectRoutes,
  ...taskRoutes,
};
