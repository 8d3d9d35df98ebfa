/** Words of what lies between head and tail. */
import type { Estimate } from '../../../../core/api/figures.ts';
import type { AdjustmentCurve, AdjustmentKind, Calibration } from '../../../../core/api/variants.ts';
import type { FigureName } from '../words.ts';

export const KINDS: readonly { value: AdjustmentKind; label: string; note: string }[] = [
  {
    value: 'logit-adjustment',
    label: 'Logit adjustment',
    note: 'Takes tau times the log of each class’s share of the training images out of its logit',
  },
  {
    value: 'tau-norm',
    label: 'Tau-normalisation',
    note: 'Divides each class’s logit by the length of its weights, to the power of tau',
  },
];

export const CALIBRATIONS: readonly { value: Calibration; label: string; note: string }[] = [
  { value: 'group', label: 'By group', note: 'A temperature for the answers of each group' },
  { value: 'overall', label: 'One for all', note: 'One temperature for all answers' },
  { value: 'none', label: 'None', note: 'Probabilities as the model gives them' },
];

export function titleOf<Value extends string>(list: readonly { value: Value; label: string }[], value: Value): string {
  return list.find((entry) => entry.value === value)?.label ?? value;
}

/** "0.75", "-1", "0" */
export function tauText(tau: number): string {
  return String(Number(tau.toFixed(2)));
}

type Figures = AdjustmentCurve['points'][number]['figures'];

/** One of the figures by its name. */
export function figureOf(figures: Figures, name: FigureName): Estimate | null {
  return name === 'top1' || name === 'macroRecall' ? figures[name] : figures.groups[name];
}
