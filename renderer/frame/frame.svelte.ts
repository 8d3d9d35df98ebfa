/** What the frame does by itself: keys that work everywhere, and what the desktop shell says and is told. */
import type { MenuCommand } from '../../core/api/bridge.ts';
import { bridge } from '../lib/bridge.ts';
import { incoming } from '../lib/incoming.svelte.ts';
import { keys, type KeyAction } from '../lib/keys.svelte.ts';
import { projects } from '../lib/projects.svelte.ts';
import { router } from '../lib/router.svelte.ts';
import { settings } from '../lib/settings.svelte.ts';
import { shown } from '../lib/shown.svelte.ts';
import { fraction, tasks } from '../lib/tasks.svelte.ts';
import { toasts } from '../lib/toasts.svelte.ts';
import { PAGES } from '../pages/pages.ts';
import { sendLeftStrokes } from '../pages/review/left-strokes.ts';

/** Parts of the frame that keys, menus and pages open. */
class Frame {
  keySheet = $state(false);
  newProject = $state(false);
  taskTray = $state(false);
  openProject = $state(false);
}

export const frame = new Frame();

/** Go to a page of the side bar, in the present project. */
export function goToPage(name: string): void {
  const page = PAGES.find((entry) => entry.name === name);
  if (page === undefined || (page.inProject && projects.current === undefined)) return;
  void router.go({ project: page.inProject ? projects.current?.id : null, page: name });
}

/** Ask for a project file and open it: the shell's dialog, or our own list of folders in a browser. */
export async function openProject(): Promise<void> {
  if (bridge === undefined) {
    frame.openProject = true;
    return;
  }
  try {
    const file = await bridge.chooseProject();
    if (file !== null) await projects.open(file);
  } catch (error) {
    toasts.error(error);
  }
}

/** Keys that work on every page. Call it while the frame is being made. */
export function useFrameKeys(): void {
  const pages = PAGES.map((page): KeyAction => ({
    id: `go.${page.name}`,
    title: `Go to ${page.title}`,
    keys: [page.key],
    run: () => goToPage(page.name),
    enabled: () => !page.inProject || projects.current !== undefined,
  }));
  keys.use({
    title: 'Everywhere',
    actions: [
      { id: 'frame.keys', title: 'Show the keys', keys: ['?', 'F1'], run: () => (frame.keySheet = true) },
      { id: 'frame.new', title: 'New project', keys: ['Mod+Shift+n'], run: () => (frame.newProject = true) },
      { id: 'frame.open', title: 'Open a project', keys: ['Mod+o'], run: () => void openProject() },
      { id: 'frame.tasks', title: 'Show the tasks', keys: ['Mod+j'], run: () => (frame.taskTray = !frame.taskTray) },
      ...pages,
    ],
  });
}

/** Title, progress and commands of the window. Call it while the frame is being made. */
export function useShell(): void {
  $effect(() => {
    const title = [shown.title, projects.current?.name].filter((part) => part !== undefined && part !== '').join(' · ');
    bridge?.setTitle(title);
    document.title = title === '' ? 'Contexture' : `${title} · Contexture`;
  });
  $effect(() => {
    const running = tasks.active.filter((task) => task.state === 'running');
    const shares = running.map((task) => fraction(task) ?? 0);
    bridge?.setProgress(shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length);
  });
  $effect(() => bridge?.onOpen((paths) => void incoming.receive(paths)));
  $effect(() => bridge?.onMenu((command) => void obey(command)));
}

/** Strokes that a closed window has left are sent when their project is open. Call it while the frame is being made. */
export function useLeftStrokes(): void {
  const project = $derived(projects.current?.id);
  $effect(() => {
    if (project !== undefined) void sendLeftStrokes(project);
  });
}

async function obey(command: MenuCommand): Promise<void> {
  switch (command) {
    case 'new-project':
      frame.newProject = true;
      break;
    case 'open-project':
      await openProject();
      break;
    case 'import-folder':
    case 'import-file':
      await chooseSource(command === 'import-folder');
      break;
    case 'close-project':
      if (projects.current !== undefined)
        await projects.close(projects.current.id).catch((error) => toasts.error(error));
      break;
    case 'theme-system':
    case 'theme-light':
    case 'theme-dark':
      await settings.change({
        theme: command === 'theme-system' ? 'system' : command === 'theme-light' ? 'light' : 'dark',
      });
      break;
    case 'pause-queue':
      for (const task of tasks.active) await tasks.pause(task);
      break;
    case 'resume-queue':
      for (const task of tasks.list) if (task.state === 'paused') await tasks.resume(task);
      break;
    case 'settings':
      goToPage('settings');
      break;
    case 'keys':
      frame.keySheet = true;
      break;
  }
}

async function chooseSource(folder: boolean): Promise<void> {
  if (bridge === undefined) return;
  const title = 'Import images';
  const chosen = folder
    ? [await bridge.chooseFolder(title)]
    : await bridge.chooseFiles(title, { extensions: ['zip', 'csv'] });
  const paths = chosen.filter((path) => path !== null);
  if (paths.length > 0) await incoming.receive(paths);
}
