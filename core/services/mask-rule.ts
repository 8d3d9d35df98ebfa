import { UserError } from '../base/errors.ts';
import type { MaskRule } from '../contexts/mask.ts';

/** A rule with sensible numbers. @throws UserError 'usage' */
export function checkedRule(rule: MaskRule): MaskRule {
  const { refine } = rule;
  if (refine === undefined) return rule;
  const { radius, epsilon, grain = 1 } = refine;
  if (radius > 0 && radius <= 0.5 && epsilon > 0 && grain > 0) return rule;
  throw new UserError(
    'usage',
    `A mask cannot be refined with a radius of ${radius} and an epsilon of ${epsilon}. Choose a radius over 0 and up to 0.5 of the shorter side, and an epsilon and a grain over 0.`,
  );
}
