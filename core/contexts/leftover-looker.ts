/** Shows contexts of the bank to a model, in several ways each. */
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import type { MaskedPicture } from '../data/masked-picture.ts';
import type { JobPort } from '../jobs/protocol.ts';
import type { Classifier } from '../predict/classifier.ts';
import { evaluationBatch } from '../training/evaluate.ts';
import type { BankPictures, UsableEntry } from './bank-pictures.ts';

/** A context whose class the model knows. */
export interface Known extends UsableEntry {
  /** Of the class, as the model has it. */
  label: number;
}

/** A way to look at a context. @returns RGB at the model's input size */
export type Way = (picture: MaskedPicture) => Uint8Array;

/** Pictures that are read while others are looked at. */
const READ_AHEAD = 16;

/** A context waiting for its batch. */
interface Waiting {
  one: Known;
  views: Uint8Array[];
}

/** Shows contexts to a model, each in some ways, in batches. */
export class Looker {
  readonly #classifier: Classifier;
  readonly #pictures: BankPictures;
  readonly #unreadable: Map<number, string>;
  readonly #port: JobPort<Progress>;

  /** @param classifier is disposed with this. @param unreadable gets the contexts whose picture cannot be read, and why */
  constructor(
    classifier: Classifier,
    pictures: BankPictures,
    unreadable: Map<number, string>,
    port: JobPort<Progress>,
  ) {
    this.#classifier = classifier;
    this.#pictures = pictures;
    this.#unreadable = unreadable;
    this.#port = port;
  }

  /**
   * Ends early when the job is stopped.
   * @param take is given the probabilities [classes] by each way
   */
  async look(
    stage: string,
    contexts: readonly Known[],
    ways: readonly Way[],
    take: (one: Known, answers: Float32Array[]) => void,
  ): Promise<void> {
    const { classes, preprocessing } = this.#classifier.card;
    const meter = new ProgressMeter((event) => this.#port.emit(event), {
      stage,
      unit: 'contexts',
      total: contexts.length,
    });
    const most = Math.max(1, Math.floor(evaluationBatch(preprocessing.inputSize) / ways.length));
    const look = (batch: readonly Waiting[]): void => {
      const pixels = batch.flatMap(({ views }) => views);
      const probabilities = this.#classifier.probabilities(Buffer.concat(pixels), pixels.length);
      for (const [i, { one }] of batch.entries()) {
        const rowAt = (way: number): number => (i * ways.length + way) * classes.length;
        take(
          one,
          ways.map((_, way) => probabilities.slice(rowAt(way), rowAt(way) + classes.length)),
        );
      }
    };
    let batch: Waiting[] = [];
    for await (const waiting of mapOrdered(contexts, READ_AHEAD, (one) => this.#read(one, ways))) {
      if (this.#port.signal.aborted) break;
      if (waiting) batch.push(waiting);
      if (batch.length === most) {
        look(batch);
        batch = [];
      }
      meter.add();
    }
    if (batch.length > 0) look(batch);
    meter.finish();
  }

  async #read(one: Known, ways: readonly Way[]): Promise<Waiting | undefined> {
    try {
      const picture = await this.#pictures.read(one);
      return { one, views: ways.map((way) => way(picture)) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#unreadable.set(one.entry.contextId, error.message);
      return undefined;
    }
  }

  dispose(): void {
    this.#classifier.dispose();
  }
}
