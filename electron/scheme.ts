/** The page's scheme: every request of the page, for its files and its data alike, goes to the service. */
import { protocol, type Session } from 'electron/main';
import { SCHEME } from './address.ts';
import { forward } from './forward.ts';
import { type Service, ServiceGone } from './service-process.ts';

/** Declare the scheme; Electron allows that once, before it is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
  ]);
}

/** Answer the page's requests in a session. One that comes while the service is being started waits for it. */
export function handleScheme(session: Session, service: Service, log: (line: string) => void): void {
  session.protocol.handle(SCHEME, async (request) => {
    try {
      return guarded(await forward(request, await service.address()));
    } catch (error) {
      log(`${request.method} ${request.url}: ${String(error)}`);
      const message = error instanceof ServiceGone ? error.message : 'The service ended before it had answered.';
      return Response.json({ error: { code: 'defect', message } }, { status: 503 });
    }
  });
}

/** A document without a policy would be free to load and run anything: it is not shown. */
function guarded(response: Response): Response {
  const document = response.headers.get('content-type')?.startsWith('text/html');
  if (!document || response.headers.has('content-security-policy')) return response;
  return new Response('The page came without a content security policy.', { status: 502 });
}
