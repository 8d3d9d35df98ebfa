/** Where the app keeps what belongs to the user and to no project: known projects, settings, logs. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder, by each platform's custom; the variable CONTEXTURE_STATE names another one.
 * @param platform as `process.platform`
 */
export function stateFolder(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.CONTEXTURE_STATE) return env.CONTEXTURE_STATE;
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Contexture');
  if (platform === 'win32') return join(env.APPDATA || join(homedir(), 'AppData', 'Roaming'), 'Contexture');
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'contexture');
}
