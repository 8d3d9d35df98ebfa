import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../core/base/random.ts';
import { augmentFor } from '../../core/training/presets.ts';
import { ContextSupply } from '../../core/training/context-supply.ts';
import { CuratedBank, type DrawLimit } from '../../core/training/curated-bank.ts';

const SIZE = 8;
const AREA = SIZE * SIZE;
const CONFIG = {
  batchSize: 4,
  inputSize: SIZE,
  bankSize: 8,
  keepBank: false,
  delta: 0.8,
  lambda: { min: 0, max: 1, per: 'batch' as 'batch' | 'image' },
  mask: 'saliency' as 'saliency' | 'random',
  curatedShare: 0,
  seed: 3,
};
const EVERY = [true, true, true];

/** Pictures filled with their number, masks with a hundredth of it. */
function pictures(numbers: readonly number[]): { pixels: Uint8Array; masks: Float32Array } {
  return {
    pixels: Uint8Array.from(numbers.flatMap((number) => Array<number>(AREA * 3).fill(number))),
    masks: Float32Array.from(numbers.flatMap((number) => Array<number>(AREA).fill(number / 100))),
  };
}

/** Offer four samples of classes 0, 1, 2, 0 with these probabilities. */
function offer(supply: ContextSupply, first: number, probability: readonly number[]): number {
  const { pixels, masks } = pictures([first, first + 1, first + 2, first + 3]);
  return supply.offer(pixels, masks, Int32Array.of(0, 1, 2, 0), Float32Array.from(probability));
}

const numbersIn = (pixels: Uint8Array): number[] =>
  Array.from({ length: pixels.length / (AREA * 3) }, (_, i) => pixels[i * AREA * 3]);

/** A curated bank of pictures 201, 202, … whose crop and flip leave them as they are. */
function curatedBank(count: number, limit?: DrawLimit): CuratedBank {
  const numbers = Array.from({ length: count }, (_, i) => 201 + i);
  const contexts = { ...pictures(numbers), labels: Int32Array.from(numbers, (number) => number - 200) };
  const augment = { ...augmentFor(SIZE), pad: 0, flip: false };
  return new CuratedBank(Random.stream(3, 'curated contexts'), contexts, SIZE, augment, limit);
}

test('who is sure enough enters, in the order of the batch; a NaN does not', () => {
  const supply = new ContextSupply(CONFIG, EVERY, null);
  const delta = Math.fround(0.8);
  assert.equal(offer(supply, 10, [0.79, delta, 1, Number.NaN]), delta >= 0.8 ? 2 : 1);
  assert.deepEqual(numbersIn(supply.bank.state.pixels), delta >= 0.8 ? [11, 12] : [12]);
  offer(supply, 20, [0.9, 0.1, 0.95, 0.99]);
  assert.deepEqual(numbersIn(supply.bank.state.pixels).slice(-3), [20, 22, 23]);
  assert.deepEqual([...supply.bank.state.labels].slice(-3), [0, 2, 0]);
});

test('with head classes only, the others are counted as sure and stay out', () => {
  const supply = new ContextSupply(CONFIG, [true, false, false], null);
  assert.equal(offer(supply, 10, [0.9, 0.9, 0.9, 0.9]), 4);
  assert.deepEqual(numbersIn(supply.bank.state.pixels), [10, 13]);
});

test('ready from a whole batch on; emptied at an epoch unless kept', () => {
  for (const keepBank of [false, true]) {
    const supply = new ContextSupply({ ...CONFIG, keepBank }, EVERY, null);
    offer(supply, 10, [1, 1, 1, 0]);
    assert.equal(supply.ready, false);
    offer(supply, 20, [1, 0, 0, 0]);
    assert.equal(supply.ready, true);
    supply.beginEpoch();
    assert.deepEqual([supply.ready, supply.bank.count], keepBank ? [true, 4] : [false, 0]);
  }
});

/** The lambdas of `count` batches. */
const draws = (lambda: typeof CONFIG.lambda, count: number): Float32Array[] => {
  const supply = new ContextSupply({ ...CONFIG, lambda }, EVERY, null);
  offer(supply, 10, [1, 1, 1, 1]);
  return Array.from({ length: count }, () => supply.draw().lambda);
};

test('lambda: one for the batch or one an image, uniform over its range', () => {
  const batches = draws({ min: 0.2, max: 0.6, per: 'batch' }, 1000);
  assert.ok(batches.every((lambda) => lambda.length === 4 && lambda.every((value) => value === lambda[0])));
  const images = draws({ min: 0.2, max: 0.6, per: 'image' }, 1000);
  assert.ok(images.every((lambda) => new Set(lambda).size === 4));
  for (const values of [batches.map(([value]) => value), images.flatMap((lambda) => [...lambda])]) {
    assert.ok(values.every((value) => value >= Math.fround(0.2) && value <= Math.fround(0.6)));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    // Deviation of the mean of 1000: 0.4 / sqrt(12 * 1000) = 0.0037.
    assert.ok(Math.abs(mean - 0.4) < 0.015, `mean ${mean}`);
    assert.ok(Math.min(...values) < 0.21 && Math.max(...values) > 0.59);
  }
  assert.deepEqual(draws({ min: 0, max: 0, per: 'batch' }, 1), [new Float32Array(4)]);
});

