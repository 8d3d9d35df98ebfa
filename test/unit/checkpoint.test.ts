import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/base/errors.ts';
import { Random } from '../../core/base/random.ts';
import { readCheckpoint, writeCheckpoint, type CheckpointInfo } from '../../core/training/checkpoint.ts';
import { ContextBank } from '../../core/training/context-bank.ts';
import { makeConfig } from '../../core/training/presets.ts';
import { ClassAwareSampler, UniformSampler } from '../../core/training/samplers.ts';
import type { TrainerState } from '../../core/training/trainer.ts';
import { failures, shortWritesFs } from '../fixtures/faulty-fs.ts';
import { powerLosses, writeDisk } from '../fixtures/power-loss.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const INFO: CheckpointInfo = {
  config: makeConfig('csa', 'small', 32),
  datasetHash: 'd'.repeat(64),
  bankHash: null,
  engine: {
    tensorflow: '2.21.0',
    device: 'cpu',
    threads: 2,
    platform: 'linux-x64',
    processor: 'p',
    instructions: 'AVX',
  },
  seconds: 12.5,
  warned: ['starving-bank'],
};

/** A trainer's state in which every number depends on `seed`; a bank of `contexts`. */
function stateOf(seed: number, contexts = 3): TrainerState {
  const random = Random.stream(seed, 'checkpoint');
  const floats = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
  const bank = new ContextBank(4, 2);
  for (let i = 0; i < contexts; i++) {
    bank.push(
      Uint8Array.from({ length: 12 }, () => random.below(256)),
      floats(4),
      i,
    );
  }
  const uniform = new UniformSampler(random, 5);
  const balanced = new ClassAwareSampler(random, [0, 1, 1, 0, 2], 3);
  uniform.take(3);
  balanced.take(6);
  return {
    network: {
      trunk: floats(7),
      trunkMomentum: floats(7),
      balanced: floats(3),
      balancedMomentum: floats(3),
      statistics: floats(4),
    },
    bank: bank.state,
    seenProbability: Float64Array.from({ length: 5 }, () => random.uniform()),
    seenTimes: Int32Array.from({ length: 5 }, () => random.below(9)),
    progress: {
      epoch: 3,
      step: seed,
      sums: { steps: 7, mixedSteps: 2, balancedSteps: 2, uniformLoss: 1 / 3, balancedLoss: 0.1, confident: 11 },
      samplers: { uniform: uniform.state, balanced: balanced.state },
      augment: { uniform: random.state, balanced: random.state },
      supply: { draw: random.state, lambda: random.state, region: random.state, curated: random.state },
    },
  };
}

const OLD = stateOf(1);
const NEW = stateOf(2);
const NAME = 'checkpoint.safetensors';

function folderWithOld(): string {
  const folder = temporaryFolder();
  writeCheckpoint(join(folder, NAME), OLD, INFO);
  return folder;
}

/** Which of the two it is; throws when it is neither, whole. */
function whichIn(folder: string): 'old' | 'new' {
  const { state, info } = readCheckpoint(join(folder, NAME));
  assert.deepEqual(info, INFO);
  const which = state.progress.step === 1 ? 'old' : 'new';
  assert.deepEqual(state, which === 'old' ? OLD : NEW);
  return which;
}

test('a checkpoint gives back every number, with a bank or without', () => {
  const path = join(temporaryFolder(), 'runs', '1', NAME);
  for (const state of [OLD, stateOf(3, 0), stateOf(4, 6)]) {
    const info = { ...INFO, bankHash: 'b'.repeat(64) };
    writeCheckpoint(path, state, info);
    assert.deepEqual(readCheckpoint(path), { state, info });
  }
});

for (const [code, sentence] of [
  ['EIO', /disk of .* reports an error/],
  ['ENOSPC', /disk of .* is full/],
] as const) {
  test(`${code} at any write, sync or rename leaves the old checkpoint or the new one, whole`, () => {
    const seen = new Set<string>();
    for (const { at, call, error, folder } of failures(
      folderWithOld,
      (fs, inside) => writeCheckpoint(join(inside, NAME), NEW, INFO, shortWritesFs(200, fs)),
      { code },
    )) {
      assert.ok(error instanceof Error, `call ${at}, ${call.name}, was not noticed`);
      assert.match(error.message, sentence);
      if (code === 'ENOSPC') assert.ok(error instanceof UserError && error.code === 'no-space');
      seen.add(`${call.name} ${whichIn(folder)}`);
      assert.deepEqual(readdirSync(folder), [NAME], 'nothing is left lying about');
    }
    for (const what of ['openSync old', 'writeSync old', 'fsyncSync old', 'renameSync old', 'fsyncSync new']) {
      assert.ok(seen.has(what), `${what} among ${[...seen].join(', ')}`);
    }
  });
}

test('a power loss before any call leaves the old checkpoint or the new one, whole', () => {
  const left = new Map<string, number>();
  for (const { at, finished, disk } of powerLosses(folderWithOld, (fs, folder) =>
    writeCheckpoint(join(folder, NAME), NEW, INFO, fs),
  )) {
    const folder = join(temporaryFolder(), 'disk');
    mkdirSync(folder);
    writeDisk(disk, folder);
    const which = whichIn(folder);
    if (finished) assert.equal(which, 'new', `lost after it was written (call ${at})`);
    left.set(which, (left.get(which) ?? 0) + 1);
  }
  assert.ok(left.get('old')! > 10 && left.get('new')! > 0, [...left].join('; '));
});

test('a power loss while the first checkpoint is written leaves none or a whole one', () => {
  let none = 0;
  for (const { disk } of powerLosses(temporaryFolder, (fs, folder) =>
    writeCheckpoint(join(folder, 'runs', '1', NAME), NEW, INFO, fs),
  )) {
    const folder = join(temporaryFolder(), 'disk');
    mkdirSync(folder);
    writeDisk(disk, folder);
    if (disk.has(`runs/1/${NAME}`)) assert.equal(whichIn(join(folder, 'runs', '1')), 'new');
    else none++;
  }
  assert.ok(none > 0);
});

test('a damaged checkpoint is refused in one sentence, wherever a bit is flipped or the file is cut', () => {
  const folder = folderWithOld();
  const path = join(folder, NAME);
  const bytes = readFileSync(path);
  const refused = (what: string): void =>
    assert.throws(
      () => readCheckpoint(path),
      (error) => {
        assert.ok(error instanceof UserError, `${what}: ${String(error)}`);
        assert.equal(error.code, 'damaged', what);
        assert.ok(error.message.includes(path) && error.message.endsWith('.'), error.message);
        return true;
      },
      what,
    );
  for (let at = 0; at < bytes.length; at += 3) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    writeFileSync(path, changed);
    refused(`byte ${at} of ${bytes.length} (${bytes.subarray(at, at + 8).toString('latin1')})`);
  }
  for (const length of [0, 4, 100, bytes.length - 9, bytes.length - 1]) {
    writeFileSync(path, bytes);
    truncateSync(path, length);
    refused(`cut to ${length}`);
  }
});

test('a checkpoint that is not there, and one of another version, are told apart', () => {
  const path = join(temporaryFolder(), NAME);
  assert.throws(() => readCheckpoint(path), { code: 'not-found' });
  // What a later version would write.
  const info = { ...INFO, format: 'contexture checkpoint 2' } as unknown as CheckpointInfo;
  writeCheckpoint(path, OLD, info);
  assert.throws(() => readCheckpoint(path), { code: 'newer' });
});
