/** Starts the service: on its private socket, and on a loopback port where a browser is to use it. */
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { systemCode, UserError } from '../base/errors.ts';
import { stateFolder } from '../base/state-folder.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { ProjectStorage } from '../storage/project-store.ts';
import { loopbackAccess, privateAccess } from './access.ts';
import { createHttp } from './http.ts';
import { KINDS } from './kinds/index.ts';
import { PageFiles } from './page-files.ts';
import { makePrivateSocket, newToken } from './private-socket.ts';
import { Service } from './service.ts';

/** Where `npm run build:page` puts the page. */
const PAGE_FOLDER = fileURLToPath(new URL('../../out/page', import.meta.url));

/**
 * How long a connection waits for its next request. With Node's five seconds, a client on a busy machine may send one at
 * the moment in which its connection is closed, and sees a reset. Clients are few and on this machine.
 */
const KEEP_ALIVE_MS = 10 * 60_000;

export interface ServeOptions {
  storage: ProjectStorage;
  runJob: RunJob;
  /** Serve a browser on this loopback port (0 for any free one), for folders below `roots` only. */
  loopback?: { port: number; roots: readonly string[] };
  /** A line for the log. */
  log: (line: string) => void;
  pageFolder?: string;
  /** Milliseconds between signs of life in an event stream; 15 s when absent. */
  heartbeat?: number;
}

export interface RunningService {
  readonly service: Service;
  readonly socket: string;
  /** Of the private socket. */
  readonly token: string;
  /** First address for a browser, token included; undefined without a loopback port. */
  readonly address: string | undefined;
  /** Pause what is at work, close the projects, stop listening. May be called twice. */
  close(): Promise<void>;
}

/**
 * Start the service and open again what was open.
 * @throws UserError 'usage' when the port is taken or a root is not there
 */
export async function startService(options: ServeOptions): Promise<RunningService> {
  const { loopback, log, storage, runJob } = options;
  const access = loopback ? loopbackAccess(loopback.roots) : privateAccess;
  const socket = makePrivateSocket();
  const servers: Server[] = [];
  try {
    const service = new Service({
      storage,
      runJob,
      kinds: KINDS,
      access,
      stateFolder: stateFolder(),
      socket: socket.path,
      log,
      ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
    });
    const page = new PageFiles(options.pageFolder ?? PAGE_FOLDER);
    const privateServer = serverOf(createHttp(service, { token: socket.token, page }));
    await listen(privateServer, { path: socket.path });
    servers.push(privateServer);
    let address: string | undefined;
    if (loopback) {
      const token = newToken();
      let port = loopback.port;
      const server = serverOf(createHttp(service, { token, port: () => port, page }));
      port = await listen(server, { host: '127.0.0.1', port });
      servers.push(server);
      address = `http://127.0.0.1:${port}/?token=${token}`;
    }
    await service.reopen();
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await service.close();
      for (const server of servers) stopListening(server);
      socket.remove();
    };
    return { service, socket: socket.path, token: socket.token, address, close: () => (closing ??= close()) };
  } catch (error) {
    for (const server of servers) stopListening(server);
    socket.remove();
    throw error;
  }
}

function serverOf(app: Hono): Server {
  const listener = getRequestListener(app.fetch);
  const server = createServer((request, response) => void listener(request, response));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

function stopListening(server: Server): void {
  server.close();
  // Event streams never end by themselves.
  server.closeAllConnections();
}

/** @returns the port, 0 for a socket */
function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const taken = systemCode(error) === 'EADDRINUSE' && 'port' in where;
      reject(taken ? new UserError('usage', `Port ${where.port} is in use: choose another one with --port.`) : error);
    });
    server.listen(where, () => {
      const found = server.address();
      resolve(typeof found === 'object' && found !== null ? found.port : 0);
    });
  });
}
