/** How a model looks at pictures, as the find dialog has it; pure, so that tests need no browser. */
import type { ContextModel, MaskRule } from '../../../core/api/contexts.ts';

export type Look = Pick<ContextModel, 'size' | 'secondSize' | 'mirror'>;

/** "224 and 448 pixels, mirror images too". */
export function lookWords({ size, secondSize, mirror }: Look): string {
  return `${secondSize === null ? size : `${size} and ${secondSize}`} pixels${mirror ? ', mirror images too' : ''}`;
}

/** The words of `contexture contexts` for a look. */
export function lookCommand({ size, secondSize, mirror }: Look): string[] {
  return [
    '--size',
    String(size),
    ...(secondSize === null ? [] : ['--second-size', String(secondSize)]),
    mirror ? '--mirror' : '--no-mirror',
  ];
}

/** The words of `contexture contexts` for a rule. */
export function ruleCommand(rule: MaskRule): string[] {
  const cut = rule.form === 'threshold' ? ['--threshold', String(rule.threshold)] : [];
  if (rule.refine === undefined) return [...cut, '--no-refine'];
  const { radius, epsilon, grain = 0 } = rule.refine;
  const numbers = { '--refine-radius': radius, '--refine-epsilon': epsilon, '--refine-grain': grain };
  return [...cut, '--refine', ...Object.entries(numbers).flatMap(([name, value]) => [name, String(value)])];
}
