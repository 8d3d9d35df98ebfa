/** The window: made where it was, kept in its place, and helped up when its page falls. */
import { join } from 'node:path';
import { app, BrowserWindow, dialog, nativeTheme, screen } from 'electron/main';
import { HOME } from './address.ts';
import type { ShellMemory } from './stored.ts';
import { windowPlace } from './window-place.ts';

/** What is seen before the page is, by theme: the page's own background. */
const BACKGROUND = { light: '#ffffff', dark: '#16181d' };

export interface WindowOptions {
  readonly memory: ShellMemory;
  readonly log: (line: string) => void;
  /** A person closes the window: whether it may. When not, something else happens, such as a question. */
  readonly onClose: () => boolean;
}

export function createWindow({ memory, log, onClose }: WindowOptions): BrowserWindow {
  const { bounds, maximized, fullScreen } = memory.value;
  const main = screen.getPrimaryDisplay();
  const displays = [main, ...screen.getAllDisplays().filter(({ id }) => id !== main.id)];
  const window = new BrowserWindow({
    ...windowPlace(
      bounds,
      displays.map(({ workArea }) => workArea),
    ),
    minWidth: 720,
    minHeight: 480,
    title: app.name,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      preload: join(app.getAppPath(), 'preload.cjs'),
      // Electron's defaults, said because everything rests on them.
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      // Words of class names are no prose; and the dictionary would be fetched from the network.
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  });
  if (maximized) window.maximize();
  if (fullScreen) window.setFullScreen(true);
  window.once('ready-to-show', () => window.show());
  window.on('page-title-updated', (event) => event.preventDefault());
  window.on('close', (event) => {
    if (onClose()) rememberPlace(window, memory);
    else event.preventDefault();
  });
  watchPage(window, log);
  // What fails is shown by the dialogs of the service.
  window.loadURL(HOME).catch((error: unknown) => log(`the page did not load: ${String(error)}`));
  return window;
}

/** Keep where the window is, before it closes. */
export function rememberPlace(window: BrowserWindow, memory: ShellMemory): void {
  memory.update({
    bounds: window.getNormalBounds(),
    maximized: window.isMaximized(),
    fullScreen: window.isFullScreen(),
  });
}

/** Offer a way back when the page crashes or hangs. */
function watchPage(window: BrowserWindow, log: (line: string) => void): void {
  const contents = window.webContents;
  contents.on('render-process-gone', (_event, { reason, exitCode }) => {
    log(`the page ended: ${reason}, code ${exitCode}`);
    if (reason === 'clean-exit') return;
    void offer(window, 'The page has crashed. Nothing is lost: your work lies with the service.', [
      'Reload',
      'Quit',
    ]).then((choice) => (choice === 0 ? contents.reload() : app.quit()));
  });
  window.on('unresponsive', () => {
    log('the page does not respond');
    void offer(window, 'The page does not respond.', ['Wait', 'Reload']).then((choice) => {
      if (choice !== 1) return;
      contents.forcefullyCrashRenderer();
      contents.reload();
    });
  });
}

async function offer(window: BrowserWindow, message: string, buttons: string[]): Promise<number> {
  const { response } = await dialog.showMessageBox(window, { type: 'warning', message, buttons, noLink: true });
  return response;
}
