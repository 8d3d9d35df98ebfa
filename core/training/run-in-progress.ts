/** The bookkeeping of a run at work: its checkpoint, its warnings, the time it took. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeLeftovers } from '../base/durable-file.ts';
import { UserError } from '../base/errors.ts';
import { engineDifferences, type EngineFingerprint } from '../engine/fingerprint.ts';
import type { JobPort } from '../jobs/protocol.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import type { EpochFigures } from './epoch-figures.ts';
import type { TrainEvent, TrainResult, TrainSpec } from './train-job.ts';
import type { Trainer } from './trainer.ts';
import type { TrainWarning } from './warnings.ts';

/** Name of the checkpoint in a run's folder. */
export const CHECKPOINT_NAME = 'checkpoint.safetensors';

type Checkpoint = ReturnType<typeof readCheckpoint>;

/** What to go on from; undefined for a run that was stopped before its first checkpoint, which begins anew. */
export function checkpointOf({ runFolder, resume, bankHash }: TrainSpec, hash: string): Checkpoint | undefined {
  // What a killed attempt was writing.
  removeLeftovers(runFolder);
  const path = join(runFolder, CHECKPOINT_NAME);
  if (!resume || !existsSync(path)) return undefined;
  const checkpoint = readCheckpoint(path);
  if (checkpoint.info.datasetHash !== hash || checkpoint.info.bankHash !== bankHash) {
    throw new UserError('damaged', `The checkpoint ${path} belongs to another data set or bank. Start the run anew.`);
  }
  return checkpoint;
}

/** The bookkeeping around a trainer: checkpoints, warnings given once, seconds over all attempts. */
export class RunInProgress {
  readonly #spec: TrainSpec;
  readonly #port: JobPort<TrainEvent>;
  readonly #trainer: Trainer;
  readonly #engine: EngineFingerprint;
  readonly #datasetHash: string;
  readonly #path: string;
  readonly #warned = new Set<string>();
  #secondsBefore = 0;
  readonly #began: number;
  #lastCheckpoint = performance.now();

  /** @param began when this attempt did, by `performance.now()` */
  constructor(
    spec: TrainSpec,
    port: JobPort<TrainEvent>,
    trainer: Trainer,
    engine: EngineFingerprint,
    hash: string,
    began: number,
  ) {
    this.#began = began;
    this.#spec = spec;
    this.#port = port;
    this.#trainer = trainer;
    this.#engine = engine;
    this.#datasetHash = hash;
    this.#path = join(spec.runFolder, CHECKPOINT_NAME);
  }

  get seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#began) / 1000;
  }

  warn(warning: TrainWarning): void {
    if (this.#warned.has(warning.name)) return;
    this.#warned.add(warning.name);
    this.#port.emit({ type: 'warning', epoch: this.#trainer.epoch, ...warning });
  }

  goOnFrom({ state, info }: Checkpoint): void {
    this.#trainer.restore(state);
    this.#secondsBefore = info.seconds;
    for (const name of info.warned) this.#warned.add(name);
    const differences = engineDifferences(info.engine, this.#engine);
    if (differences.length > 0) {
      this.warn({ name: 'not-exact', message: `The run goes on, but not digit for digit: ${differences.join('; ')}.` });
    }
  }

  checkpointIfDue(): void {
    if (performance.now() - this.#lastCheckpoint >= this.#spec.checkpointSeconds * 1000) this.checkpoint();
  }

  /** Replace the checkpoint; a spoilt state never does. */
  checkpoint(): void {
    const { config, bankHash } = this.#spec;
    if (!this.#trainer.sound) throw diverged(config, this.#trainer);
    writeCheckpoint(this.#path, this.#trainer.save(), {
      config,
      datasetHash: this.#datasetHash,
      bankHash,
      engine: this.#engine,
      seconds: this.seconds,
      warned: [...this.#warned],
    });
    this.#lastCheckpoint = performance.now();
    this.#port.emit({ type: 'checkpoint', epoch: this.#trainer.epoch, step: this.#trainer.step });
  }

  /** Keep everything and say so. */
  stop(figures: EpochFigures | null): TrainResult {
    this.checkpoint();
    this.#trainer.dispose();
    return { state: 'stopped', seconds: this.seconds, figures, modelBlob: null, predictionsBlob: null };
  }
}

/** Why a run cannot go on. */
export function diverged(config: TrainConfig, trainer: Trainer): UserError {
  return new UserError(
    'diverged',
    `Training diverged: the loss became infinite or not a number in epoch ${trainer.epoch + 1}, step ${trainer.step}. Lower learningRate (${config.learningRate}); the last good checkpoint is kept.`,
  );
}
