/** What the page may ask of the shell, and what the shell tells the page. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { shell } from 'electron/common';
import { app, type BrowserWindow } from 'electron/main';
import { z } from 'zod/mini';
import type { ExternalPage, RecentProject } from '../core/api/bridge.ts';
import { CHANNELS } from './channels.ts';
import type { Dialogs } from './dialogs.ts';
import { EXTERNAL_ADDRESSES } from './external-addresses.ts';
import type { Messages } from './messages.ts';

const Text = z.string().check(z.maxLength(1000));
const Count = z.int().check(z.minimum(0));
const Path = z.string().check(z.maxLength(32_768), z.refine(isAbsolute));
const Extension = z.string().check(z.regex(/^\w{1,16}$/));
const Page = z.enum(['method', 'nvidia-driver', 'wsl'] satisfies ExternalPage[]);
const Recent = z.array(z.object({ file: Path, name: Text })).check(z.maxLength(100));

export interface PageCallsOptions {
  readonly messages: Messages;
  readonly dialogs: Dialogs;
  readonly window: () => BrowserWindow | undefined;
  readonly setRecent: (projects: RecentProject[]) => void;
}

/** What waits for a page: the name of the channel and the value. */
type Word = readonly [channel: string, value: unknown];

export class PageCalls {
  readonly #window: () => BrowserWindow | undefined;
  /** Whether the page of the window listens. */
  #listening = false;
  #waiting: Word[] = [];
  /** Strokes of the page that are not stored. */
  unsaved = 0;

  constructor({ messages, dialogs, window, setRecent }: PageCallsOptions) {
    this.#window = window;
    messages.answer(CHANNELS.chooseFolder, z.tuple([Text]), (title) => dialogs.chooseFolder(title));
    messages.answer(CHANNELS.chooseFiles, z.tuple([Text, z.array(Extension)]), (title, extensions) =>
      dialogs.chooseFiles(title, extensions),
    );
    messages.answer(CHANNELS.chooseProject, z.tuple([]), () => dialogs.chooseProject());
    messages.answer(CHANNELS.newProjectPath, z.tuple([Text]), (name) => dialogs.newProjectPath(name));
    messages.answer(CHANNELS.reveal, z.tuple([Path]), (path) => {
      if (existsSync(path)) shell.showItemInFolder(path);
    });
    messages.answer(CHANNELS.openExternal, z.tuple([Page]), (page) => shell.openExternal(EXTERNAL_ADDRESSES[page]));
    messages.take(CHANNELS.setTitle, z.tuple([Text]), (text) => {
      window()?.setTitle(text === '' ? app.name : `${text} – ${app.name}`);
    });
    const Fraction = z.nullable(z.number().check(z.minimum(0), z.maximum(1)));
    // Electron takes -1 for none.
    messages.take(CHANNELS.setProgress, z.tuple([Fraction]), (fraction) => window()?.setProgressBar(fraction ?? -1));
    messages.take(CHANNELS.setUnsaved, z.tuple([Count]), (strokes) => {
      this.unsaved = strokes;
    });
    messages.take(CHANNELS.setRecent, z.tuple([Recent]), setRecent);
    messages.take(CHANNELS.listening, z.tuple([]), () => {
      this.#listening = true;
      for (const word of this.#waiting.splice(0)) this.send(...word);
    });
  }

  /** Tell the page; what comes before it listens waits. */
  send(channel: string, value: unknown): void {
    const window = this.#window();
    if (window && this.#listening) window.webContents.send(channel, value);
    else this.#waiting.push([channel, value]);
  }

  /** The page has gone. */
  forget(): void {
    this.#listening = false;
    this.unsaved = 0;
  }
}
