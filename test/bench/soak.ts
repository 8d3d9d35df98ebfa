/** Very many small CSA steps: live tensors and resident memory have to stay level. */
import { METHODS_BY_NAME } from '../../core/training/methods/index.ts';
import { runOurs } from './programs.ts';

export async function soak({ steps = 100_000 }): Promise<object> {
  return runOurs<object>('soak-steps.ts', { steps }, METHODS_BY_NAME.csa.heads.length);
}
