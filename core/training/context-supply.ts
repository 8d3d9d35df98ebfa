/**
 * Where a training step gets its contexts from: the method's own bank, the curated bank, or both by a share, and how
 * strongly they are laid on. Method files ask; the settings decide.
 */
import { Random, type RandomState } from '../base/random.ts';
import { groupsByCount } from '../data/groups.ts';
import type { TrainConfig } from './config.ts';
import { ContextBank, type BankState, type ContextBatch } from './context-bank.ts';
import type { CuratedBank, CuratedState } from './curated-bank.ts';

/** Contexts with the strength of each, ready for `mixContexts`. */
export interface MixBatch extends ContextBatch {
  /** [B] in [0, 1]. */
  lambda: Float32Array;
}

export interface SupplyState {
  draw: RandomState;
  lambda: RandomState;
  region: RandomState;
  /** Of a run that was saved before draws were counted: the generator alone. */
  curated: CuratedState | RandomState | null;
}

/** What an epoch tells of a curated bank whose contexts may be drawn so often only. */
export interface CuratedFigures {
  /** Contexts drawn from it in the epoch, and draws that its limit leaves. */
  drawn: number;
  left: number;
  /** It could not give its share of a batch any more. */
  usedUp: boolean;
}

type SupplyConfig = Pick<
  TrainConfig,
  'batchSize' | 'inputSize' | 'bankSize' | 'keepBank' | 'delta' | 'lambda' | 'mask' | 'curatedShare' | 'seed'
>;

/** For each class: may its samples enter the method's own bank? @param trainCounts in label order */
export function admittedClasses(
  trainCounts: number[],
  { contextClasses, groups }: Pick<TrainConfig, 'contextClasses' | 'groups'>,
): boolean[] {
  return groupsByCount(trainCounts, groups).map((group) => contextClasses === 'any' || group === 'many');
}

export class ContextSupply {
  readonly bank: ContextBank;
  readonly #config: SupplyConfig;
  readonly #curated: CuratedBank | null;
  /** Whether a class's samples may enter the bank. */
  readonly #admitted: readonly boolean[];
  /** Contexts of a batch that come from the curated bank, as long as it has some left. */
  readonly #curatedCount: number;
  #draw: Random;
  #lambda: Random;
  #region: Random;

  /** @param admitted for each class: may its samples enter the bank? */
  constructor(config: SupplyConfig, admitted: readonly boolean[], curated: CuratedBank | null) {
    this.#config = config;
    this.#admitted = admitted;
    this.#curated = curated;
    this.#curatedCount = curated ? Math.round(config.curatedShare * config.batchSize) : 0;
    this.bank = new ContextBank(config.bankSize, config.inputSize);
    this.#draw = Random.stream(config.seed, 'contexts');
    this.#lambda = Random.stream(config.seed, 'lambda');
    this.#region = Random.stream(config.seed, 'region');
  }

  /** Contexts of the next batch that come from the curated bank: where it is used up, the method's own take their place. */
  get #fromCurated(): number {
    return Math.min(this.#curatedCount, this.#curated?.left ?? 0);
  }

