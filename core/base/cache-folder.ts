/** The user's cache folder: what lies there may be deleted at any time. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Set-up (build/setup/places.mjs) has the same rule; both must name the same folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  // An empty variable counts as unset, as the XDG specification says.
  return join(env.CONTEXTURE_CACHE || env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'contexture');
}
