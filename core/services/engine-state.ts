/** What this machine trains on, without starting the engine; the doctor proves it. */
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { UserError } from '../base/errors.ts';
import { gpuAdvice, gpuRefusal, lookAtGpus } from '../engine/gpu-support.mjs';
import { readEngineInstall, type EngineInstall } from '../engine/install.ts';

/** What the wheels of build/setup/gpu-pack.mjs come to, bytes. */
const GPU_PACK_BYTES = 2_515_544_547;

export interface EngineState {
  pack: EngineInstall['pack'] | null;
  tensorflow: string | null;
  problem: string | null;
  sentence: string;
  processor: string;
  cores: number;
  memory: { total: number; free: number };
  gpu: { names: string[]; refusal: string | null; bytes: number; command: string };
}

/** Look at the installation and the GPUs; takes up to some seconds where a driver is slow. */
export async function engineState(signal?: AbortSignal): Promise<EngineState> {
  const machine = await lookAtGpus(signal);
  const names = typeof machine.gpus === 'string' ? [] : machine.gpus.map(({ name }) => name);
  const advice = typeof machine.gpus === 'string' ? undefined : gpuAdvice(machine.gpus);
  const refusal = gpuRefusal(machine);
  const { install, problem } = installed();
  const processor = cpus()[0]?.model.trim() || 'the processor';
  return {
    pack: install?.pack ?? null,
    tensorflow: install?.tensorflow ?? null,
    problem,
    sentence: [sentenceOf(install, processor, names, refusal), advice ?? ''].join(' ').trim(),
    processor,
    cores: availableParallelism(),
    memory: { total: totalmem(), free: freemem() },
    gpu: { names, refusal: refusal ?? null, bytes: GPU_PACK_BYTES, command: 'npm run setup -- --engine gpu' },
  };
}

function installed(): { install: EngineInstall | undefined; problem: string | null } {
  try {
    return { install: readEngineInstall(), problem: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { install: undefined, problem: error.message };
  }
}

function sentenceOf(
  install: EngineInstall | undefined,
  processor: string,
  gpus: readonly string[],
  refusal: string | undefined,
): string {
  if (!install) return 'Nothing can be trained until the engine is set up.';
  if (install.pack === 'cpu') {
    const why = refusal ?? `${gpus.at(-1) ?? 'The GPU'} is not used because the engine for the processor is installed.`;
    return `Runs compute on ${processor}. ${why}`;
  }
  if (refusal !== undefined) return `The engine for the GPU is installed, but ${refusal}`;
  return `Runs compute on ${gpus.at(-1) ?? 'the GPU'}.`;
}
