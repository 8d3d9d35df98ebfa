/**
 * Entry of the desktop app. It starts the service, shows one window with the page, and offers what a browser cannot do.
 * Everything else is in the service and the page.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crashReporter } from 'electron/common';
import { app, type BrowserWindow, dialog, powerMonitor, session } from 'electron/main';
import { CHANNELS } from './channels.ts';
import { Dialogs } from './dialogs.ts';
import { serviceEnvironment } from './environment.ts';
import { lockDownPages, lockDownSession } from './lock-down.ts';
import { type Log, openLog } from './log.ts';
import { Messages } from './messages.ts';
import { pathsAmong } from './open-paths.ts';
import { PageCalls } from './page-calls.ts';
import { type Places, placesInClone, placesInPackage } from './places.ts';
import { Quit } from './quit.ts';
import { handleScheme, registerScheme } from './scheme.ts';
import { selfCheck } from './self-check.ts';
import { Service } from './service-process.ts';
import { ShellMenu } from './shell-menu.ts';
import { ShellMemory } from './stored.ts';
import { createWindow, rememberPlace } from './window.ts';
import { Work } from './work.ts';

/** The flag of a check that a package is whole: it starts the service and a job, prints a line and ends. */
const SELF_CHECK = '--self-check';

function findPlaces(): Places {
  return app.isPackaged
    ? placesInPackage(process.resourcesPath, app.getPath('userData'))
    : placesInClone(app.getAppPath());
}

function createService(places: Places, log: Log, onGivenUp: (sentence: string) => void): Service {
  return new Service({
    node: places.node,
    command: [join(places.root, 'core', 'server', 'main.ts'), '--socket'],
    cwd: places.root,
    // Compiled code is kept, which halves the start of the service and of each job.
    env: serviceEnvironment(process.env, {
      ...places.env,
      NODE_COMPILE_CACHE: join(app.getPath('userData'), 'compiled'),
    }),
    log: (line) => log.write('service', line),
    onGivenUp,
  });
}

/** The service cannot be started any more: say so, with the way back and the log. */
async function offerRetry(service: Service, sentence: string, log: Log): Promise<void> {
  const { response } = await dialog.showMessageBox({
    type: 'error',
    message: 'Contexture cannot go on',
    detail: `${sentence}\nNothing that was stored is lost. The log is ${log.file}.`,
    buttons: ['Try again', 'Show the log', 'Quit'],
    noLink: true,
  });
  if (response === 0) return service.retry();
  if (response === 1) return ShellMenu.showLog(log).then(() => offerRetry(service, sentence, log));
  app.quit();
}

/** @param given paths to open at once */
function run(log: Log, given: string[]): void {
  const own = (line: string): void => log.write('shell', line);
  const places = findPlaces();
  const memory = new ShellMemory(join(app.getPath('userData'), 'shell.json'));
  const service = createService(places, log, (sentence) => {
    void app
      .whenReady()
      .then(() => offerRetry(service, sentence, log))
      .then(() => {
        // A page that found no service at all has nothing on it to come back by.
        if (window?.webContents.getTitle() === '') window.webContents.reload();
      });
  });
  // Beside Electron's own start, which takes longer.
  service.start();
  lockDownPages(own);
  let window: BrowserWindow | undefined;
  const work = new Work(service);
  const quit = new Quit({
    service,
    work,
    log: own,
    window: () => window,
    unsaved: () => calls.unsaved,
    closeWindow: () => {
      if (window) rememberPlace(window, memory);
      window?.destroy();
    },
  });

  const showWindow = (): BrowserWindow => {
    quit.reopened();
    if (window) {
      if (window.isMinimized()) window.restore();
      window.focus();
      return window;
    }
    const made = createWindow({
      memory,
      log: own,
      onClose: () => {
        if (quit.mayClose || process.platform === 'darwin') return true;
        quit.request();
        return false;
      },
    });
    window = made;
    made.on('closed', () => {
      window = undefined;
      calls.forget();
    });
    return made;
  };
  const page = () => window?.webContents;
  const menu = new ShellMenu({
    places,
    memory,
    service,
    log,
    window: showWindow,
    send: (...words) => calls.send(...words),
  });
  const calls = new PageCalls({
    messages: new Messages(page, own),
    dialogs: new Dialogs(showWindow, memory),
    window: () => window,
    setRecent: (projects) => menu.setRecent(projects),
  });
  const open = (paths: string[]): void => {
    if (app.isReady()) showWindow();
    if (paths.length > 0) calls.send(CHANNELS.open, paths);
  };

  open(given);
  app.on('open-file', (event, path) => {
    event.preventDefault();
    open([path]);
  });
  app.on('second-instance', (_event, _words, _cwd, data) => open(givenPaths(data)));
  app.on('activate', () => void showWindow());
  void app.whenReady().then(() => {
    lockDownSession(session.defaultSession, own);
    handleScheme(session.defaultSession, service, own);
    menu.show();
    showWindow();
    work.watch();
    powerMonitor.on('shutdown', () => void quit.now());
  });
}

/** Paths that a second start handed over before it ended. */
function givenPaths(data: unknown): string[] {
  if (typeof data !== 'object' || data === null || !('paths' in data) || !Array.isArray(data.paths)) return [];
  return data.paths.filter((path): path is string => typeof path === 'string');
}

crashReporter.start({ uploadToServer: false });
registerScheme();
mkdirSync(app.getPath('userData'), { recursive: true });
const log = openLog(app.getPath('logs'));
process.on('uncaughtException', (error) => {
  log.write('shell', error.stack ?? error.message);
  console.error(error);
  dialog.showErrorBox('Contexture has to end', `${error.message}\nThe log is ${log.file}.`);
  app.exit(1);
});

const named = pathsAmong(process.argv.slice(1), process.cwd(), app.getAppPath());
if (process.argv.includes(SELF_CHECK)) {
  const service = createService(findPlaces(), log, (sentence) => log.write('service', sentence));
  void selfCheck(service).then(({ line, ok }) => {
    console.log(line);
    app.exit(ok ? 0 : 1);
  });
} else if (app.requestSingleInstanceLock({ paths: named })) {
  log.write('shell', `Contexture ${app.getVersion()}, Electron ${process.versions.electron}, ${process.platform}`);
  run(log, named);
} else {
  // The first one shows what this one was asked to.
  app.exit(0);
}
