/** What would be late or lost if the window closed now. It asks before it does; the shell asks by itself. */
import { untrack } from 'svelte';
import { bridge } from './bridge.ts';

const counts = new Map<object, number>();
let told = 0;
/** Counts the calls below: whoever shows what is not stored depends on it. */
let changes = $state(0);

/** @param count what an owner has that is not stored */
export function setUnsaved(owner: object, count: number): void {
  if (count > 0) counts.set(owner, count);
  else counts.delete(owner);
  const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
  if (total !== told) bridge?.setUnsaved(total);
  told = total;
  // Whoever calls this may be in an effect, which must not run again for it.
  untrack(() => changes++);
}

/** Read it where something depends on what is stored and what is not. */
export function unsavedChanges(): number {
  return changes;
}

addEventListener('beforeunload', (event) => {
  if (counts.size > 0) event.preventDefault();
});
