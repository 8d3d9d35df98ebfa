/** The menu, with the habits of each system. What it holds is data; what happens is told to `MenuActions`. */
import type { MenuItemConstructorOptions } from 'electron/main';
import type { MenuCommand, RecentProject } from '../core/api/bridge.ts';

export interface MenuActions {
  /** The page does it. */
  command(command: MenuCommand): void;
  openRecent(file: string): void;
  documentation(): void;
  log(): void;
  diagnostics(): void;
  licences(): void;
  about(): void;
}

export interface MenuOptions {
  readonly platform: NodeJS.Platform;
  readonly name: string;
  readonly recent: readonly RecentProject[];
  /** Adds what only a developer needs. */
  readonly development: boolean;
}

const SEPARATOR: MenuItemConstructorOptions = { type: 'separator' };

/** So many recent projects are listed. */
const RECENT_SHOWN = 10;

export function menuTemplate(options: MenuOptions, actions: MenuActions): MenuItemConstructorOptions[] {
  const mac = options.platform === 'darwin';
  const item = (label: string, command: MenuCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    id: command,
    click: () => actions.command(command),
    ...(accelerator === undefined ? {} : { accelerator }),
  });
  const settings = item('&Settings…', 'settings', 'CmdOrCtrl+,');
  const about: MenuItemConstructorOptions = { label: `&About ${options.name}`, click: () => actions.about() };
  const menus: MenuItemConstructorOptions[] = [
    {
      label: '&File',
      submenu: [
        item('&New Project…', 'new-project', 'CmdOrCtrl+N'),
        item('&Open Project…', 'open-project', 'CmdOrCtrl+O'),
        { label: 'Open &Recent', id: 'recent', submenu: recentItems(options.recent, actions) },
        SEPARATOR,
        item('&Import Folder…', 'import-folder', 'CmdOrCtrl+I'),
        item('Import &Zip File or List…', 'import-file', 'CmdOrCtrl+Shift+I'),
        SEPARATOR,
        item('&Close Project', 'close-project', 'CmdOrCtrl+Shift+W'),
        ...(mac ? [{ role: 'close' as const }] : [SEPARATOR, settings, SEPARATOR, { role: 'quit' as const }]),
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        SEPARATOR,
        {
          label: '&Theme',
          submenu: [
            item('Like the &System', 'theme-system'),
            item('&Light', 'theme-light'),
            item('&Dark', 'theme-dark'),
          ],
        },
        SEPARATOR,
        { role: 'togglefullscreen' },
        ...(options.development ? [SEPARATOR, { role: 'reload' as const }, { role: 'toggleDevTools' as const }] : []),
      ],
    },
    {
      label: '&Run',
      submenu: [item('&Pause the Queue', 'pause-queue'), item('&Resume the Queue', 'resume-queue')],
    },
    ...(mac ? [{ role: 'windowMenu' as const }] : []),
    {
      role: 'help',
      submenu: [
        item('&Keyboard Shortcuts', 'keys', mac ? 'Cmd+/' : 'F1'),
        { label: '&Documentation', click: () => actions.documentation() },
        SEPARATOR,
        { label: 'Show the &Log', click: () => actions.log() },
        { label: '&Save Diagnostics…', id: 'diagnostics', click: () => actions.diagnostics() },
        SEPARATOR,
        { label: '&Licences', click: () => actions.licences() },
        ...(mac ? [] : [about]),
      ],
    },
  ];
  return mac ? [macMenu(options.name, about, settings), ...menus] : menus;
}

function macMenu(
  name: string,
  about: MenuItemConstructorOptions,
  settings: MenuItemConstructorOptions,
): MenuItemConstructorOptions {
  const rest = ['services', 'separator', 'hide', 'hideOthers', 'unhide', 'separator', 'quit'] as const;
  return {
    label: name,
    submenu: [
      about,
      SEPARATOR,
      settings,
      SEPARATOR,
      ...rest.map((role) => (role === 'separator' ? SEPARATOR : { role })),
    ],
  };
}

function recentItems(recent: readonly RecentProject[], actions: MenuActions): MenuItemConstructorOptions[] {
  if (recent.length === 0) return [{ label: 'None yet', enabled: false }];
  return recent.slice(0, RECENT_SHOWN).map(({ name, file }) => ({
    // An ampersand would mark the key of the entry.
    label: `${name} – ${file}`.replaceAll('&', '&&'),
    click: () => actions.openRecent(file),
  }));
}
