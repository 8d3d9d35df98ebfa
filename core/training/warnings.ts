/** Signs of trouble that a run should not keep to itself, each by name and given once a run. */
import type { TrainConfig } from './config.ts';

export type WarningName =
  | 'starving-bank'
  | 'dominant-class'
  | 'masks-all-on'
  | 'masks-all-off'
  | 'curated-used-up'
  | 'context-may-matter'
  | 'one-answer'
  | 'small-set'
  | 'frozen-backbone'
  | 'unedited-bank'
  | 'not-exact'
  | 'not-traced';

/** Said of how a run was made; nothing went wrong. */
const NOTES: readonly string[] = [
  'small-set',
  'frozen-backbone',
  'unedited-bank',
  'context-may-matter',
  'not-traced',
] satisfies WarningName[];

/** Whether what a run says under this name is a note, not a warning. */
export function isNote({ name }: { name: string }): boolean {
  return NOTES.includes(name);
}

export interface TrainWarning {
  name: WarningName;
  message: string;
}

/** Said of the runs that a study trains on the bank without a person's edits; it stays when the study is forgotten. */
export const UNEDITED_BANK: TrainWarning = {
  name: 'unedited-bank',
  message: 'Trained on the bank without your edits of masks, to tell whether they help.',
};

/** What an epoch of CSA tells about its bank. */
export interface BankFigures {
  count: number;
  capacity: number;
  /** Contexts of each class. */
  classes: number[];
  /** Mean of the masks in the bank, 0 to 1; null when it is empty. */
  meanArea: number | null;
}

/** Said before each CSA run: no figure can show it beforehand. */
export const CONTEXT_MAY_MATTER: TrainWarning = {
  name: 'context-may-matter',
  message:
    'Where the context belongs to the label (medical images, defects), context-shift augmentation may hurt: compare with the control.',
};

/** A class that holds more of the bank than this is dominant. */
const DOMINANT_SHARE = 0.8;

/**
 * Look at an epoch's end.
 * @param mixedSteps steps whose balanced batch had contexts laid on, of `steps`
 * @param classNames for the sentence
 */
export function bankWarnings(
  config: TrainConfig,
  epoch: number,
  { steps, mixedSteps, bank }: { steps: number; mixedSteps: number; bank: BankFigures },
  classNames: readonly string[],
): TrainWarning[] {
  if (config.method !== 'csa' || epoch < config.startBalanced) return [];
  const warnings: TrainWarning[] = [];
  if (mixedSteps < steps / 2) {
    warnings.push({
      name: 'starving-bank',
      message: `In epoch ${epoch + 1} only ${mixedSteps} of ${steps} steps had enough contexts. Lower delta (${config.delta}), keep the bank, or train longer first.`,
    });
  }
  const most = Math.max(...bank.classes);
  if (bank.count > 0 && most / bank.count > DOMINANT_SHARE) {
    const name = classNames[bank.classes.indexOf(most)];
    const share = Math.round((100 * most) / bank.count);
    warnings.push({
      name: 'dominant-class',
      message: `${share} % of the contexts in the bank come from ${name}. A larger bank that is kept would mix more classes.`,
    });
  }
  if (bank.meanArea !== null && bank.meanArea > 0.98) {
    warnings.push({
      name: 'masks-all-on',
      message:
        'The masks call nearly everything context, so whole pictures are laid over the small classes. Look at the masks.',
    });
  }
  if (bank.meanArea !== null && bank.meanArea < 0.02) {
    warnings.push({
      name: 'masks-all-off',
      message: 'The masks call nearly nothing context, so nothing is laid over the small classes. Look at the masks.',
    });
  }
  return warnings;
}

/** Said at the end of an epoch in which the curated bank could not give its share any more. */
export function usedUpWarning({ curatedUses, curatedUsesPer }: TrainConfig, epoch: number): TrainWarning {
  const times = curatedUses === 1 ? 'once' : `${curatedUses} times`;
  return {
    name: 'curated-used-up',
    message: `In epoch ${epoch + 1} the curated bank was used up, each context drawn ${times} ${curatedUsesPer === 'run' ? 'in the run' : 'in the epoch'}: contexts that the run finds itself take their place. Raise curatedUses, or accept more contexts.`,
  };
}

/** Said when the engine runs a network operation by operation. @param reason what cannot be traced, and why */
export function notTracedWarning(reason: string): TrainWarning {
  return {
    name: 'not-traced',
    message: `This network runs operation by operation, with the same digits but more slowly, because it could not be traced (${reason}).`,
  };
}

/** Said when a model names one class for nearly every test image. */
export function oneAnswerWarning(
  mostNamed: { label: number; share: number } | null,
  classNames: readonly string[],
): TrainWarning[] {
  if (mostNamed === null || classNames.length < 2 || mostNamed.share < 0.95) return [];
  return [
    {
      name: 'one-answer',
      message: `The model names ${classNames[mostNamed.label]} for ${Math.round(100 * mostNamed.share)} % of the images. Lower the learning rate or train longer.`,
    },
  ];
}