  /** Contexts of the next batch that the method's own bank has to give. */
  get #ownCount(): number {
    return this.#config.batchSize - this.#fromCurated;
  }

  /** What was drawn from the curated bank in the epoch in progress, and what its limit leaves; null where it has none. */
  get curated(): CuratedFigures | null {
    const bank = this.#curated;
    if (!bank || bank.limit.uses === Infinity) return null;
    return { drawn: bank.drawn, left: bank.left, usedUp: bank.left < this.#curatedCount };
  }

  /** Empty the bank at an epoch's start, unless it is kept. */
  beginEpoch(): void {
    if (!this.#config.keepBank) this.bank.clear();
    this.#curated?.beginEpoch();
  }

  /**
   * Push the samples that the model is sure of (p >= delta), in the order of the batch.
   * @param pixels [B, S, S, 3]
   * @param masks [B, S, S]
   * @param probability [B]
   * @returns how many were sure, whether or not their class is admitted
   */
  offer(pixels: Uint8Array, masks: Float32Array, labels: Int32Array, probability: Float32Array): number {
    const area = this.#config.inputSize ** 2;
    let confident = 0;
    for (const [i, p] of probability.entries()) {
      if (!(p >= this.#config.delta)) continue;
      confident++;
      if (!this.#admitted[labels[i]]) continue;
      const mask = masks.subarray(i * area, (i + 1) * area);
      const used = this.#config.mask === 'random' ? this.#randomRegion(mask) : mask;
      this.bank.push(pixels.subarray(i * area * 3, (i + 1) * area * 3), used, labels[i]);
    }
    return confident;
  }

  /** Whether a whole batch of contexts can be drawn. */
  get ready(): boolean {
    return this.bank.count >= this.#ownCount;
  }

  /** Draw contexts and lambdas for one batch. Call only when `ready`. */
  draw(): MixBatch {
    const { batchSize, lambda } = this.#config;
    const fromCurated = this.#fromCurated;
    const own = this.bank.draw(this.#draw, batchSize - fromCurated);
    const contexts = this.#curated && fromCurated > 0 ? join(own, this.#curated.draw(fromCurated)) : own;
    const strength = (): number => lambda.min + (lambda.max - lambda.min) * this.#lambda.uniform();
    const values = new Float32Array(batchSize);
    if (lambda.per === 'batch') values.fill(strength());
    else for (let i = 0; i < batchSize; i++) values[i] = strength();
    return { ...contexts, lambda: values };
  }

  /** State of the generators and of the bank. */
  get state(): { supply: SupplyState; bank: BankState } {
    return {
      supply: {
        draw: this.#draw.state,
        lambda: this.#lambda.state,
        region: this.#region.state,
        curated: this.#curated?.state ?? null,
      },
      bank: this.bank.state,
    };
  }

  restore({ supply, bank }: { supply: SupplyState; bank: BankState }): void {
    this.#draw = Random.fromState(supply.draw);
    this.#lambda = Random.fromState(supply.lambda);
    this.#region = Random.fromState(supply.region);
    if (supply.curated) this.#curated?.restore(withTimes(supply.curated));
    this.bank.restore(bank);
  }

  /** A rectangle of ones with the area that `mask` has on average, anywhere in the picture; zeros elsewhere. */
  #randomRegion(mask: Float32Array): Float32Array {
    const size = this.#config.inputSize;
    const region = new Float32Array(mask.length);
    const area = mask.reduce((sum, value) => sum + value, 0);
    if (Math.round(area) === 0) return region;
    // Any shape between the tallest and the widest rectangle of that area that fits.
    const least = Math.ceil(area / size);
    const most = Math.min(size, Math.round(area));
    const width = least + this.#region.below(most - least + 1);
    const height = Math.min(size, Math.round(area / width));
    const left = this.#region.below(size - width + 1);
    const top = this.#region.below(size - height + 1);
    for (let y = top; y < top + height; y++) region.fill(1, y * size + left, y * size + left + width);
    return region;
  }
}

/** Runs without counts had no limit, so none is needed. */
function withTimes(state: CuratedState | RandomState): CuratedState {
  return 'times' in state ? state : { random: state, times: [], drawn: 0 };
}

function join(a: ContextBatch, b: ContextBatch): ContextBatch {
  const pixels = new Uint8Array(a.pixels.length + b.pixels.length);
  pixels.set(a.pixels);
  pixels.set(b.pixels, a.pixels.length);
  const masks = new Float32Array(a.masks.length + b.masks.length);
  masks.set(a.masks);
  masks.set(b.masks, a.masks.length);
  return { pixels, masks, labels: Int32Array.of(...a.labels, ...b.labels) };
}
