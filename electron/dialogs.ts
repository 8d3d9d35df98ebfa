/** The system's dialogs for files and folders. The last folder is kept here, because Electron forgets it. */
import { homedir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { app, type BrowserWindow, dialog, type OpenDialogOptions } from 'electron/main';
import { PROJECT_ENDING } from './open-paths.ts';
import type { ShellMemory } from './stored.ts';

const PROJECT_FILTER = { name: 'Contexture projects', extensions: [PROJECT_ENDING.slice(1)] };

export class Dialogs {
  readonly #window: () => BrowserWindow;
  readonly #memory: ShellMemory;

  constructor(window: () => BrowserWindow, memory: ShellMemory) {
    this.#window = window;
    this.#memory = memory;
  }

  async chooseFolder(title: string): Promise<string | null> {
    const [path = null] = await this.#open({ title, properties: ['openDirectory'] });
    return path;
  }

  /** @param extensions without a dot; all files when empty */
  chooseFiles(title: string, extensions: readonly string[]): Promise<string[]> {
    const filters = extensions.length > 0 ? [{ name: title, extensions: [...extensions] }] : [];
    return this.#open({ title, properties: ['openFile', 'multiSelections'], filters });
  }

  async chooseProject(): Promise<string | null> {
    const options: OpenDialogOptions = { title: 'Open a project', properties: ['openFile'], filters: [PROJECT_FILTER] };
    const [path = null] = await this.#open(options);
    return path;
  }

  /** @returns the path with a project's ending, null when the dialog was closed */
  async newProjectPath(suggestedName: string): Promise<string | null> {
    // What no file system takes in a name.
    const name = suggestedName.replaceAll(/[\\/:*?"<>|\p{Cc}]/gu, ' ').trim() || 'project';
    const { canceled, filePath } = await dialog.showSaveDialog(this.#window(), {
      title: 'New project',
      defaultPath: join(this.#folder(), `${name}${PROJECT_ENDING}`),
      filters: [PROJECT_FILTER],
      properties: ['createDirectory', 'showOverwriteConfirmation'],
    });
    if (canceled || !filePath) return null;
    this.#memory.update({ lastFolder: dirname(filePath) });
    return extname(filePath) === PROJECT_ENDING ? filePath : filePath + PROJECT_ENDING;
  }

  async #open(options: OpenDialogOptions): Promise<string[]> {
    const all = { ...options, defaultPath: this.#folder() };
    const { canceled, filePaths } = await dialog.showOpenDialog(this.#window(), all);
    if (canceled || filePaths.length === 0) return [];
    this.#memory.update({ lastFolder: dirname(filePaths[0]) });
    return filePaths;
  }

  #folder(): string {
    return this.#memory.value.lastFolder ?? documents();
  }
}

/** The user's folder for documents; a system without one has a home. */
function documents(): string {
  try {
    return app.getPath('documents');
  } catch {
    return homedir();
  }
}
