/** The menu at work: what its entries do, and the list of recent projects. */
import { shell } from 'electron/common';
import { app, type BrowserWindow, dialog, Menu } from 'electron/main';
import type { RecentProject } from '../core/api/bridge.ts';
import { CHANNELS } from './channels.ts';
import { saveDiagnostics } from './diagnostics.ts';
import type { Log } from './log.ts';
import { type MenuActions, menuTemplate } from './menu.ts';
import type { Places } from './places.ts';
import type { Service } from './service-process.ts';
import type { ShellMemory } from './stored.ts';

export interface ShellMenuOptions {
  readonly places: Places;
  readonly memory: ShellMemory;
  readonly service: Service;
  readonly log: Log;
  /** The window, made where there is none. */
  readonly window: () => BrowserWindow;
  /** Tell the page. */
  readonly send: (channel: string, value: unknown) => void;
}

export class ShellMenu {
  readonly #options: ShellMenuOptions;

  constructor(options: ShellMenuOptions) {
    this.#options = options;
  }

  static async showLog(log: Log): Promise<void> {
    shell.showItemInFolder(log.file);
  }

  /** Build the menu anew from what is remembered. */
  show(): void {
    const { recent } = this.#options.memory.value;
    const template = menuTemplate(
      { platform: process.platform, name: app.name, recent, development: !app.isPackaged },
      this.#actions(),
    );
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
  }

  /** @param projects latest first */
  setRecent(projects: RecentProject[]): void {
    const { memory } = this.#options;
    if (JSON.stringify(projects) === JSON.stringify(memory.value.recent)) return;
    const isNew = projects.length > 0 && projects[0].file !== memory.value.recent[0]?.file;
    memory.update({ recent: projects });
    // The lists of the dock and the task bar, which Linux has not.
    if (isNew) app.addRecentDocument(projects[0].file);
    this.show();
  }

  #actions(): MenuActions {
    const { places, service, log, window, send } = this.#options;
    return {
      command(command) {
        window();
        send(CHANNELS.menu, command);
      },
      openRecent(file) {
        window();
        send(CHANNELS.open, [file]);
      },
      documentation: () => void openFile(places.documentation),
      log: () => void ShellMenu.showLog(log),
      diagnostics: () => void saveDiagnostics(window(), service, log),
      licences: () => void openFile(places.licences),
      about: () => void showAbout(window(), places),
    };
  }
}

/** Open a file of ours in the program that the system has for it. */
async function openFile(path: string): Promise<void> {
  const refusal = await shell.openPath(path);
  if (refusal !== '') dialog.showErrorBox('The file could not be opened', `${path}: ${refusal}`);
}

async function showAbout(window: BrowserWindow, places: Places): Promise<void> {
  const { electron, chrome } = process.versions;
  const { response } = await dialog.showMessageBox(window, {
    type: 'info',
    message: `${app.name} ${app.getVersion()}`,
    detail: [
      'A desktop studio for long-tailed image classes.',
      `Electron ${electron}, Chromium ${chrome}; the service runs on Node 24, training on TensorFlow.`,
      'Released under the MIT licence; it holds parts under other licences.',
    ].join('\n'),
    buttons: ['Close', 'Licences of all parts'],
    noLink: true,
  });
  if (response === 1) await openFile(places.licences);
}
