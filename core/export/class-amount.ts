/** The amount of one class as an option of the command line: "owl=500", "owl=+50", "owl=x3". */
import { UserError } from '../base/errors.ts';
import { ExportAmount, type ExportRecipe } from './recipe.ts';

export type ClassAmount = NonNullable<ExportRecipe['perClass']>[number];

/** How each kind of amount is marked before its number. */
const MARKS = { fill: '', add: '+', multiply: 'x' } as const satisfies Record<ExportAmount['kind'], string>;

export function classAmountText({ class: name, amount }: ClassAmount): string {
  const value = amount.kind === 'add' ? amount.images : amount.kind === 'fill' ? amount.to : amount.by;
  return `${name}=${MARKS[amount.kind]}${value}`;
}

/** Names may hold "=" themselves: the last one counts. @throws UserError 'usage' */
export function readClassAmount(text: string): ClassAmount {
  const [, name, mark, digits] = /^(.+)=([+x]?)(\d+)$/s.exec(text) ?? [];
  const value = Number(digits);
  const asked =
    mark === '+'
      ? { kind: 'add', images: value }
      : mark === 'x'
        ? { kind: 'multiply', by: value }
        : { kind: 'fill', to: value };
  const { data: amount } = ExportAmount.safeParse(asked);
  if (name === undefined || amount === undefined) {
    throw new UserError(
      'usage',
      `“${text}” is no amount of a class: write CLASS=500 (so many in all), CLASS=+50 (so many new ones) or CLASS=x3 (times its images).`,
    );
  }
  return { class: name, amount };
}
