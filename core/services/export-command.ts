/** The command lines that do what the export page does; the page and its tasks show them. */
import { commandLine } from '../base/command-line.ts';
import type { ExportRecipe } from '../export/recipe.ts';

/** The command line of a recipe, as `core/cli/commands/export.ts` reads it; amounts by class need the recipe as a file. */
export function exportCommand(folder: string, recipe: ExportRecipe, dryRun: boolean): string {
  if (recipe.perClass?.length)
    return `contexture export ${quote(folder)} --recipe recipe.json${dryRun ? ' --dry-run' : ''}`;
  const { amount, lambda, mask, reuse, size, format, copy, seed } = recipe;
  const amounts = {
    add: amount.kind === 'add' ? `--add ${amount.images}` : '',
    fill: amount.kind === 'fill' ? `--fill ${amount.to}` : '',
    multiply: amount.kind === 'multiply' ? `--multiply ${amount.by}` : '',
  };
  const parts = [
    `contexture export ${quote(folder)}`,
    amounts[amount.kind],
    recipe.originals ? '' : '--no-originals',
    copy.length > 0 ? `--copy ${copy.join(' ')}` : '',
    recipe.arm === 'context' ? '' : `--arm ${recipe.arm}`,
    recipe.contextClasses === null ? '' : `--context-class ${recipe.contextClasses.map(quote).join(' ')}`,
    lambda.min === 0 && lambda.max === 1 ? '' : `--lambda ${lambda.min},${lambda.max}`,
    mask.kind === 'binary' ? `--binary ${mask.threshold}` : '',
    reuse === null ? '' : `--reuse ${reuse}`,
    size === null ? '' : `--size ${size}`,
    format.kind === 'png' ? '' : `--format ${format.kind} --quality ${format.quality}`,
    seed === 1 ? '' : `--seed ${seed}`,
    dryRun ? '--dry-run' : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

export function verifyCommand(folder: string, rebuild: boolean): string {
  return `contexture verify ${quote(folder)}${rebuild ? ' --rebuild' : ''}`;
}

function quote(word: string): string {
  return commandLine([word]);
}
