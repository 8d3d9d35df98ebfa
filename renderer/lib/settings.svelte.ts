/** What the service says of itself, and the settings of the app. Theme and keys take effect as they arrive. */
import type { About, AppSettings } from '../../core/api/app.ts';
import { call } from './api.ts';
import { events } from './events.svelte.ts';
import { keys } from './keys.svelte.ts';
import { theme } from './theme.svelte.ts';
import { toasts } from './toasts.svelte.ts';

class Settings {
  about: About | undefined = $state.raw();
  app: AppSettings | undefined = $state.raw();

  /** Follow the service. Called once. */
  start(): void {
    events.listen((batch) => {
      if (batch.reset || batch.settings) void this.#load();
    });
    void this.#load();
  }

  /** Change settings: shown at once, taken back when the service refuses. */
  async change(values: Partial<AppSettings>): Promise<void> {
    const before = this.app;
    if (before !== undefined) this.#take({ ...before, ...values });
    else if (values.theme !== undefined) theme.set(values.theme);
    try {
      this.#take(await call('PATCH /api/settings', { body: values }));
    } catch (error) {
      if (before !== undefined) this.#take(before);
      toasts.error(error);
    }
  }

  async #load(): Promise<void> {
    try {
      const [about, app] = await Promise.all([call('GET /api/about'), call('GET /api/settings')]);
      this.about = about;
      this.#take(app);
    } catch {
      // The bar about the service says why; the next reset asks again.
    }
  }

  #take(app: AppSettings): void {
    this.app = app;
    keys.own = app.keys;
    if (app.theme !== theme.choice) theme.set(app.theme);
  }
}

export const settings = new Settings();
