/**
 * In which order a stream shows the images. Samplers are endless and their state is plain data, so a resumed run goes on
 * with the very next image.
 */
import { Random, type RandomState } from '../base/random.ts';

/** State of a shuffled cycle: the order in force and how much of it has been given out. */
interface CycleState {
  order: number[];
  position: number;
}

/** Gives out the numbers it was made with, reshuffled after each full pass. */
class ShuffledCycle {
  readonly #random: Random;
  #order: Int32Array;
  #position: number;

  constructor(random: Random, items: ArrayLike<number>) {
    this.#random = random;
    this.#order = Int32Array.from(items);
    // The first call of `next` shuffles.
    this.#position = this.#order.length;
  }

  next(): number {
    if (this.#position === this.#order.length) {
      this.#random.shuffle(this.#order);
      this.#position = 0;
    }
    return this.#order[this.#position++];
  }

  get state(): CycleState {
    return { order: [...this.#order], position: this.#position };
  }

  restore({ order, position }: CycleState): void {
    if (order.length !== this.#order.length) throw new Error('the saved order is of another length');
    this.#order = Int32Array.from(order);
    this.#position = position;
  }
}

export interface SamplerState {
  random: RandomState;
  cycles: CycleState[];
  /** Class-aware only: the class being visited and how many of its images are still to come. */
  visit: [number, number];
}

export interface Sampler {
  /** The next `count` image indices. */
  take(count: number): Int32Array;
  readonly state: SamplerState;
  restore(state: SamplerState): void;
}

/** Uniform: every image once in each pass, in random order. What is left of a pass opens the next batch. */
export class UniformSampler implements Sampler {
  #random: Random;
  #cycle: ShuffledCycle;
  readonly #count: number;

  constructor(random: Random, count: number) {
    if (count < 1) throw new RangeError('there are no images to draw from');
    this.#random = random;
    this.#count = count;
    this.#cycle = this.#make();
  }

  take(count: number): Int32Array {
    return Int32Array.from({ length: count }, () => this.#cycle.next());
  }

  get state(): SamplerState {
    return { random: this.#random.state, cycles: [this.#cycle.state], visit: [0, 0] };
  }

  restore(state: SamplerState): void {
    this.#random = Random.fromState(state.random);
    this.#cycle = this.#make();
    this.#cycle.restore(state.cycles[0]);
  }

  #make(): ShuffledCycle {
    return new ShuffledCycle(
      this.#random,
      Array.from({ length: this.#count }, (_, i) => i),
    );
  }
}

/** Images of one class that a visit gives out (method.md 1.4). */
const IMAGES_A_VISIT = 4;

/**
 * Class-aware: classes in a reshuffled cycle; each visit gives four consecutive images of that class, from its own
 * reshuffled cycle (method.md 1.4; Shen et al. 2016). Classes without images are not visited.
 */
export class ClassAwareSampler implements Sampler {
  #random: Random;
  readonly #members: number[][];
  #classes: ShuffledCycle;
  #images: ShuffledCycle[];
  #visit: [number, number] = [0, 0];

  /** @param labels class of each image, 0 … classes-1 */
  constructor(random: Random, labels: ArrayLike<number>, classes: number) {
    const members: number[][] = Array.from({ length: classes }, () => []);
    for (let i = 0; i < labels.length; i++) members[labels[i]].push(i);
    if (members.every((own) => own.length === 0)) throw new RangeError('there are no images to draw from');
    this.#random = random;
    this.#members = members;
    [this.#classes, this.#images] = this.#make();
  }

  take(count: number): Int32Array {
    return Int32Array.from({ length: count }, () => {
      if (this.#visit[1] === 0) this.#visit = [this.#classes.next(), IMAGES_A_VISIT];
      this.#visit[1]--;
      return this.#images[this.#visit[0]].next();
    });
  }

  get state(): SamplerState {
    return {
      random: this.#random.state,
      cycles: [this.#classes.state, ...this.#images.map((cycle) => cycle.state)],
      visit: [...this.#visit],
    };
  }

  restore(state: SamplerState): void {
    this.#random = Random.fromState(state.random);
    [this.#classes, this.#images] = this.#make();
    const [classes, ...images] = state.cycles;
    this.#classes.restore(classes);
    for (const [label, cycle] of this.#images.entries()) cycle.restore(images[label]);
    this.#visit = [...state.visit];
  }

  #make(): [ShuffledCycle, ShuffledCycle[]] {
    const present = [...this.#members.keys()].filter((label) => this.#members[label].length > 0);
    return [new ShuffledCycle(this.#random, present), this.#members.map((own) => new ShuffledCycle(this.#random, own))];
  }
}
