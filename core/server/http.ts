/** The service as a web application: the contract's routes, the page, and the same headers on everything. */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { CONTRACT } from '../api/contract.ts';
import type { Endpoint } from '../api/endpoint.ts';
import type { ErrorBody, ErrorCode } from '../api/errors.ts';
import { errorToData, UserError } from '../base/errors.ts';
import { tokenGuard, loopbackGuard } from './guard.ts';
import type { HandlerContext } from './handlers.ts';
import type { PageFiles } from './page-files.ts';
import { parseParams, parseQuery, parseWith } from './request.ts';
import { HANDLERS } from './routes/index.ts';
import type { Service } from './service.ts';

/** Largest JSON body, bytes: a million ids. */
const LARGEST_BODY = 12 * 2 ** 20;

const STATUS: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  usage: 400,
  'not-found': 404,
  unreadable: 500,
  damaged: 422,
  locked: 409,
  newer: 422,
  'no-space': 507,
  'no-permission': 403,
  exists: 409,
  empty: 422,
  changed: 409,
  conflict: 409,
  engine: 500,
  memory: 500,
  diverged: 422,
  cancelled: 409,
  verify: 422,
  defect: 500,
};

/**
 * On every answer. Scripts, styles and requests from here only; pictures may also be made by the page itself.
 * `nosniff` because pictures of unknown origin pass through.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** A handler whose key is not known any more; what it is given has been parsed by the contract. */
type AnyHandler = (request: object) => unknown;

export interface HttpOptions {
  token: string;
  /** Port of a loopback service; undefined for the private socket. */
  port?: () => number;
  page: PageFiles;
}

/** The application; `fetch` of it answers a request. */
export function createHttp(service: Service, { token, port, page }: HttpOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value);
  });
  const via = port ? 'loopback' : 'private';
  app.onError((error) => failure(service, error));
  app.use(port ? loopbackGuard(token, port) : tokenGuard(token));
  app.use('/api/*', async ({ req }, next) => {
    // Would be answered like a GET, whose bytes nobody takes: an event stream would never end.
    if (req.method === 'HEAD') throw noSuch(req);
    return next();
  });
  for (const [key, endpoint] of Object.entries<Endpoint>(CONTRACT)) {
    const [method, path] = key.split(' ');
    // The table of handlers has the same keys as the contract, and each is typed by its own.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const handler = HANDLERS[key as keyof typeof HANDLERS] as AnyHandler;
    app.on(
      method,
      path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit({ maxSize: endpoint.upload ?? LARGEST_BODY, onError: tooLarge }),
      (context) => answer(service, via, endpoint, handler, context),
    );
  }
  app.all('/api/*', ({ req }) => {
    throw noSuch(req);
  });
  app.get('*', ({ req }) => {
    const file = page.get(decode(req.path));
    if (!file && page.empty) throw new UserError('not-found', 'The page is not built: npm run build:page builds it.');
    if (!file) throw new UserError('not-found', `There is no ${req.path} here.`);
    return file;
  });
  return app;
}

async function answer(
  service: Service,
  via: HandlerContext['via'],
  endpoint: Endpoint,
  handler: AnyHandler,
  { req }: Context,
): Promise<Response> {
  const context: HandlerContext = {
    service,
    via,
    signal: req.raw.signal,
    header: (name) => req.header(name),
  };
  const result = await handler({
    ...context,
    params: parseParams(req.param()),
    query: endpoint.query && parseQuery(endpoint.query, new URL(req.url).searchParams),
    body: endpoint.body && parseWith(endpoint.body, await json(req.raw), 'request'),
    upload: endpoint.upload === undefined ? undefined : new Uint8Array(await req.arrayBuffer()),
  });
  if (result instanceof Response) return result;
  if (!(endpoint.response instanceof z.ZodType)) throw new Error('a handler that owes bytes returned something else');
  // What the schema does not name does not leave the house.
  return Response.json(endpoint.response.parse(result), { headers: { 'cache-control': 'no-store' } });
}

/** @throws UserError 'usage' when it is not sent as JSON, or is none */
async function json(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';')[0].trim();
  // A form of another site can send any other type without asking.
  if (type !== 'application/json') throw new UserError('usage', 'The request has no body of type application/json.');
  try {
    return await request.json();
  } catch {
    throw new UserError('usage', 'The body of the request is not JSON.');
  }
}

function noSuch({ method, path }: { method: string; path: string }): UserError {
  return new UserError('not-found', `There is no ${method} ${path}: GET /api/openapi.json lists what there is.`);
}

function tooLarge(): never {
  throw new UserError('usage', 'The body of the request is too large: send less at a time.');
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new UserError('usage', 'The address is not valid.');
  }
}

function failure(service: Service, error: unknown): Response {
  const { code, message, stack } = errorToData(error);
  if (code === 'defect') service.log(stack ?? message);
  const body: ErrorBody = { error: { code, message } };
  return Response.json(body, { status: STATUS[code], headers: { 'cache-control': 'no-store' } });
}
