/** Very many small CSA steps: live tensors and resident memory have to stay level. */
import { streamsOf } from '../../core/training/config.ts';
import { runOurs } from './programs.ts';

export async function soak({ steps = 100_000 }): Promise<object> {
  return runOurs<object>('soak-steps.ts', { steps }, streamsOf('csa'));
}
