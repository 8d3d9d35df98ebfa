/** The registry of keys. A component says which it answers; they work, and stand in the key sheet, while it is shown. */
import { untrack } from 'svelte';
import { isMac } from './bridge.ts';
import { keyName, shownKey } from './key-names.ts';

/** Something that a key does. */
export interface KeyAction {
  /** Name in the settings, where a person may give it another key: "contexts.accept". */
  id: string;
  /** What it does, as in "Accept". */
  title: string;
  /** See key-names.ts. The first is shown; a key of a person's own takes the place of all. */
  keys: readonly string[];
  run: (event: KeyboardEvent) => void;
  /** Where it does nothing at the moment, the key goes on to others. */
  enabled?: () => boolean;
  /** Also while a field is being typed in. Keys with Mod always are. */
  inFields?: boolean;
  /** Also while a dialog is open. */
  inDialogs?: boolean;
}

export interface KeyScope {
  /** Heading in the key sheet, such as "Explore". */
  title: string;
  actions: readonly KeyAction[];
}

class Keys {
  /** The newest last: it is asked first. */
  scopes: readonly KeyScope[] = $state.raw([]);
  /** The newest scope of each title that was ever shown: what the settings let a person change. */
  known: ReadonlyMap<string, KeyScope> = $state.raw(new Map());
  /** Keys of a person's own, by the id of the action. */
  own: Readonly<Record<string, string>> = $state.raw({});

  /** Listen. Called once. */
  start(): void {
    document.addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** Answer keys as long as the component is shown. Call it while the component is being made. */
  use(scope: KeyScope): void {
    $effect(() => {
      untrack(() => {
        this.scopes = [...this.scopes, scope];
        this.known = new Map([...this.known, [scope.title, scope]]);
      });
      return () => untrack(() => (this.scopes = this.scopes.filter((other) => other !== scope)));
    });
  }

  /** The keys of an action. */
  of(action: KeyAction): readonly string[] {
    const own = this.own[action.id];
    return own === undefined ? action.keys : [own];
  }

  #pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || event.key === 'Dead') return;
    const name = keyName(event, isMac);
    const field = isField(event.target);
    const dialog = document.querySelector('[aria-modal="true"]') !== null;
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      for (const action of this.scopes[i].actions) {
        if (!this.of(action).includes(name)) continue;
        if (field && action.inFields !== true && !name.includes('Mod+')) continue;
        if (dialog && action.inDialogs !== true) continue;
        if (action.enabled?.() === false) continue;
        event.preventDefault();
        action.run(event);
        return;
      }
    }
  }
}

export const keys = new Keys();

/** ["Ctrl", "K"] */
export function keyParts(name: string): string[] {
  return shownKey(name, isMac);
}

/** Whether keys pressed there are text. */
function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'range'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}
