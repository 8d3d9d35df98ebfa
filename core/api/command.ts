/**
 * A command line that was given while the service has its project open: the service does it and sends what it prints. For
 * the private socket only.
 */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';

const Columns = z.int().positive().nullable();

export const CommandRequest = z
  .object({
    /** Absolute path of the project file that the command line is about. */
    project: z.string().min(1),
    /** The arguments after the program's name. */
    argv: z.array(z.string()),
    /** Where it was given; absolute. Relative paths among the arguments lie below it. */
    cwd: z.string().min(1),
    /** What stood on its stdin, where the command has asked for it. */
    stdin: z.string().optional(),
    /** Width of the terminal that stdout and stderr go to; null where it is none. */
    stdout: z.object({ columns: Columns }),
    stderr: z.object({ columns: Columns, isTTY: z.boolean(), colour: z.boolean() }),
    /** Show stacks. */
    debug: z.boolean(),
  })
  .meta({ id: 'CommandRequest' });
export type CommandRequest = z.infer<typeof CommandRequest>;

/** What comes back, a line of JSON each. "command" is the first, "exit" the last. */
export const CommandLine = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('command'), id: z.number() }),
    z.object({ type: z.literal('stdout'), text: z.string() }),
    z.object({ type: z.literal('stderr'), text: z.string() }),
    z.object({ type: z.literal('exit'), code: z.int() }),
  ])
  .meta({ id: 'CommandLine' });
export type CommandLine = z.infer<typeof CommandLine>;

export const COMMAND_ENDPOINTS = {
  'POST /api/command': {
    summary: 'Do a command line on an open project; the private socket only. Its end is the end of the answer.',
    body: CommandRequest,
    response: { media: 'application/x-ndjson' },
  },
  'POST /api/command/{command}/cancel': {
    summary: 'Ask a command line to stop, as Ctrl-C does; what it prints then still comes.',
    body: z.object({}),
    response: z.object({}),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
