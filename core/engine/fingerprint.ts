/** What a run's digits depend on besides its seed: recorded with the run, compared when it is resumed. */
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Engine } from './backend.ts';

export interface EngineFingerprint {
  /** "2.21.0" */
  tensorflow: string;
  device: 'cpu' | 'gpu';
  /** Threads inside an operation. */
  threads: number;
  /** "linux-x64" */
  platform: string;
  /** Model name of the processor. */
  processor: string;
  /** What TensorFlow and oneDNN choose their kernels by, such as "AVX AVX2 FMA AVX512F". */
  instructions: string;
  /** Generation of our own kernels, `KERNELS`; records from before they were counted have none and mean 1. */
  kernels?: number;
}

/** Raised by each change of core/engine/native, or of what is computed there, that changes digits. 2: Winograd; 3: in bfloat16. */
const KERNELS = 3;

/** Names in /proc/cpuinfo of the instruction sets that kernels are chosen by. */
const INSTRUCTION_SETS = ['avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_tile', 'amx_bf16'];

/** Those of this processor. */
export function instructionSets(): string {
  if (platform() !== 'linux' || arch() !== 'x64') return arch();
  const flags = /^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  return INSTRUCTION_SETS.filter((name) => flags.includes(name))
    .map((name) => name.toUpperCase())
    .join(' ');
}

/** Threads that a setting of `threads` means: 0 is all cores this process may use. */
export function resolveThreads(threads: number): number {
  return threads > 0 ? threads : availableParallelism();
}

/** @param threads as the process was started with (TF_NUM_INTRAOP_THREADS) */
export function fingerprint(engine: Engine, threads: number): EngineFingerprint {
  return {
    tensorflow: engine.tensorflow,
    device: engine.device,
    threads,
    platform: `${platform()}-${arch()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    instructions: instructionSets(),
    kernels: KERNELS,
  };
}

/** What differs between two engines, in words; empty when a run resumes digit for digit. */
export function engineDifferences(before: EngineFingerprint, now: EngineFingerprint): string[] {
  const differences: string[] = [];
  if (before.device === 'gpu' || now.device === 'gpu')
    differences.push('on a GPU the digits depend on the card and its driver, which a run does not record');
  for (const key of ['tensorflow', 'device', 'threads', 'platform', 'instructions'] as const) {
    if (before[key] !== now[key]) differences.push(`${key} was ${before[key]} and is ${now[key]}`);
  }
  if ((before.kernels ?? 1) !== (now.kernels ?? 1)) differences.push('Contexture computes with other kernels now');
  return differences;
}
