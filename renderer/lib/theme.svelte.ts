/** Light or dark: after the system, or as the settings of the app say. */
import type { AppSettings } from '../../core/api/app.ts';

export type ThemeChoice = AppSettings['theme'];

/** The last choice is kept here too, so that the first frame has the right colours. */
const STORED = 'contexture.theme';

class Theme {
  choice: ThemeChoice = $state('system');
  #systemDark = $state(false);
  /** What is shown; charts draw again when it changes. */
  readonly shown: 'light' | 'dark' = $derived.by(() => {
    if (this.choice !== 'system') return this.choice;
    return this.#systemDark ? 'dark' : 'light';
  });

  constructor() {
    const query = matchMedia('(prefers-color-scheme: dark)');
    this.#systemDark = query.matches;
    query.addEventListener('change', ({ matches }) => {
      this.#systemDark = matches;
      this.#apply();
    });
    const stored = localStorage.getItem(STORED);
    if (stored === 'light' || stored === 'dark') this.choice = stored;
    this.#apply();
  }

  set(choice: ThemeChoice): void {
    this.choice = choice;
    localStorage.setItem(STORED, choice);
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.shown;
  }
}

export const theme = new Theme();

/** The present value of a colour token, for canvases. @param name without the dashes: "series-1" */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
