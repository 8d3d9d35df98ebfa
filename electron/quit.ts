/** The end of the app, and the question before it while something is at work. */
import { app, type BrowserWindow, dialog } from 'electron/main';
import type { Task } from '../core/api/tasks.ts';
import { ask } from './requests.ts';
import type { Service } from './service-process.ts';
import type { Work } from './work.ts';

/** In the order of the buttons. */
const CHOICES = ['keep', 'pause', 'stop', 'cancel'] as const;
type Choice = (typeof CHOICES)[number];

/** How long the service may take to stop what runs, milliseconds: a step, and a checkpoint on a slow disk. */
const STOP_MS = 60_000;

export interface QuitOptions {
  readonly service: Service;
  readonly work: Work;
  readonly window: () => BrowserWindow | undefined;
  /** Strokes that the page could not store yet. */
  readonly unsaved: () => number;
  /** Close the window without a question, if there is one. */
  readonly closeWindow: () => void;
  readonly log: (line: string) => void;
}

export class Quit {
  readonly #options: QuitOptions;
  #state: 'open' | 'asking' | 'background' | 'leaving' = 'open';

  constructor(options: QuitOptions) {
    this.#options = options;
    // macOS keeps an app without windows; elsewhere the last window is the app.
    app.on('window-all-closed', () => {
      if (this.#state === 'open' && process.platform !== 'darwin') this.request();
    });
    app.on('before-quit', (event) => {
      if (this.#state === 'leaving') return;
      event.preventDefault();
      this.request();
    });
  }

  /** Whether a window may close without a question. */
  get mayClose(): boolean {
    return this.#state === 'background' || this.#state === 'leaving';
  }

  /** A person wants to quit: ask what becomes of the work, if there is any. */
  request(): void {
    if (this.#state === 'asking' || this.#state === 'leaving') return;
    const before = this.#state;
    this.#state = 'asking';
    this.#ask()
      .catch((error: unknown) => this.#options.log(`quitting: ${String(error)}`))
      .finally(() => {
        if (this.#state === 'asking') this.#state = before;
      });
  }

  /** The window is back after the app has worked without one. */
  reopened(): void {
    if (this.#state !== 'background') return;
    this.#state = 'open';
    this.#options.work.forgetIdle();
  }

  /** The system ends the session: no time for questions. The service pauses what runs. */
  async now(): Promise<void> {
    if (this.#state === 'leaving') return;
    this.#state = 'leaving';
    this.#options.work.stop();
    this.#options.closeWindow();
    await this.#options.service.stop();
    app.quit();
  }

  async #ask(): Promise<void> {
    const { service, work, window, closeWindow, log } = this.#options;
    const unsaved = this.#options.unsaved();
    if (unsaved > 0 && !(await askAboutStrokes(window(), unsaved))) return;
    // A service that cannot tell is no reason to stay: what it works on is paused with it.
    const active = (await work.active()) ?? [];
    const choice = active.length === 0 ? 'pause' : await askPerson(window(), active);
    if (active.length > 0) log(`quitting while ${active.length} tasks are active: ${choice}`);
    if (choice === 'cancel') return;
    if (choice === 'keep') {
      this.#state = 'background';
      work.whenIdle(() => void this.now());
      closeWindow();
      return;
    }
    if (choice === 'stop') {
      // What cannot be stopped is paused, as by any end of the service.
      await ask(service, 'POST /api/tasks/cancel-all', { timeoutMs: STOP_MS }).catch((error: unknown) =>
        log(`stopping: ${String(error)}`),
      );
    }
    await this.now();
  }
}

/** Whether to close a window with strokes that are not stored: they stay in its own database. */
async function askAboutStrokes(window: BrowserWindow | undefined, strokes: number): Promise<boolean> {
  const options = {
    type: 'warning' as const,
    message: strokes === 1 ? 'A stroke is not stored yet' : `${strokes} strokes are not stored yet`,
    detail:
      'The service has not taken them. They are kept beside the window and sent when Contexture is started again, unless the mask has been changed by then.',
    buttons: ['Quit', 'Cancel'],
    defaultId: 1,
    cancelId: 1,
    noLink: true,
  };
  const { response } = await (window ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options));
  return response === 0;
}

async function askPerson(window: BrowserWindow | undefined, active: readonly Task[]): Promise<Choice> {
  const running = active.filter((task) => task.state === 'running');
  const queued = active.length - running.length;
  const names = (running.length > 0 ? running : active).map((task) => task.title).join(', ');
  const options = {
    type: 'question' as const,
    message: running.length > 0 ? `Still at work: ${names}` : `Still queued: ${names}`,
    detail: [
      queued > 0 && running.length > 0 ? `${queued} more ${queued === 1 ? 'waits' : 'wait'} in the queue.` : '',
      'Without a window, the work goes on and Contexture ends when it is done; start it again to see it.',
      'What is paused goes on where it was when you resume it; what is stopped keeps its last checkpoint.',
    ]
      .filter(Boolean)
      .join('\n'),
    buttons: ['Keep running without a window', 'Pause and quit', 'Stop and quit', 'Cancel'],
    defaultId: 0,
    cancelId: CHOICES.indexOf('cancel'),
    noLink: true,
  };
  const { response } = await (window ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options));
  return CHOICES[response] ?? 'cancel';
}
