/** Who may ask at all. The token is what counts; the rest keeps a foreign page from using a browser that holds it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { UserError } from '../base/errors.ts';

/** Cookies do not tell ports apart: a second service on this machine has one of its own. */
const cookieName = (port: number): string => `contexture-${port}`;

/** For the private socket: the token in each request's header. */
export function tokenGuard(token: string): MiddlewareHandler {
  return async (context, next) => {
    if (!hasBearer(context.req.header('authorization'), token)) return refuse();
    return next();
  };
}

/**
 * For a loopback port: the token in the first address (`/?token=…`), which becomes a cookie that no script can read and no
 * other site sends; or in the header, for programs. The host must be this machine under this port, so that no name that
 * somebody points here gets an answer, and a request that a page makes must come from our own page.
 * @param port that the service listens on
 */
export function loopbackGuard(token: string, port: () => number): MiddlewareHandler {
  return async (context, next) => {
    const hosts = [`127.0.0.1:${port()}`, `localhost:${port()}`, `[::1]:${port()}`];
    const host = context.req.header('host') ?? '';
    if (!hosts.includes(host)) return refuse();
    const origin = context.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}`) return refuse();
    const site = context.req.header('sec-fetch-site');
    const given = context.req.query('token');
    if (context.req.method === 'GET' && context.req.path === '/' && given !== undefined) {
      if (!sameToken(given, token)) return refuse();
      // Following the address from elsewhere is how a session begins; the token leaves the address bar at once.
      setCookie(context, cookieName(port()), token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return context.redirect('/', 303);
    }
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return refuse();
    const cookie = getCookie(context, cookieName(port()));
    const allowed = cookie !== undefined && sameToken(cookie, token);
    if (!allowed && !hasBearer(context.req.header('authorization'), token)) return refuse();
    return next();
  };
}

function refuse(): never {
  throw new UserError(
    'no-permission',
    'This is Contexture, and it answers only to whoever has its token: open the address that it printed at its start.',
  );
}

function hasBearer(header: string | undefined, token: string): boolean {
  return header !== undefined && header.startsWith('Bearer ') && sameToken(header.slice(7), token);
}

/** Compare in a time that does not tell how much of it is right. */
function sameToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
