/** What a run is judged by: the answers that it gives to whole splits, as they are stored, and the figures of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProgressMeter } from '../base/progress.ts';
import { computeFigures, type Figures } from '../evaluation/figures.ts';
import type { Split } from '../storage/records.ts';
import { answersTo, type SplitLogits } from './evaluate.ts';
import type { Evaluator } from './evaluator.ts';
import { METHODS_BY_NAME } from './methods/index.ts';
import { encodePredictions, type Answered } from './predictions-file.ts';
import type { RunSplit } from './run-split.ts';
import type { Trainer } from './trainer.ts';

export interface JudgeOptions {
  /** Training images of each class, in label order. */
  trainCounts: number[];
  trainer: Trainer;
  evaluator: Evaluator;
  splits: {
    training: RunSplit;
    judged: RunSplit;
    val: RunSplit | null;
  };
  /** What `judged` is. */
  evaluation: { split: Split; name: string };
  /** Of the steps: their rate and time left are to include the evaluations. */
  meter: ProgressMeter;
}

/** Figures, and the answers that they are of. */
export interface Judgement {
  figures: Figures;
  logits: SplitLogits;
}

export class Judge {
  readonly #with: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#with = options;
  }

  /** What figures are on, such as "test as found". */
  get on(): string {
    return this.#with.evaluation.name;
  }

  /** Judge the network as it is now. */
  async evaluate(): Promise<Judgement> {
    const { trainCounts, trainer, splits } = this.#with;
    const logits = await this.#answers(splits.judged, this.on);
    const figures = computeFigures({
      logitsUniform: logits.uniform,
      logitsBalanced: this.#hasBalancedHead ? logits.balanced : null,
      labels: splits.judged.labels,
      classes: trainCounts.length,
      trainCounts,
      thresholds: trainer.config.groups,
    });
    return { figures, logits };
  }

  /** The file of a run's answers. @param logits of the last evaluation */
  async predictionsFile(logits: SplitLogits): Promise<Buffer> {
    const { trainer, splits, evaluation } = this.#with;
    const { training, judged, val } = splits;
    const parts = encodePredictions({
      split: evaluation.split,
      ...this.#answered(judged, logits),
      val: val && this.#answered(val, await this.#answers(val, 'val')),
      trainIds: training.ids,
      trainConfidence: trainer.seenConfidence,
    });
    return Buffer.concat(parts);
  }

  get #hasBalancedHead(): boolean {
    return METHODS_BY_NAME[this.#with.trainer.config.method].heads.length > 1;
  }

  #answers(split: RunSplit, name: string): Promise<SplitLogits> {
    const { trainer, evaluator, meter } = this.#with;
    return answersTo(split, evaluator, trainer.state, trainer.config, (done) => {
      meter.add(0, `evaluating on ${name}, ${done}/${split.pictures.count} images`);
      // A cancel is heard between batches.
      return nextTurn();
    });
  }

  #answered({ ids, labels }: RunSplit, { uniform, balanced }: SplitLogits): Answered {
    return { imageIds: ids, labels, uniform, balanced: this.#hasBalancedHead ? balanced : null };
  }
}
