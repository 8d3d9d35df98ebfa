/** Environment variables of job processes; both kinds of thread have to be set before a process starts. */
import { availableParallelism } from 'node:os';
import { engineEnvironment, readEngineInstall } from '../engine/install.ts';

/** For jobs that decode or encode pictures, which happens on the threads of libuv's pool: as many as there are cores. */
export function pictureEnvironment(): Record<string, string> {
  return { UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism())) };
}

/**
 * For jobs that run the engine on pictures.
 * @param threads inside an operation; 0 for all cores
 * @throws UserError 'engine' when it is not set up
 */
export function engineJobEnvironment(threads: number): Record<string, string> {
  return { ...engineEnvironment(readEngineInstall(), { threads }), ...pictureEnvironment() };
}
