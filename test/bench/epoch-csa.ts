/**
 * One whole CSA epoch of CIFAR10-LT, ResNet-32, batch 128, evaluation included: ours as a run of a project, the peer
 * as its own program. Measured is the second epoch of two, in which all is warm; delta is 0, so that both lay contexts
 * on in every step and do the same work.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runJob } from '../../core/jobs/runner.ts';
import { startRun } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import { unpack } from './packs.ts';
import { runPairs, type PairedResult } from './pairs.ts';
import { CSA_PEER, peerDevice, python, THREADS, versionsOfBoth } from './programs.ts';
import { prepare, withProject } from './project.ts';

const BATCH = 128;
const EPOCHS = 2;
const RATE = 0.05;

/** What an epoch's line of the peer has of interest. */
interface PeerEpoch {
  epoch: number;
  steps: number;
  mixed_steps: number;
}

/**
 * @param options.most files of each class and split; all unless given, fewer for a try
 * @param options.blocks 5 is ResNet-32
 */
export async function epochCsa({ pairs = 5, blocks = 5, most = Infinity }): Promise<PairedResult> {
  const pictures = most === Infinity ? unpack('cifar10-lt100') : someOf(unpack('cifar10-lt100'), most);
  try {
    return await withProject(pictures, async (project) => {
      await prepare(project);
      return runPairs({
        name: 'epoch-csa',
        unit: 'images/s of the uniform stream',
        greaterIsBetter: true,
        versions: versionsOfBoth(),
        pairs,
        ours: () => ours(project, blocks),
        peer: () => peer(pictures, blocks),
      });
    });
  } finally {
    if (most !== Infinity) rmSync(pictures, { recursive: true });
  }
}

async function ours(project: Project, blocks: number): Promise<number> {
  const ends: { time: number; steps: number; mixedSteps: number }[] = [];
  const overrides = {
    model: { kind: 'resnet-cifar' as const, blocks },
    epochs: EPOCHS,
    batchSize: BATCH,
    learningRate: RATE,
    delta: 0,
    startBalanced: 0,
    evaluateEvery: 1,
    minSteps: 1,
    precision: 'float32' as const,
    threads: THREADS,
  };
  await startRun(project, { method: 'csa', preset: 'quick', overrides }, runJob, {
    onEvent: (event) => {
      if (event.type === 'epoch') ends.push({ time: performance.now(), ...event.figures });
    },
  });
  const [first, { time, steps, mixedSteps }] = ends;
  return rate(time - first.time, steps, mixedSteps);
}

async function peer(pictures: string, blocks: number): Promise<number> {
  const settings = {
    method: 'csa',
    epochs: EPOCHS,
    lr: RATE,
    delta: 0,
    threads: THREADS,
    blocks,
    batch: BATCH,
    device: peerDevice(),
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(python(), [CSA_PEER, pictures, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const ends: (PeerEpoch & { time: number })[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as Partial<PeerEpoch>;
    if (told.epoch !== undefined) ends.push({ time: performance.now(), ...(told as PeerEpoch) });
  }
  await ended;
  // It evaluates in the last epoch only, before that epoch's line.
  const [first, { time, steps, mixed_steps: mixedSteps }] = ends;
  return rate(time - first.time, steps, mixedSteps);
}

function rate(milliseconds: number, steps: number, mixedSteps: number): number {
  if (mixedSteps !== steps) throw new Error(`contexts were laid on in ${mixedSteps} of ${steps} steps only`);
  return (1000 * steps * BATCH) / milliseconds;
}

/** A copy with the first files of each class and split. */
function someOf(pack: string, most: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-some-'));
  for (const split of ['train', 'test']) {
    for (const name of readdirSync(join(pack, split))) {
      for (const file of readdirSync(join(pack, split, name))
        .toSorted()
        .slice(0, most)) {
        cpSync(join(pack, split, name, file), join(folder, split, name, file));
      }
    }
  }
  return folder;
}
