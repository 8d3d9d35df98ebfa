import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { forward, type ServiceAddress } from '../../electron/forward.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A service on a Unix socket that answers as told. */
async function listening(handler: Handler): Promise<ServiceAddress> {
  const server = createServer(handler);
  const socket = join(temporaryFolder(), 's');
  await new Promise<void>((resolve) => {
    server.listen(socket, resolve);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { socket, token: 'secret' };
}

const page = (path: string, init?: RequestInit): Request => new Request(`contexture://app${path}`, init);

test('method, path, query, headers and the token arrive; status, headers and body come back', async () => {
  const address = await listening((request, response) => {
    const { method, url, headers } = request;
    response.writeHead(418, { 'content-type': 'application/json', 'x-two': ['a', 'b'] });
    response.end(JSON.stringify({ method, url, headers }));
  });
  const response = await forward(page('/api/a%20b?c=d&c=e', { headers: { accept: 'x/y' } }), address);
  assert.equal(response.status, 418);
  assert.equal(response.headers.get('x-two'), 'a, b');
  const seen = (await response.json()) as { method: string; url: string; headers: Record<string, string> };
  assert.equal(seen.method, 'GET');
  assert.equal(seen.url, '/api/a%20b?c=d&c=e');
  assert.equal(seen.headers.authorization, 'Bearer secret');
  assert.equal(seen.headers.accept, 'x/y');
});

test('a page cannot name its own token', async () => {
  const address = await listening((request, response) => response.end(request.headers.authorization));
  const response = await forward(page('/', { headers: { authorization: 'Bearer other' } }), address);
  assert.equal(await response.text(), 'Bearer secret');
});

test('ten megabytes go up and come back unchanged', async () => {
  const address = await listening((request, response) => void request.pipe(response));
  const bytes = new Uint8Array(10_000_000).map((_value, index) => (index * 31) & 255);
  const response = await forward(page('/', { method: 'POST', body: bytes }), address);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(bytes));
});

async function* parts(): AsyncGenerator<Uint8Array> {
  for (const word of ['one ', 'two ', 'three']) {
    await wait(5);
    yield new TextEncoder().encode(word);
  }
}

test('a body that is made while it is sent arrives', async () => {
  const address = await listening((request, response) => void buffer(request).then((all) => response.end(all)));
  const body = ReadableStream.from(parts());
  const response = await forward(page('/', { method: 'POST', body, duplex: 'half' } as RequestInit), address);
  assert.equal(await response.text(), 'one two three');
});

test('parts of an answer arrive as they are written', async () => {
  const address = await listening((_request, response) => {
    response.write('first');
    // Never ended: the test would hang if the answer were collected.
  });
  const response = await forward(page('/'), address);
  const reader = response.body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'first');
  await reader.cancel();
});

test('who cancels the body of an answer closes the connection', { timeout: 60_000 }, async () => {
  const closed = Promise.withResolvers<void>();
  const address = await listening((_request, response) => {
    response.on('close', closed.resolve);
    response.write('data');
  });
  const response = await forward(page('/'), address);
  await response.body!.cancel();
  await closed.promise;
});

test('who gives up before the answer closes the connection', { timeout: 60_000 }, async () => {
  const closed = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const address = await listening((_request, response) => {
    response.on('close', closed.resolve);
    arrived.resolve();
  });
  const controller = new AbortController();
  const answer = forward(page('/', { signal: controller.signal }), address);
  await arrived.promise;
  controller.abort();
  await assert.rejects(answer);
  await closed.promise;
});

test('a service that dies in the midst of an answer fails the body', async () => {
  const address = await listening((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half');
    setTimeout(() => response.destroy(), 20);
  });
  const response = await forward(page('/'), address);
  await assert.rejects(response.text());
});

test('an answer without a body has none', async () => {
  const address = await listening((_request, response) => response.writeHead(204).end());
  const response = await forward(page('/', { method: 'DELETE' }), address);
  assert.equal(response.status, 204);
  assert.equal(response.body, null);
});

test('nobody at the socket is an error of the system', async () => {
  await assert.rejects(forward(page('/'), { socket: join(temporaryFolder(), 'none'), token: '' }), { code: 'ENOENT' });
});
