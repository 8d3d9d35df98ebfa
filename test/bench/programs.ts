/** The programs that measurements run beside themselves, each in a process of its own: ours and the PyTorch peer. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readEngineInstall } from '../../core/engine/install.ts';
import { engineJobEnvironment } from '../../core/services/job-environment.ts';

/** Threads inside an operation, on both sides. */
export const THREADS = 2;

/** The reference implementation in PyTorch, as a whole program. */
export const CSA_PEER = join(import.meta.dirname, '../../../shared/tools/peers/csa_torch.py');

/** Python with PyTorch. @throws Error with the command that installs it */
export function python(): string {
  const program = join(import.meta.dirname, '../../.cache/torch/bin/python');
  if (existsSync(program)) return program;
  throw new Error(
    'the peer is not installed: python3 -m venv .cache/torch && .cache/torch/bin/pip install torch==2.13.0 torchvision==0.28.0 numpy pillow',
  );
}

/** Where the peer computes: on the device that our engine is set up for. */
export function peerDevice(): 'cpu' | 'cuda' {
  return readEngineInstall().pack === 'gpu' ? 'cuda' : 'cpu';
}

/** What took part on our side. */
export function versions(): Record<string, string> {
  const { tensorflow, pack } = readEngineInstall();
  return { node: process.version, tensorflow, device: pack };
}

/** What took part on both sides. */
export function versionsOfBoth(): Record<string, string> {
  const torch = execFileSync(python(), ['-c', 'import torch; print(torch.__version__)']).toString().trim();
  return { ...versions(), torch };
}

/**
 * Run a program of this folder under our Node with the engine's environment; stderr passes through.
 * @param spec given to it as JSON, its one argument
 * @param atOnce operations side by side
 * @returns what its last line says, JSON
 */
export function runOurs<T>(file: string, spec: object, atOnce = 1): T {
  return lastLine<T>(process.execPath, [join(import.meta.dirname, file), JSON.stringify(spec)], {
    ...engineJobEnvironment(THREADS, atOnce),
  });
}

/** The same for a program in Python, with arguments of its own. */
export function runPython<T>(parameters: readonly string[]): T {
  return lastLine<T>(python(), parameters, {});
}

function lastLine<T>(program: string, parameters: readonly string[], environment: Record<string, string>): T {
  const output = execFileSync(program, parameters, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output.toString().trim().split('\n').at(-1)!) as T;
}
