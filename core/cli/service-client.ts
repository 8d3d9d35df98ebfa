/** A command whose project is open in a service of this user: the service does it, and what it prints is shown here. */
import { existsSync, realpathSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { CommandLine, type CommandRequest } from '../api/command.ts';
import { ErrorBody } from '../api/errors.ts';
import { errorFromData, systemCode, UserError } from '../base/errors.ts';
import { LineSplitter } from '../jobs/lines.ts';
import { readToken } from '../server/private-socket.ts';
import { readHolder } from '../storage/project-lock.ts';
import type { Host } from './host.ts';

/** Where a service listens, and what it wants to be shown. */
interface ServiceAddress {
  socket: string;
  token: string;
}

/** Thrown where a command would open a project that a service has open. */
export class HeldByService extends Error {
  readonly project: string;
  readonly service: ServiceAddress;
  /** The refusal, for the case that the service does not answer. */
  declare readonly cause: unknown;

  /** @param project absolute path of its file */
  constructor(project: string, service: ServiceAddress, cause: unknown) {
    super('the project is open in a service', { cause });
    this.project = project;
    this.service = service;
  }
}

/** The service that has a project open, as far as its lock names one that can be asked from here. */
export function serviceHolding(project: string): ServiceAddress | undefined {
  const holder = readHolder(existsSync(project) ? realpathSync(project) : project);
  if (holder?.socket === undefined || holder.host !== hostname()) return undefined;
  const token = readToken(holder.socket);
  return token === undefined ? undefined : { socket: holder.socket, token };
}

/**
 * Let the service do the command of a host: what it prints goes to the host, whose signal cancels it.
 * @returns false when the service does not have the project open any more
 * @throws UserError as the service refuses it; 'cancelled' when it ends in the midst; the cause of `held` when it does not
 *   answer
 */
export async function sendCommand({ project, service, cause }: HeldByService, host: Host): Promise<boolean> {
  const { stdin, stdout, stderr, colour, debug, argv, cwd } = host;
  const order: CommandRequest = {
    project,
    argv: [...argv],
    cwd,
    ...(stdin.text === null ? {} : { stdin: stdin.text }),
    stdout: { columns: stdout.columns ?? null },
    stderr: { columns: stderr.columns ?? null, isTTY: stderr.isTTY ?? false, colour },
    debug,
  };
  let answer: IncomingMessage;
  try {
    answer = await post(service, '/api/command', order);
  } catch (error) {
    throw systemCode(error) === undefined ? error : cause;
  }
  if (answer.statusCode === 404) {
    answer.resume();
    return false;
  }
  if (answer.statusCode !== 200) throw errorFromData(ErrorBody.parse(JSON.parse(await textOf(answer))).error);
  await follow(answer, service, host);
  return true;
}

/** Show what the service sends until the command has ended. */
function follow(answer: IncomingMessage, service: ServiceAddress, host: Host): Promise<void> {
  return new Promise((resolve, reject) => {
    let id: number | undefined;
    let ended = false;
    const cancel = (): void => {
      if (id === undefined) return;
      // Where that fails the service is gone, and the end of its answer says so.
      post(service, `/api/command/${id}/cancel`, {}).then(
        (reply) => reply.resume(),
        () => {},
      );
    };
    host.signal.addEventListener('abort', cancel, { once: true });
    const lines = new LineSplitter((text) => {
      const line = CommandLine.parse(JSON.parse(text));
      if (line.type === 'stdout') host.stdout.write(line.text);
      if (line.type === 'stderr') host.stderr.write(line.text);
      if (line.type === 'exit') {
        ended = true;
        host.exitCode = line.code;
      }
      if (line.type === 'command') {
        id = line.id;
        if (host.signal.aborted) cancel();
      }
    });
    const finish = (): void => {
      host.signal.removeEventListener('abort', cancel);
      if (ended) resolve();
      else {
        const message = 'Contexture, which has the project open, ended before the command was done. Give it again.';
        reject(new UserError('cancelled', message));
      }
    };
    answer.on('data', (chunk: Buffer) => lines.push(chunk));
    answer.once('close', finish);
    answer.on('error', () => {});
  });
}

function post({ socket, token }: ServiceAddress, path: string, body: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const call = request({ socketPath: socket, path, method: 'POST', headers, agent: false }, resolve);
    call.once('error', reject);
    call.end(JSON.stringify(body));
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
