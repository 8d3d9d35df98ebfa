/** Options that say how saliency becomes a mask. */
import { DEFAULT_REFINEMENT, type MaskRule } from '../contexts/mask.ts';

/** What `--refine-radius` and `--refine-epsilon` are for. */
export const REFINE_RADIUS = `how far an edge draws, as a share of the picture's shorter side (default: ${DEFAULT_REFINEMENT.radius})`;
export const REFINE_EPSILON = `variance of colours (0 to 1) up to which they count as one (default: ${DEFAULT_REFINEMENT.epsilon})`;

interface RuleOptions {
  threshold?: number | undefined;
  refine?: boolean | undefined;
  refineRadius?: number | undefined;
  refineEpsilon?: number | undefined;
}

/** What the options mean together; a radius or an epsilon alone asks for a refinement, too. */
export function ruleFrom({ threshold, refine, refineRadius, refineEpsilon }: RuleOptions): MaskRule {
  const refined = refine ?? (refineRadius !== undefined || refineEpsilon !== undefined);
  const refinement = {
    radius: refineRadius ?? DEFAULT_REFINEMENT.radius,
    epsilon: refineEpsilon ?? DEFAULT_REFINEMENT.epsilon,
  };
  return {
    ...(threshold === undefined ? { form: 'soft' } : { form: 'threshold', threshold }),
    ...(refined ? { refine: refinement } : {}),
  };
}
