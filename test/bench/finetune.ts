/**
 * Pictures a second of fine-tuning EfficientNet-Lite0 at 224 px with its published weights, batch 32, against PyTorch
 * doing the same with the same weights in the better of its memory layouts: `frozen`, from pixels to the pooled features
 * that heads are trained on; `last`, steps that train the last three stages by running statistics; `all`, steps that train
 * everything by the batch's. Pictures are ready and are not augmented on either side.
 */
import { join } from 'node:path';
import { backbonePath, findPack } from '../../core/models/backbone-pack.ts';
import { runPairs, type PairedResult } from './pairs.ts';
import { runOurs, runPython, THREADS, versionsOfBoth } from './programs.ts';

export const BACKBONE = 'efficientnet-lite0';
export const CLASSES = 10;

const PARTS = ['frozen', 'last', 'all'] as const;

/** What either program is told. */
export interface FinetuneSpec {
  part: (typeof PARTS)[number];
  batch: number;
  /** Steps that are timed. */
  steps: number;
  threads: number;
}

/** What either program prints. */
interface Outcome {
  /** Pictures a second. */
  rate: number;
  /** Of `frozen`: the mean of all features of the same pictures on both sides. */
  feature: number;
}

/** How far the sides' means may lie apart, relative to one of them. */
const TOLERANCE = 1e-4;

interface Options {
  pairs?: number;
  steps?: number;
  batch?: number;
}

export async function finetune({ pairs = 5, steps = 8, batch = 32 }: Options): Promise<object> {
  if (!findPack(BACKBONE)) throw new Error(`run \`npm run contexture -- backbone get ${BACKBONE}\` first`);
  const parts: Record<string, PairedResult> = {};
  for (const part of PARTS) parts[part] = await compare({ part, batch, steps, threads: THREADS }, pairs);
  return { name: 'finetune', parts };
}

function compare(spec: FinetuneSpec, pairs: number): Promise<PairedResult> {
  let expected = NaN;
  const program = join(import.meta.dirname, 'finetune_torch.py');
  const peer = (steps: number, channelsLast: boolean): number => {
    const own = { ...spec, steps, classes: CLASSES, channels_last: channelsLast };
    const { rate, feature } = runPython<Outcome>([program, backbonePath(BACKBONE), JSON.stringify(own)]);
    expected = feature;
    return rate;
  };
  const ours = (): number => {
    const { rate, feature } = runOurs<Outcome>('finetune-ours.ts', spec);
    if (spec.part === 'frozen' && !(Math.abs(feature - expected) <= TOLERANCE * Math.abs(expected))) {
      throw new Error(`the mean feature is ${feature} and the peer's ${expected}`);
    }
    return rate;
  };
  // Which layout suits it better is looked up once, over a few steps.
  const few = Math.min(spec.steps, 3);
  const channelsLast = peer(few, true) > peer(few, false);
  return runPairs({
    name: `finetune, ${spec.part}`,
    unit: 'images/s',
    greaterIsBetter: true,
    versions: { ...versionsOfBoth(), peerLayout: channelsLast ? 'channels last' : 'channels first' },
    pairs,
    ours,
    peer: () => peer(spec.steps, channelsLast),
  });
}
