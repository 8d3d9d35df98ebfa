/** The service as the desktop shell has it: watched, started again when it dies, reached through a forwarder. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { serviceEnvironment } from '../../electron/environment.ts';
import { forward } from '../../electron/forward.ts';
import { Service } from '../../electron/service-process.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { ROOT } from './support.ts';

/** A service under the shell's watch, and a port that passes requests on as the shell's scheme does. */
export async function shellOf(): Promise<{
  service: Service;
  address: string;
  givenUp: () => boolean;
  close: () => Promise<void>;
}> {
  const state = temporaryFolder();
  let givenUp = false;
  const service = new Service({
    node: process.execPath,
    command: [join(ROOT, 'core', 'server', 'main.ts'), '--socket'],
    cwd: ROOT,
    env: serviceEnvironment(process.env, {
      CONTEXTURE_STATE: state,
      HOME: state,
      // As the shell keeps it; empty is none.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
    }),
    log: () => {},
    onGivenUp: () => {
      givenUp = true;
    },
  });
  service.start();
  const listener = getRequestListener(async (request) => {
    try {
      return await forward(request, await service.address());
    } catch (error) {
      // As the shell's scheme answers.
      return Response.json({ error: { code: 'defect', message: String(error) } }, { status: 503 });
    }
  });
  const server = createServer((request, response) => void listener(request, response));
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await service.stop();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server on a port has such an address
  return {
    service,
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    givenUp: () => givenUp,
    close,
  };
}
