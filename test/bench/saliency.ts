/**
 * Saliency and context masks over a split, as the contexts job makes them, against a plain forward pass over the same
 * pictures by the same engine in the same batches. Both begin with decoded pixels and end with values on the host;
 * storing as PNG is left out, which a forward pass has no like of.
 */
import type { PairedResult } from './pairs.ts';
import { runOurs } from './programs.ts';

export async function saliency({ pairs = 5, images = 5000, blocks = 5 }): Promise<PairedResult> {
  return runOurs<PairedResult>('saliency-passes.ts', { pairs, images, blocks });
}
