/** What the page that is shown says to the frame: its title, and the command line that does the same. */

export interface Shown {
  title: string;
  command?: string;
}

class ShownPage {
  #read: (() => Shown) | undefined = $state.raw();
  readonly title: string = $derived(this.#read?.().title ?? '');
  readonly command: string | undefined = $derived(this.#read?.().command);

  /** Say it as long as the component is shown. Call it while the component is being made. */
  use(read: () => Shown): void {
    $effect(() => {
      this.#read = read;
      return () => {
        if (this.#read === read) this.#read = undefined;
      };
    });
  }
}

export const shown = new ShownPage();
