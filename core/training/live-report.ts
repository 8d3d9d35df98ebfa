/** What a run tells between its epochs: losses a few times a second, and now and then a look at its pictures. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeQuietly, TEMPORARY_SUFFIX } from '../base/durable-file.ts';
import { makePreview, MOST_TILES } from './preview.ts';
import type { Trainer } from './trainer.ts';

/** Losses of one step, at most five a second. */
export interface StepEvent {
  type: 'step';
  /** 0-based. */
  epoch: number;
  /** Steps from the start of the run, this one included. */
  step: number;
  uniformLoss: number;
  /** Null where the balanced branch was not trained. */
  balancedLoss: number | null;
  learningRate: number;
  /** Of each stream, over the steps since the last event; null at first. */
  imagesPerSecond: number | null;
}

/** A new preview lies in the run's folder, under `PREVIEW_NAME`. */
export interface PreviewEvent {
  type: 'preview';
  epoch: number;
  step: number;
}

/** Name of the preview in a run's folder. */
export const PREVIEW_NAME = 'preview.json';

/** Shortest time between two step events, and between two previews, milliseconds. */
const STEP_INTERVAL = 200;
const PREVIEW_INTERVAL = 3000;

/** Nothing here draws a number or asks the engine for one: a run's digits are the same without it. */
export class LiveReport {
  readonly #trainer: Trainer;
  readonly #runFolder: string;
  readonly #emit: (event: StepEvent | PreviewEvent) => void;
  #toldAt = -Infinity;
  #previewAt = -Infinity;
  /** Of the steps since the last event. */
  #seconds = 0;
  #images = 0;
  /** The first steps are slow: memory and kernels are made ready, the step is traced. */
  #warm = false;

  constructor(trainer: Trainer, runFolder: string, emit: (event: StepEvent | PreviewEvent) => void) {
    this.#trainer = trainer;
    this.#runFolder = runFolder;
    this.#emit = emit;
  }

  /**
   * Call after each step.
   * @param seconds that it took
   */
  async afterStep(seconds: number): Promise<void> {
    const { epoch, step, stepsPerEpoch, rate, config } = this.#trainer;
    this.#seconds += seconds;
    this.#images += config.batchSize;
    const now = performance.now();
    const done = epoch * stepsPerEpoch + step;
    if (now - this.#toldAt >= STEP_INTERVAL) {
      const imagesPerSecond = this.#warm ? this.#images / this.#seconds : null;
      const { uniform: uniformLoss, balanced: balancedLoss } = this.#trainer.losses;
      this.#emit({ type: 'step', epoch, step: done, uniformLoss, balancedLoss, learningRate: rate, imagesPerSecond });
      this.#toldAt = now;
      this.#seconds = 0;
      this.#images = 0;
      this.#warm = true;
    }
    if (now - this.#previewAt >= PREVIEW_INTERVAL && this.#trainer.shown !== null) {
      this.#previewAt = now;
      if (await this.#writePreview(epoch, done)) this.#emit({ type: 'preview', epoch, step: done });
    }
  }

  /** @returns whether it was written: a run does not end for want of a picture, and the checkpoint tells of a full disk */
  async #writePreview(epoch: number, step: number): Promise<boolean> {
    const path = join(this.#runFolder, PREVIEW_NAME);
    const part = `${path}${TEMPORARY_SUFFIX}`;
    try {
      const shown = await this.#trainer.picturesShown(MOST_TILES);
      if (shown === null) return false;
      const preview = await makePreview(shown, this.#trainer.config.inputSize, { epoch, step });
      await mkdir(this.#runFolder, { recursive: true });
      await writeFile(part, JSON.stringify(preview));
      await rename(part, path);
      return true;
    } catch {
      removeQuietly(part);
      return false;
    }
  }
}
