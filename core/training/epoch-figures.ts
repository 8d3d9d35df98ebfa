/** What each epoch of a run tells. */
import type { Figures } from '../evaluation/figures.ts';
import type { CuratedFigures } from './context-supply.ts';
import type { Trainer } from './trainer.ts';
import type { BankFigures } from './warnings.ts';

/** What an epoch tells; everything but `timing` repeats digit for digit. */
export interface EpochFigures {
  learningRate: number;
  steps: number;
  mixedSteps: number;
  /** Mean loss of each branch; null when it was not trained. */
  uniformLoss: number;
  balancedLoss: number | null;
  /** Share of the uniform stream's samples with p >= delta; null for methods that do not look. */
  confidentShare: number | null;
  bank: BankFigures | null;
  /** Absent where contexts of the curated bank may be drawn any number of times. */
  curated?: CuratedFigures;
  /** Null in epochs without evaluation. */
  evaluation: Figures | null;
  /** What `evaluation` is on, such as "test as found"; null without one. */
  split: string | null;
  timing: {
    /** Of the epoch's steps. */
    seconds: number;
    /** Of the evaluation after them; 0 without one. Runs made before this was told have none. */
    evaluationSeconds?: number;
    imagesPerSecond: number;
    /** Share of the time for which steps waited for pictures, 0 to 1. */
    inputShare: number;
    /** Most memory that the job's process has held so far, bytes. */
    peakMemory: number;
  };
}

/** Of the epoch that has just made its steps. @param split what `evaluation` is on */
export function epochFigures(
  trainer: Trainer,
  evaluation: Figures | null,
  split: string,
  timing: EpochFigures['timing'],
): EpochFigures {
  const { sums, config, contexts, network } = trainer;
  const looks = config.method === 'csa';
  return {
    learningRate: trainer.rate,
    steps: sums.steps,
    mixedSteps: sums.mixedSteps,
    uniformLoss: sums.uniformLoss / sums.steps,
    balancedLoss: sums.balancedSteps > 0 ? sums.balancedLoss / sums.balancedSteps : null,
    confidentShare: looks ? sums.confident / (sums.steps * config.batchSize) : null,
    bank: looks
      ? {
          count: contexts.bank.count,
          capacity: contexts.bank.capacity,
          classes: contexts.bank.classCounts(network.classes),
          meanArea: contexts.bank.meanArea(),
        }
      : null,
    ...(contexts.curated ? { curated: contexts.curated } : {}),
    evaluation,
    split: evaluation ? split : null,
    timing,
  };
}