test('a random region has the area of the mask it stands for, lies anywhere, and leaves the picture alone', () => {
  const supply = new ContextSupply({ ...CONFIG, mask: 'random', bankSize: 400 }, EVERY, null);
  const wanted: number[] = [];
  for (let i = 0; i < 100; i++) {
    const numbers = [i % 100, (i * 7) % 100, 50, 25];
    const { pixels, masks } = pictures(numbers);
    supply.offer(pixels, masks, new Int32Array(4), new Float32Array(4).fill(1));
    wanted.push(...numbers);
  }
  const { pixels, masks } = supply.bank.state;
  assert.deepEqual(numbersIn(pixels), wanted);
  const covered = new Float32Array(AREA);
  for (const [i, number] of wanted.entries()) {
    const mask = masks.subarray(i * AREA, (i + 1) * AREA);
    const ones = [...mask.keys()].filter((at) => mask[at] === 1);
    assert.ok(mask.every((value) => value === 0 || value === 1));
    const rows = ones.map((at) => Math.floor(at / SIZE));
    const columns = ones.map((at) => at % SIZE);
    const [height, width] = [rows, columns].map((all) => Math.max(...all) - Math.min(...all) + 1);
    // The nearest whole height for some width: off by at most half a row.
    const wantedArea = (number / 100) * AREA;
    if (wantedArea < 0.5) {
      assert.equal(ones.length, 0);
      continue;
    }
    assert.equal(ones.length, width * height, 'one rectangle');
    assert.ok(Math.abs(ones.length - wantedArea) <= width / 2, `${ones.length} pixels for ${number} %`);
    if (number === 25) for (const at of ones) covered[at]++;
  }
  assert.ok(
    covered.every((count) => count > 0),
    'a quarter of the picture was everywhere once',
  );
});

test('the curated share of a batch comes from the curated bank, the rest from the own one', () => {
  for (const [curatedShare, own, ready] of [
    [0.25, 3, false],
    [0.5, 2, true],
    [1, 0, true],
  ] as const) {
    const supply = new ContextSupply({ ...CONFIG, curatedShare }, EVERY, curatedBank(5));
    offer(supply, 10, [1, 0, 1, 0]);
    assert.equal(supply.ready, ready, `share ${curatedShare} with two own contexts`);
    offer(supply, 10, [1, 0, 1, 0]);
    const { pixels, masks, labels, lambda } = supply.draw();
    const numbers = numbersIn(pixels);
    assert.deepEqual(
      [...labels],
      numbers.map((number) => (number > 200 ? number - 200 : number % 10 === 2 ? 2 : 0)),
      'each context says its class',
    );
    assert.equal(numbers.filter((number) => number < 200).length, own);
    assert.equal(numbers.filter((number) => number > 200).length, 4 - own);
    assert.ok(numbers.every((number, i) => masks[i * AREA] === Math.fround(number / 100)));
    assert.equal(lambda.length, 4);
  }
});

test('curated contexts repeat only when there are too few, and take one crop for picture and mask', () => {
  assert.equal(new Set(numbersIn(curatedBank(5).draw(5).pixels)).size, 5);
  const few = numbersIn(curatedBank(3).draw(7).pixels);
  assert.deepEqual([new Set(few.slice(0, 3)).size, new Set(few.slice(3, 6)).size], [3, 3]);
  // Picture and mask say the same of every pixel, so they must still do after any crop and flip.
  const values = Uint8Array.from({ length: AREA }, (_, i) => 1 + i);
  const bank = new CuratedBank(
    Random.stream(1, 'crops'),
    {
      pixels: Uint8Array.from({ length: AREA * 3 }, (_, i) => values[Math.floor(i / 3)]),
      masks: Float32Array.from(values, (value) => value / 100),
      labels: Int32Array.of(1),
    },
    SIZE,
    { ...augmentFor(SIZE), pad: 0.25 },
  );
  const { pixels, masks } = bank.draw(50);
  const seen = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const mask = masks.subarray(i * AREA, (i + 1) * AREA);
    for (let at = 0; at < AREA; at++) {
      assert.equal(mask[at], Math.fround(pixels[(i * AREA + at) * 3] / 100), `draw ${i}, pixel ${at}`);
    }
    seen.add(mask.join());
  }
  assert.ok(seen.size > 30, `${seen.size} of 50 crops`);
});

/** What steps `from` to `to` draw; null where there are too few contexts. */
const work = (supply: ContextSupply, from: number, to: number): unknown[] =>
  Array.from({ length: to - from }, (_, i) => {
    offer(supply, from + i, [1, 0, 1, 1]);
    return supply.ready ? supply.draw() : null;
  });

