/** What an edit of the view was asked for, as it is kept with the edit, and how it reads in the history. */
import { z } from 'zod';
import type { Edit } from '../storage/records.ts';

const Seed = z.int().min(0);

/** Parameters of each kind of edit. */
export const EDIT_PARAMS = {
  exclude: z.strictObject({ reason: z.string() }),
  include: z.strictObject({ reason: z.string() }),
  relabel: z.strictObject({ class: z.string() }),
  /** `into: null`: the classes stand for themselves again. */
  merge: z.strictObject({ classes: z.array(z.string()), into: z.string().nullable() }),
  split: z.strictObject({ val: z.number(), test: z.number(), seed: Seed }),
  'long-tail': z.strictObject({ ratio: z.number(), largest: z.int(), order: z.enum(['name', 'size']), seed: Seed }),
} satisfies Record<Edit['kind'], z.ZodType>;

export type EditParams<K extends Edit['kind']> = z.infer<(typeof EDIT_PARAMS)[K]>;

/** One sentence: what the edit did. */
export function editText(edit: Edit): string {
  const images = edit.changes === 1 ? '1 image' : `${edit.changes} images`;
  switch (edit.kind) {
    case 'exclude':
    case 'include': {
      const { reason } = EDIT_PARAMS[edit.kind].parse(edit.params);
      return `${edit.kind === 'exclude' ? 'Excluded' : 'Included'} ${images}${reason === '' ? '' : `: ${reason}`}.`;
    }
    case 'relabel':
      return `Moved ${images} to class ${EDIT_PARAMS.relabel.parse(edit.params).class}.`;
    case 'merge': {
      const { classes, into } = EDIT_PARAMS.merge.parse(edit.params);
      const names = classes.join(', ');
      return into === null ? `Took ${names} out of their merge.` : `Merged ${names} into ${into}.`;
    }
    case 'split': {
      const { val, test, seed } = EDIT_PARAMS.split.parse(edit.params);
      const parts = [val > 0 ? `val ${share(val)}` : '', test > 0 ? `test ${share(test)}` : ''].filter(
        (part) => part !== '',
      );
      return `Assigned ${parts.join(' and ')} by seed ${seed} (${images} assigned).`;
    }
    case 'long-tail': {
      const { ratio, largest, order, seed } = EDIT_PARAMS['long-tail'].parse(edit.params);
      return `Made long-tailed: ratio ${ratio} from ${largest} images down, classes by ${order}, seed ${seed} (${images} excluded).`;
    }
  }
}

function share(value: number): string {
  return `${Number((100 * value).toFixed(2))} %`;
}
