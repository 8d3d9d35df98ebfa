/** Options that say how saliency becomes a mask. */
import { DEFAULT_REFINEMENT, type MaskRule } from '../contexts/mask.ts';

/** What the options of a refinement are for. */
export const REFINE_RADIUS = `how far an edge draws, as a share of the picture's shorter side (default: ${DEFAULT_REFINEMENT.radius})`;
export const REFINE_EPSILON = `variance of colours (0 to 1) up to which they count as one (default: ${DEFAULT_REFINEMENT.epsilon})`;
export const REFINE_GRAIN = `variance of colours (0 to 1) up to which texture leaves no specks; 0: it leaves them all (default: ${DEFAULT_REFINEMENT.grain})`;

interface RuleOptions {
  threshold?: number | undefined;
  refine?: boolean | undefined;
  refineRadius?: number | undefined;
  refineEpsilon?: number | undefined;
  refineGrain?: number | undefined;
}

/** What the options mean together; one number of a refinement alone asks for it, too. */
export function ruleFrom({ threshold, refine, refineRadius, refineEpsilon, refineGrain }: RuleOptions): MaskRule {
  const numbers = [refineRadius, refineEpsilon, refineGrain];
  const refined = refine ?? numbers.some((value) => value !== undefined);
  const grain = refineGrain ?? DEFAULT_REFINEMENT.grain;
  const refinement = {
    radius: refineRadius ?? DEFAULT_REFINEMENT.radius,
    epsilon: refineEpsilon ?? DEFAULT_REFINEMENT.epsilon,
    ...(grain > 0 ? { grain } : {}),
  };
  return {
    ...(threshold === undefined ? { form: 'soft' } : { form: 'threshold', threshold }),
    ...(refined ? { refine: refinement } : {}),
  };
}
