/** The engine: what this machine trains on, why not on the other device, and the doctor who proves it. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Task } from './tasks.ts';

export const EngineState = z
  .object({
    /** The engine that set-up installed; null when there is none, and `problem` says why. */
    pack: z.enum(['cpu', 'gpu']).nullable(),
    tensorflow: z.string().nullable(),
    problem: z.string().nullable(),
    /** What a run computes on, in one sentence. */
    sentence: z.string(),
    /** The processor's name, cores and free memory in bytes. */
    processor: z.string(),
    cores: z.number(),
    memory: z.object({ total: z.number(), free: z.number() }),
    gpu: z.object({
      /** Names of the GPUs that the driver reports. */
      names: z.array(z.string()),
      /** Why the GPU pack cannot run here; null when it can. */
      refusal: z.string().nullable(),
      /** Bytes that it would download. */
      bytes: z.number(),
      /** The command that installs it. */
      command: z.string(),
    }),
  })
  .meta({ id: 'EngineState' });
export type EngineState = z.infer<typeof EngineState>;

export const ENGINE_ENDPOINTS = {
  'GET /api/engine': { summary: 'What this machine trains on, and why not on another device.', response: EngineState },
  'POST /api/doctor': {
    summary: 'Prove that the engine trains. The result of the task has the report and its lines.',
    response: Task,
  },
} as const satisfies Record<EndpointKey, Endpoint>;
