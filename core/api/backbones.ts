/** Pretrained backbones on this machine, for all projects. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Task } from './tasks.ts';

export const BackboneEntry = z
  .object({
    name: z.string(),
    /** Of the network, for people. */
    title: z.string(),
    /** The network that its weights are of; null where its file is damaged. */
    kind: z.string().nullable(),
    /** "here": runs can start from it · "available": it can be got · "damaged": its file is there and is none. */
    state: z.enum(['here', 'available', 'damaged']),
    /** Of its file where it is here, else of the download. */
    bytes: z.number(),
    /** As in "Apache-2.0"; empty where it is not known. */
    licence: z.string(),
    source: z.string(),
    /** The command that gets it; null where it was added by hand. */
    command: z.string().nullable(),
  })
  .meta({ id: 'BackboneEntry' });
export type BackboneEntry = z.infer<typeof BackboneEntry>;

export const BACKBONE_ENDPOINTS = {
  'GET /api/backbones': {
    summary: 'Pretrained backbones: the published ones and those that were added.',
    response: z.object({ backbones: z.array(BackboneEntry) }),
  },
  'POST /api/backbones/{backbone}': {
    summary: 'Download a published backbone; the result of the task is its entry.',
    response: Task,
  },
  'DELETE /api/backbones/{backbone}': {
    summary: 'Delete a backbone from this machine.',
    response: z.object({ backbones: z.array(BackboneEntry) }),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
