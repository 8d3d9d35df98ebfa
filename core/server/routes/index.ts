/** All handlers: the type says that none is missing. */
import type { Handlers } from '../handlers.ts';
import { appRoutes } from './app.ts';
import { commandRoutes } from './command.ts';
import { engineRoutes } from './engine.ts';
import { projectRoutes } from './projects.ts';
import { taskRoutes } from './tasks.ts';

export const HANDLERS: Handlers = {
  ...appRoutes,
  ...commandRoutes,
  ...engineRoutes,
  ...projectRoutes,
  ...taskRoutes,
};