test('a supply goes on from its state as if nothing had happened', () => {
  const config = {
    ...CONFIG,
    mask: 'random' as const,
    curatedShare: 0.25,
    lambda: { min: 0, max: 1, per: 'image' as const },
  };
  const make = (): ContextSupply => new ContextSupply(config, EVERY, curatedBank(5));
  const whole = work(make(), 0, 12);
  for (const at of [0, 1, 5, 11]) {
    const before = make();
    work(before, 0, at);
    const { supply, bank } = before.state;
    const after = make();
    work(after, 40, 43);
    after.restore({ supply: JSON.parse(JSON.stringify(supply)) as typeof supply, bank });
    assert.deepEqual(work(after, at, 12), whole.slice(at), `from ${at}`);
  }
});

/** How often each curated context is among the drawn. */
function timesOf(drawn: readonly { pixels: Uint8Array }[]): Map<number, number> {
  const times = new Map<number, number>();
  for (const { pixels } of drawn) {
    for (const number of numbersIn(pixels)) if (number > 200) times.set(number, (times.get(number) ?? 0) + 1);
  }
  return times;
}

test('a limit that is not reached changes no draw; one that is rests what was drawn so often', () => {
  const [free, wide, tight] = [
    curatedBank(5),
    curatedBank(5, { uses: 9, per: 'run' }),
    curatedBank(5, { uses: 2, per: 'run' }),
  ];
  for (let i = 0; i < 4; i++) assert.deepEqual(wide.draw(7), free.draw(7), `draw ${i}`);
  assert.equal(tight.left, 10);
  const drawn = [tight.draw(4), tight.draw(4), tight.draw(2)];
  assert.deepEqual([...timesOf(drawn).values()], [2, 2, 2, 2, 2]);
  assert.ok(
    drawn.every(({ pixels }) => new Set(numbersIn(pixels)).size === numbersIn(pixels).length),
    'none twice at once',
  );
  assert.equal(tight.left, 0);
  assert.throws(() => tight.draw(1), RangeError);
});

test('what the curated bank cannot give any more, the own bank gives, in the run or until the next epoch', () => {
  for (const per of ['run', 'epoch'] as const) {
    const config = { ...CONFIG, curatedShare: 0.5, keepBank: true };
    const supply = new ContextSupply(config, EVERY, curatedBank(3, { uses: 1, per }));
    offer(supply, 10, [1, 1, 1, 1]);
    const shares = (): number[] =>
      [0, 1, 2].map(() => numbersIn(supply.draw().pixels).filter((number) => number > 200).length);
    assert.deepEqual(shares(), [2, 1, 0]);
    assert.deepEqual(supply.curated, { drawn: 3, left: 0, usedUp: true });
    supply.beginEpoch();
    assert.deepEqual(shares(), per === 'run' ? [0, 0, 0] : [2, 1, 0]);
  }
  assert.equal(new ContextSupply(CONFIG, EVERY, curatedBank(3)).curated, null, 'without a limit nothing is told');
});

test('a used-up bank leaves a batch to the own bank, which may be too empty', () => {
  const supply = new ContextSupply({ ...CONFIG, curatedShare: 1 }, EVERY, curatedBank(4, { uses: 1, per: 'run' }));
  assert.ok(supply.ready);
  supply.draw();
  assert.equal(supply.ready, false);
  offer(supply, 10, [1, 1, 1, 1]);
  assert.ok(supply.ready);
});

test('the limit goes on counting from a saved state; one saved before draws were counted is read', () => {
  const make = (): ContextSupply =>
    new ContextSupply({ ...CONFIG, curatedShare: 0.5 }, EVERY, curatedBank(5, { uses: 3, per: 'run' }));
  const whole = work(make(), 0, 10);
  const times = timesOf(whole.filter((batch) => batch !== null) as { pixels: Uint8Array }[]);
  assert.deepEqual([...times.values()], [3, 3, 3, 3, 3]);
  const before = make();
  work(before, 0, 5);
  const { supply, bank } = before.state;
  const after = make();
  after.restore({ supply: JSON.parse(JSON.stringify(supply)) as typeof supply, bank });
  assert.deepEqual(work(after, 5, 10), whole.slice(5));

  const free = new ContextSupply({ ...CONFIG, curatedShare: 0.5 }, EVERY, curatedBank(5));
  const first = work(free, 0, 8);
  const again = new ContextSupply({ ...CONFIG, curatedShare: 0.5 }, EVERY, curatedBank(5));
  work(again, 0, 4);
  const saved = again.state;
  const curated = saved.supply.curated;
  assert.ok(curated && 'times' in curated);
  const old = new ContextSupply({ ...CONFIG, curatedShare: 0.5 }, EVERY, curatedBank(5));
  old.restore({ ...saved, supply: { ...saved.supply, curated: curated.random } });
  assert.deepEqual(work(old, 4, 8), first.slice(4));
});
