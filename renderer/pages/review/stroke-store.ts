/**
 * Strokes that the service does not have yet, in the browser's own database, so that they outlive the page. Each page owns
 * what it keeps as long as it is open, which a lock with its name tells the others.
 */
import type { ToolStroke } from './draft-gateway.ts';

/** A stroke with where it belongs. */
export interface StoredStroke {
  readonly project: string;
  readonly context: number;
  readonly id: string;
  /** Of the mask that it was made on. */
  readonly revision: number;
  /** The page that answers for it. */
  readonly owner: string;
  readonly toolStroke: ToolStroke;
}

const DATABASE = 'contexture-strokes';
const STROKES = 'strokes';
const KEY: readonly (keyof StoredStroke)[] = ['project', 'context', 'id'];

/** This page. */
export const OWNER = crypto.randomUUID();
const lockOf = (owner: string): string => `${DATABASE} ${owner}`;
// Held until the page ends.
void navigator.locks.request(lockOf(OWNER), () => new Promise<never>(() => {}));

let opening: Promise<IDBDatabase> | undefined;

/** @throws DOMException where the browser gives no database or has no room */
export async function putStroke(stroke: StoredStroke): Promise<void> {
  await change((strokes) => void strokes.put(stroke));
}

/** @throws DOMException */
export async function deleteStroke({
  project,
  context,
  id,
}: Pick<StoredStroke, 'project' | 'context' | 'id'>): Promise<void> {
  await change((strokes) => void strokes.delete([project, context, id]));
}

/**
 * Strokes that closed pages have left, in the order in which they were made.
 * @param context of a project; those of all contexts when absent
 * @throws DOMException
 */
export async function abandonedStrokes(project: string, context?: number): Promise<StoredStroke[]> {
  const from = context === undefined ? [project] : [project, context];
  // An array sorts after every other kind of key.
  const range = IDBKeyRange.bound(from, [...from, []]);
  const database = await open();
  const found = await answer<StoredStroke[]>(database.transaction(STROKES).objectStore(STROKES).getAll(range));
  if (found.length === 0) return [];
  const { held = [] } = await navigator.locks.query();
  const alive = new Set(held.map(({ name }) => name));
  return found.filter(({ owner }) => !alive.has(lockOf(owner))).sort((a, b) => a.revision - b.revision);
}

async function change(work: (strokes: IDBObjectStore) => void): Promise<void> {
  const transaction = (await open()).transaction(STROKES, 'readwrite');
  work(transaction.objectStore(STROKES));
  await new Promise<void>((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('the browser kept no stroke')));
  });
}

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener('upgradeneeded', () => {
      request.result.createObjectStore(STROKES, { keyPath: [...KEY] });
    });
    answer(request).then(resolve, reject);
  });
  return opening;
}

function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('the browser keeps no strokes')));
  });
}
