/** What the fields of a recipe are called and mean; and results of tasks by their kind. Pure. */
import type { ExportTaskResult, Recipe, RecipeAmount, VerifyResult } from '../../../core/api/exports.ts';
import type { Task } from '../../../core/api/tasks.ts';

export const ARMS: readonly { value: Recipe['arm']; label: string; note: string }[] = [
  { value: 'context', label: 'Accepted contexts', note: 'Of any class: the method' },
  { value: 'same-class', label: 'Contexts of the own class', note: 'Control: no context crosses classes' },
  { value: 'random', label: 'Random rectangles', note: 'Control: parts of any training image, as large as contexts' },
  { value: 'no-paste', label: 'Plain copies', note: 'Control: nothing is laid over' },
];

export const AMOUNTS: readonly { value: RecipeAmount['kind']; label: string; note: string }[] = [
  { value: 'fill', label: 'Fill each class to', note: 'Classes that have as many get no new pictures' },
  { value: 'add', label: 'Add to each class', note: 'The same number of new pictures everywhere' },
  { value: 'multiply', label: 'For each training image', note: 'So many new pictures: keeps the proportions' },
];

export const FORMATS: readonly { value: Recipe['format']['kind']; label: string; note: string }[] = [
  { value: 'png', label: 'PNG', note: 'Exact, largest' },
  { value: 'jpeg', label: 'JPEG', note: 'Small, every trainer reads it' },
  { value: 'webp', label: 'WebP', note: 'Smallest' },
];

export const KINDS: Readonly<Record<'original' | 'copy' | 'mixed', string>> = {
  original: 'as it is',
  copy: 'plain copy',
  mixed: 'with a context',
};

/** What a check can find, in words. */
export const PROBLEMS: Readonly<Record<string, string>> = {
  manifest: 'Manifest',
  lineage: 'Lineage',
  missing: 'Missing',
  changed: 'Changed',
  extra: 'Not listed',
  count: 'Count',
  split: 'Not a training image',
  leak: 'Leak',
  rebuild: 'Comes out different',
};

export function amountText(amount: RecipeAmount): string {
  if (amount.kind === 'fill') return `filled to ${amount.to}`;
  return amount.kind === 'add' ? `${amount.images} added` : `${amount.by} for each image`;
}

/** An amount of another kind, of about the same size. @param largest training images of the largest class */
export function amountOf(kind: RecipeAmount['kind'], largest: number): RecipeAmount {
  if (kind === 'fill') return { kind, to: Math.max(1, largest) };
  return kind === 'add' ? { kind, images: 100 } : { kind, by: 1 };
}

export function amountValue(amount: RecipeAmount): number {
  return amount.kind === 'fill' ? amount.to : amount.kind === 'add' ? amount.images : amount.by;
}

export function withValue({ kind }: RecipeAmount, value: number): RecipeAmount {
  if (kind === 'fill') return { kind, to: value };
  return kind === 'add' ? { kind, images: value } : { kind, by: value };
}

/** What a check found: of a task "verify", or at the end of a task "export". */
export function reportOf({ kind, state, result }: Task): VerifyResult | null {
  if (state !== 'done' || result === null) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the kind of a task says the shape of its result
  if (kind === 'verify') return result as unknown as VerifyResult;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the kind of a task says the shape of its result
  return kind === 'export' ? (result as unknown as ExportTaskResult).report : null;
}

/** What a dry run found. */
export function dryRunOf({ kind, state, result }: Task): ExportTaskResult | null {
  if (kind !== 'export' || state !== 'done') return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the kind of a task says the shape of its result
  const outcome = result as unknown as ExportTaskResult;
  return outcome.state === 'planned' ? outcome : null;
}
