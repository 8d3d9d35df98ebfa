/** Choosing what to import: by the shell's dialogs, or among the folders of the service in a browser. */
import type { FolderEntry } from '../../../core/api/app.ts';
import { bridge } from '../../lib/bridge.ts';
import { toasts } from '../../lib/toasts.svelte.ts';

export type SourceKinds = readonly FolderEntry['kind'][];

export const FOLDERS: SourceKinds = ['folder'];
export const FILES: SourceKinds = ['zip', 'csv'];

/** A question that the list of folders answers where there is no shell. */
export class Chooser {
  open = $state(false);
  title = $state('');
  kinds: SourceKinds = $state.raw(FOLDERS);
  #answer: (paths: string[]) => void = () => {};

  /** Ask for a source. Nothing happens when the question is closed. */
  async ask(title: string, kinds: SourceKinds, answer: (paths: string[]) => void): Promise<void> {
    if (bridge === undefined) {
      this.title = title;
      this.kinds = kinds;
      this.#answer = answer;
      this.open = true;
      return;
    }
    try {
      const chosen = kinds.includes('folder')
        ? [await bridge.chooseFolder(title)]
        : await bridge.chooseFiles(title, { extensions: ['zip', 'csv', 'tsv'] });
      const paths = chosen.filter((path) => path !== null);
      if (paths.length > 0) answer(paths);
    } catch (error) {
      toasts.error(error);
    }
  }

  picked(path: string): void {
    this.#answer([path]);
  }
}
