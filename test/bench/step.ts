/**
 * One training step of ResNet-32, batch 128, of the method alone: pictures are ready and are not augmented on
 * either side. Ours is `Trainer.runStep`, with its normalising, its bank and the figures it reads back; the peer is
 * PyTorch eager in the better of its memory layouts, with the loss read back.
 */
import { join } from 'node:path';
import { METHODS_BY_NAME } from '../../core/training/methods/index.ts';
import { runPairs, type PairedResult } from './pairs.ts';
import { CSA_PEER, peerDevice, runOurs, runPython, THREADS, versionsOfBoth } from './programs.ts';

/** What either program prints. */
interface Step {
  milliseconds: number;
}

interface Compared {
  name: string;
  method: 'ce' | 'csa';
  /** Ours, and the peer's. */
  precisions: [ours: 'float32' | 'bfloat16', peer: 'float32' | 'bfloat16'];
}

interface Options {
  pairs?: number;
  /** Steps that are timed in a process. */
  steps?: number;
  /** 5 is ResNet-32; less for a try. */
  blocks?: number;
  batch?: number;
}

/** Cross entropy: one stream. */
export const stepCe = (options: Options): Promise<PairedResult> =>
  compareSteps({ name: 'step-ce', method: 'ce', precisions: ['float32', 'float32'] }, options);

/** Context-shift augmentation: extraction, bank, both streams, contexts laid on in every step. */
export const stepCsa = (options: Options): Promise<PairedResult> =>
  compareSteps({ name: 'step-csa', method: 'csa', precisions: ['float32', 'float32'] }, options);

/** Both in bfloat16, the peer by autocast. */
export const stepCeBf16 = (options: Options): Promise<PairedResult> =>
  compareSteps({ name: 'step-ce-bf16', method: 'ce', precisions: ['bfloat16', 'bfloat16'] }, options);

/** Ours in bfloat16; the peer has float32 only. */
export const stepCsaBf16 = (options: Options): Promise<PairedResult> =>
  compareSteps({ name: 'step-csa-bf16', method: 'csa', precisions: ['bfloat16', 'float32'] }, options);

async function compareSteps(
  { name, method, precisions: [precision, peerPrecision] }: Compared,
  { pairs = 5, steps = 10, blocks = 5, batch = 128 }: Options,
): Promise<PairedResult> {
  const spec = { method, blocks, batch, threads: THREADS };
  const peer = (count: number, channelsLast: boolean): number => {
    const own = {
      steps: count,
      channels_last: channelsLast,
      bfloat16: peerPrecision === 'bfloat16',
      device: peerDevice(),
    };
    const program = join(import.meta.dirname, 'step_torch.py');
    return runPython<Step>([program, CSA_PEER, JSON.stringify({ ...spec, ...own })]).milliseconds;
  };
  // Which layout suits it better is looked up once, over a few steps.
  const few = Math.min(steps, 4);
  const channelsLast = peer(few, true) < peer(few, false);
  return runPairs({
    name,
    unit: 'ms a step',
    greaterIsBetter: false,
    versions: { ...versionsOfBoth(), peerLayout: channelsLast ? 'channels last' : 'channels first' },
    pairs,
    ours: () =>
      runOurs<Step>('step-ours.ts', { ...spec, precision, steps }, METHODS_BY_NAME[method].heads.length).milliseconds,
    peer: () => peer(steps, channelsLast),
  });
}
