/** Environment variables of job processes; both kinds of thread have to be set before a process starts. */
import { availableParallelism } from 'node:os';
import { engineEnvironment, readEngineInstall } from '../engine/install.ts';
import type { TrainConfig } from '../training/config.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';

/** For jobs that decode or encode pictures, which happens on the threads of libuv's pool: as many as there are cores. */
export function pictureEnvironment(): Record<string, string> {
  return { UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism())) };
}

/**
 * For jobs that run the engine on pictures.
 * @param threads inside an operation; 0 for all cores
 * @param atOnce operations side by side
 * @throws UserError 'engine' when it is not set up
 */
export function engineJobEnvironment(threads: number, atOnce = 1): Record<string, string> {
  return { ...engineEnvironment(readEngineInstall(), { threads, atOnce }), ...pictureEnvironment() };
}

/**
 * For jobs that train. Each head has a stream of pictures. Of two streams one computes while the other waits for memory; a single one has little to do side by
 * side, and is slower for it (test/bench/README.md).
 * @throws UserError 'engine' when it is not set up
 */
export function trainingJobEnvironment({
  method,
  threads,
}: Pick<TrainConfig, 'method' | 'threads'>): Record<string, string> {
  return engineJobEnvironment(threads, METHODS_BY_NAME[method].heads.length);
}
