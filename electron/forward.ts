/** One request of the page, passed on to the service over its private socket, and the answer back; bodies flow. */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';

/** Where a service listens, and what it wants to see on every request. */
export interface ServiceAddress {
  /** Path of a Unix socket or name of a pipe. */
  readonly socket: string;
  readonly token: string;
}

/** Statuses whose answers have no body, which Response insists on. */
const WITHOUT_BODY = [101, 204, 205, 304];

/**
 * Ask the service. When the page gives up, the body of the answer is cancelled (or `request.signal` fires), and the
 * connection is closed, which the service sees.
 * @throws Error of the system when the service cannot be reached
 */
export async function forward(request: Request, address: ServiceAddress): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Map(request.headers);
  headers.delete('host');
  headers.set('authorization', `Bearer ${address.token}`);
  const outgoing = httpRequest({
    socketPath: address.socket,
    method: request.method,
    path: pathname + search,
    headers: Object.fromEntries(headers),
    agent: false,
  });
  const giveUp = (): void => void outgoing.destroy();
  request.signal?.addEventListener('abort', giveUp, { once: true });
  const answer = answerOf(outgoing);
  if (request.body) {
    Readable.fromWeb(request.body)
      .on('error', (error) => outgoing.destroy(error))
      .pipe(outgoing);
  } else {
    outgoing.end();
  }
  const incoming = await answer;
  incoming.on('close', () => request.signal?.removeEventListener('abort', giveUp));
  return toResponse(incoming, outgoing);
}

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('response', resolve);
    // After the answer has begun, the stream of its body carries the error.
    outgoing.on('error', reject);
  });
}

function toResponse(incoming: IncomingMessage, outgoing: ClientRequest): Response {
  const status = incoming.statusCode ?? 502;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headersDistinct)) {
    // How bytes cross the socket is no concern of the page.
    if (name === 'connection' || name === 'keep-alive' || name === 'transfer-encoding') continue;
    for (const one of value ?? []) headers.append(name, one);
  }
  if (WITHOUT_BODY.includes(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  const body = Readable.toWeb(incoming);
  incoming.on('close', () => outgoing.destroy());
  return new Response(body, { status, headers });
}
