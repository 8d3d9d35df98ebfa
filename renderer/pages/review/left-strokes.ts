/** What a window left unsaved when it closed, looked for as soon as its project is open again; Review itself loads only then. */
import { abandonedStrokes } from './stroke-store.ts';

export async function sendLeftStrokes(project: string): Promise<void> {
  const left = new Map<number, number>();
  try {
    for (const { context } of await abandonedStrokes(project)) left.set(context, (left.get(context) ?? 0) + 1);
  } catch {
    // A browser without a database has kept nothing.
  }
  if (left.size === 0) return;
  const { shelfOf } = await import('./shelf.ts');
  await shelfOf(project).resume(left);
}
