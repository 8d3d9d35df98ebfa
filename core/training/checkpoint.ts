/**
 * The file that a run resumes from: one safetensors file, replaced whole (written under another name, synced, renamed), so
 * that there is always exactly one good one. A digest over its tensors guards against damage.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeDurably, type DurableFs } from '../base/durable-file.ts';
import { fileError, UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../base/safetensors.ts';
import type { EngineFingerprint } from '../engine/fingerprint.ts';
import { STATE_NAMES } from '../models/network.ts';
import type { TrainConfig } from './config.ts';
import type { TrainerProgress, TrainerState } from './trainer.ts';

/** What a checkpoint knows besides the trainer's state. */
export interface CheckpointInfo {
  config: TrainConfig;
  datasetHash: string;
  bankHash: string | null;
  engine: EngineFingerprint;
  /** Seconds of work so far, over all attempts. */
  seconds: number;
  /** Names of the warnings given so far: each is given once a run. */
  warned: string[];
}

interface CheckpointText extends CheckpointInfo {
  format: 'contexture checkpoint 1';
  progress: TrainerProgress;
}

function digest(tensors: Readonly<Record<string, StoredTensor>>, text: string): string {
  const hash = createHash('sha256').update(text);
  for (const name of Object.keys(tensors).toSorted()) {
    const { data } = tensors[name];
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/**
 * Replace the checkpoint.
 * @throws UserError 'no-space', 'no-permission', …; the old checkpoint is then still there
 */
export function writeCheckpoint(path: string, state: TrainerState, info: CheckpointInfo, fs?: DurableFs): void {
  const tensors: Record<string, StoredTensor> = {
    'bank.pixels': { dtype: 'U8', shape: [state.bank.pixels.length], data: state.bank.pixels },
    'bank.masks': { dtype: 'F32', shape: [state.bank.masks.length], data: state.bank.masks },
    'bank.labels': { dtype: 'I32', shape: [state.bank.labels.length], data: state.bank.labels },
    'seen.probability': { dtype: 'F64', shape: [state.seenProbability.length], data: state.seenProbability },
    'seen.times': { dtype: 'I32', shape: [state.seenTimes.length], data: state.seenTimes },
  };
  for (const name of STATE_NAMES) {
    const data = state.network[name];
    tensors[`network.${name}`] = { dtype: 'F32', shape: [data.length], data };
  }
  const text: CheckpointText = { format: 'contexture checkpoint 1', ...info, progress: state.progress };
  const json = canonicalJson(text);
  writeDurably(path, encodeSafetensors(tensors, { checkpoint: json, digest: digest(tensors, json) }), fs);
}

/**
 * Read a checkpoint back.
 * @throws UserError 'not-found', 'unreadable' or 'damaged', naming the file
 */
export function readCheckpoint(path: string): { state: TrainerState; info: CheckpointInfo } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, 'read the checkpoint', path);
  }
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const text = metadata.checkpoint ?? '';
  if (metadata.digest !== digest(tensors, text)) {
    throw new UserError(
      'damaged',
      `The checkpoint ${path} is damaged: its content does not fit its digest. Start the run anew.`,
    );
  }
  // The digest proves that we wrote it, so it has the shape we gave it.
  const { progress, format, ...info } = JSON.parse(text) as CheckpointText;
  if (format !== 'contexture checkpoint 1') {
    throw new UserError(
      'newer',
      `The checkpoint ${path} was written by another version of Contexture. Resume it with that version.`,
    );
  }
  const data = (name: string): StoredTensor['data'] => tensors[name].data;
  const network = Object.fromEntries(
    STATE_NAMES.map((name) => [name, data(`network.${name}`)]),
  ) as TrainerState['network'];
  return {
    state: {
      network,
      bank: {
        pixels: data('bank.pixels') as Uint8Array,
        masks: data('bank.masks') as Float32Array,
        labels: data('bank.labels') as Int32Array,
      },
      seenProbability: data('seen.probability') as Float64Array,
      seenTimes: data('seen.times') as Int32Array,
      progress,
    },
    info,
  };
}
