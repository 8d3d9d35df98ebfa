/** The command lines that do what the export page does; the page and its tasks show them. */
import { commandLine } from '../base/command-line.ts';
import { classAmountText } from '../export/class-amount.ts';
import type { ExportRecipe } from '../export/recipe.ts';

/** The command line of a recipe, as `core/cli/commands/export.ts` reads it. */
export function exportCommand(folder: string, recipe: ExportRecipe, dryRun: boolean): string {
  return commandLine(['contexture', 'export', folder, ...settingsOf(recipe), ...(dryRun ? ['--dry-run'] : [])]);
}

export function verifyCommand(folder: string, rebuild: boolean): string {
  return commandLine(['contexture', 'verify', folder, ...(rebuild ? ['--rebuild'] : [])]);
}

/** The options that differ from the defaults. */
function settingsOf(recipe: ExportRecipe): string[] {
  const { amount, perClass = [], lambda, mask, reuse, size, format, copy, seed, arm, contextClasses } = recipe;
  const words: string[] = [];
  if (amount.kind === 'add') words.push('--add', String(amount.images));
  if (amount.kind === 'fill') words.push('--fill', String(amount.to));
  if (amount.kind === 'multiply') words.push('--multiply', String(amount.by));
  // A name may begin with a dash.
  for (const row of perClass) words.push(`--class=${classAmountText(row)}`);
  if (!recipe.originals) words.push('--no-originals');
  if (copy.length > 0) words.push('--copy', ...copy);
  if (arm !== 'context') words.push('--arm', arm);
  if (contextClasses !== null) words.push('--context-class', ...contextClasses);
  if (lambda.min !== 0 || lambda.max !== 1) words.push('--lambda', `${lambda.min},${lambda.max}`);
  if (mask.kind === 'binary') words.push('--binary', String(mask.threshold));
  if (reuse !== null) words.push('--reuse', String(reuse));
  if (size !== null) words.push('--size', String(size));
  if (format.kind !== 'png') words.push('--format', format.kind, '--quality', String(format.quality));
  if (seed !== 1) words.push('--seed', String(seed));
  return words;
}
