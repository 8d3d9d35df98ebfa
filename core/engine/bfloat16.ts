/** Whether what the engine of this clone computes on has bfloat16 itself. */
import { instructionSets } from './fingerprint.ts';
import { haveBfloat16, listGpus } from './gpu-support.mjs';
import { readEngineInstall } from './install.ts';

/** Of the GPUs, which are asked once: it takes a tenth of a second. */
let onGpu: boolean | undefined;

/**
 * Whether bfloat16 is computed and not emulated, many times slower than float32: on the GPU with the GPU pack, else on the
 * processor.
 * @throws UserError 'engine' when the engine is not set up
 */
export function hasBfloat16(): boolean {
  if (readEngineInstall().pack === 'gpu') return (onGpu ??= haveBfloat16(listGpus()));
  return /\b(AVX512|AMX)_BF16\b/.test(instructionSets());
}
