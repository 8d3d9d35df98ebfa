/**
 * What the desktop shell adds to the page, as `window.contexture`: only what a browser cannot do. In a browser it is not
 * there, and the page asks the service for folders instead (`GET /api/folders`).
 */

/** What a person chose in the shell's menu. Everything else in the menu the shell does itself. */
export type MenuCommand =
  | 'new-project'
  | 'open-project'
  | 'import-folder'
  | 'import-file'
  | 'close-project'
  | 'theme-system'
  | 'theme-light'
  | 'theme-dark'
  | 'pause-queue'
  | 'resume-queue'
  | 'settings'
  | 'keys';

/** Web pages that may be opened in the system's browser; their addresses are constants of the shell. */
export type ExternalPage = 'method' | 'nvidia-driver' | 'wsl';

/** A project in the menu of recent projects. */
export interface RecentProject {
  /** Absolute path of the project file. */
  readonly file: string;
  readonly name: string;
}

export interface Bridge {
  /** As in Node's `process.platform`. */
  readonly platform: string;

  /** Where a dropped or chosen file or folder lies; '' for what is not a file on this machine, such as a pasted picture. */
  pathOf(file: File): string;

  /** Ask for a folder. @returns its absolute path, null when the dialog was closed */
  chooseFolder(title: string): Promise<string | null>;
  /** Ask for files. @param options.extensions without a dot; all files when empty. @returns absolute paths, maybe none */
  chooseFiles(title: string, options: { extensions: readonly string[] }): Promise<string[]>;
  /** Ask for a project file that exists. @returns its absolute path, null when the dialog was closed */
  chooseProject(): Promise<string | null>;
  /** Ask where a new project goes. @returns the absolute path of its file, null when the dialog was closed */
  newProjectPath(suggestedName: string): Promise<string | null>;

  /** Show a file or folder in the system's file manager. */
  reveal(path: string): Promise<void>;
  openExternal(page: ExternalPage): Promise<void>;

  /** Name of what is shown, for the title of the window; the shell adds its own name. */
  setTitle(text: string): void;
  /** Progress on the task bar or dock, 0 to 1; null for none. */
  setProgress(fraction: number | null): void;
  /** Strokes that are not stored; the shell asks before its window closes. */
  setUnsaved(strokes: number): void;
  /** Projects for the menu, latest first. */
  setRecent(projects: readonly RecentProject[]): void;

  /** Be told of the menu. @returns stops it */
  onMenu(listener: (command: MenuCommand) => void): () => void;
  /**
   * Be told which project files, folders, zip files or lists a person opened from outside: dropped on the icon, chosen as
   * recent, named when the app was started. What came before the page listened is told at once. @returns stops it
   */
  onOpen(listener: (paths: string[]) => void): () => void;
}

declare global {
  interface Window {
    /** There inside the desktop shell only. */
    readonly contexture?: Bridge;
  }
}
