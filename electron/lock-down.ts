/** What no page may do, whichever window it is in: the list is Electron's own, and a test asserts each item. */
import { app, type Session } from 'electron/main';
import { isOwnAddress } from './address.ts';

/** Forbid for every page to come; call before Electron is ready. */
export function lockDownPages(log: (line: string) => void): void {
  // Chromium refuses to start its sandbox as root, so tests in a container switch it off for the whole app; nothing else does.
  if (app.commandLine.hasSwitch('no-sandbox')) log('the system sandbox was switched off on the command line');
  else app.enableSandbox();
  const refuse = (what: string) => (event: { preventDefault(): void }) => {
    event.preventDefault();
    log(`refused: ${what}`);
  };
  app.on('web-contents-created', (_event, contents) => {
    // The page changes its address by its history alone, which is no navigation; reloading is one and stays possible.
    contents.on('will-navigate', (event) => {
      if (!isOwnAddress(event.url) || event.url !== contents.getURL()) refuse(`navigation to ${event.url}`)(event);
    });
    contents.on('will-frame-navigate', (event) => {
      if (!event.isMainFrame) refuse(`a frame to ${event.url}`)(event);
    });
    contents.on('will-redirect', refuse('a redirection'));
    contents.on('will-attach-webview', refuse('a webview'));
    contents.setWindowOpenHandler(({ url }) => {
      log(`refused: a window for ${url}`);
      return { action: 'deny' };
    });
  });
}

/** What the page may ask the browser for: to put text on the clipboard. Reading it is not in the list. */
const PERMISSIONS = ['clipboard-sanitized-write'];

/** Forbid in one session: permissions, devices, downloads, and every address that is not the page's own. */
export function lockDownSession(session: Session, log: (line: string) => void): void {
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) => {
    const allowed = allows(permission, requestingUrl);
    if (!allowed) log(`refused: permission ${permission}`);
    answer(allowed);
  });
  session.setPermissionCheckHandler((_contents, permission, origin) => allows(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, answer) => {
    const allowed = isOwnAddress(details.url) || isLocal(details.url);
    if (!allowed) log(`refused: request for ${details.url}`);
    answer({ cancel: !allowed });
  });
  session.on('will-download', (event, item) => {
    const own = item.getURLChain().every((address) => isOwnAddress(address) || isLocal(address));
    if (own) return;
    event.preventDefault();
    log(`refused: download of ${item.getURL()}`);
  });
}

function allows(permission: string, address: string): boolean {
  return PERMISSIONS.includes(permission) && isOwnAddress(address);
}

/** Bytes that the page itself has made, and the developer's tools, which are there in development only. */
function isLocal(address: string): boolean {
  return ['blob:', 'data:', 'devtools:'].some((scheme) => address.startsWith(scheme));
}
