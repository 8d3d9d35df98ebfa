/** Where set-up puts things. Big parts go to the user's cache folder, so that several clones share them. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this clone. */
export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Names the engine that set-up chose, for this clone; git ignores it. */
export const ENGINE_FILE = join(PROJECT, '.cache', 'engine.json');

/**
 * The folder for shared parts.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} home
 */
export function cacheFolder(env = process.env, home = homedir()) {
  // An empty variable counts as unset, as the XDG specification says.
  return join(env.CONTEXTURE_CACHE || env.XDG_CACHE_HOME || join(home, '.cache'), 'contexture');
}

/**
 * As in "linux-x64": the system and processor that downloads are made for.
 * @param {string} platform
 * @param {string} arch
 */
export function systemName(platform = process.platform, arch = process.arch) {
  return `${platform}-${arch}`;
}
