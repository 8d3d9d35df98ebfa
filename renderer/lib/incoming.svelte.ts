/** Folders, zip files and lists that a person dropped or opened from outside, on their way to the import page. */
import { bridge } from './bridge.ts';
import { projects } from './projects.svelte.ts';
import { router } from './router.svelte.ts';
import { toasts } from './toasts.svelte.ts';

class Incoming {
  /** Absolute paths that the import page has not taken yet. */
  paths: readonly string[] = $state.raw([]);
  /** They wait for a project: the dialog for a new one is open. */
  needsProject = $state(false);

  /** Open project files; bring everything else to the import page, by way of a new project where none is open. */
  async receive(paths: readonly string[]): Promise<void> {
    const files = paths.filter((path) => path.toLowerCase().endsWith('.contexture'));
    const sources = paths.filter((path) => !files.includes(path));
    try {
      for (const file of files) await projects.open(file);
    } catch (error) {
      toasts.error(error);
    }
    if (sources.length === 0) return;
    this.paths = sources;
    const project = projects.current?.id ?? null;
    if (project === null) this.needsProject = true;
    else await router.go({ project, page: 'import' });
  }

  /** What was dropped, as paths. In a browser, which does not tell them, a message says what to do instead. */
  async drop(files: readonly File[]): Promise<void> {
    const paths = files.map((file) => bridge?.pathOf(file) ?? '').filter((path) => path !== '');
    if (paths.length > 0) await this.receive(paths);
    else if (bridge === undefined) {
      toasts.info(
        'A browser does not tell where a dropped folder lies. Choose it with "New project" or on the import page.',
      );
    } else toasts.info('What was dropped is no file on this machine. Save it first, then drop its folder.');
  }

  /** For the import page: what came in, once. */
  take(): readonly string[] {
    const { paths } = this;
    this.paths = [];
    return paths;
  }
}

export const incoming = new Incoming();
