/** One CE step, ResNet-32, batch 128, float32: ours against PyTorch eager, alternating, each in a process of its own. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { engineEnvironment, readEngineInstall } from '../../core/engine/install.ts';

const ROOT = join(import.meta.dirname, '../..');
const PYTHON = join(ROOT, '.cache/torch/bin/python');
const PEER = join(ROOT, '../shared/tools/peers/csa_torch.py');
const THREADS = 2;

export async function stepCe({ pairs = 5, steps = 10 }): Promise<object> {
  if (!existsSync(PYTHON)) {
    throw new Error(
      'the peer is not installed: python3 -m venv .cache/torch && .cache/torch/bin/pip install torch==2.13.0 numpy pillow',
    );
  }
  const spec = { blocks: 5, batch: 128, steps, both: false };
  const ours: number[] = [];
  const peer: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    ours.push(
      milliseconds(process.execPath, [join(import.meta.dirname, 'step-ours.ts'), JSON.stringify(spec)], {
        ...engineEnvironment(readEngineInstall(), { threads: THREADS }),
      }),
    );
    peer.push(
      milliseconds(
        PYTHON,
        [join(import.meta.dirname, 'step_torch.py'), PEER, JSON.stringify({ ...spec, threads: THREADS })],
        {},
      ),
    );
    console.error(`pair ${pair + 1}: ours ${ours[pair].toFixed(0)} ms, PyTorch ${peer[pair].toFixed(0)} ms a step`);
  }
  const ratios = ours.map((time, pair) => peer[pair] / time).toSorted((a, b) => a - b);
  return {
    name: 'step-ce',
    ours: median(ours),
    peer: median(peer),
    ratio: median(ratios),
    spread: [ratios[0], ratios.at(-1)],
    unit: 'ms a step',
    versions: { node: process.version, tensorflow: readEngineInstall().tensorflow, torch: '2.13.0' },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Run a program that prints {"milliseconds": …} as its last line. */
function milliseconds(program: string, parameters: string[], environment: Record<string, string>): number {
  const output = execFileSync(program, parameters, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const last = output.toString().trim().split('\n').at(-1)!;
  return (JSON.parse(last) as { milliseconds: number }).milliseconds;
}
