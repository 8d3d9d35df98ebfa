/** Who does what a page asks for. */
import { userInfo } from 'node:os';
import type { Act } from '../services/contexts.ts';
import type { Project } from '../storage/project.ts';
import type { Service } from './service.ts';

/** The author as the app's settings say, else as the project's do (as the command line), else the system's user; now. */
export function actOf(service: Service, { store }: Project): Act {
  const own = store.settings.get('author');
  const author = service.library.settings.author || (typeof own === 'string' && own) || userInfo().username;
  return { author, at: new Date().toISOString() };
}
