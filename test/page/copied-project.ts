/** Projects made once for a test file: each test opens a copy of its own. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from './support.ts';

/**
 * Copy a folder with a project and its pictures, and open it.
 * @param made a folder with `test.contexture`, which nobody has open
 * @returns the project's id
 */
export async function openCopy(app: App, made: string): Promise<string> {
  const folder = join(app.root, 'shapes');
  cpSync(made, folder, { recursive: true });
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file: join(folder, 'test.contexture') });
  return id;
}
