import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Difference } from '../../core/api/figures.ts';
import type { RelianceComparison } from '../../core/api/reliance.ts';
import { comparedSentence, gapSentence, inTwoLines } from '../../renderer/pages/runs/reliance/words.ts';

function gap(low: number, high: number, verdict: Difference['verdict']): Difference {
  return { a: 0.5, b: 0.625, value: 0.125, low, high, images: 100, gained: 20, lost: 5, verdict };
}

test('the headline says no more than the interval allows', () => {
  assert.match(
    gapSentence(gap(0.05, 0.2, 'better')),
    /^It goes by the background: right on 62\.5 % of .* own class’s background and on 50\.0 % in front of another class’s\.$/,
  );
  assert.match(gapSentence(gap(-0.1, 0.2, 'no clear difference')), /^It cannot be told whether/);
  assert.match(gapSentence(gap(-0.3, -0.1, 'worse')), /^It does better in front of other backgrounds/);
  assert.match(gapSentence(null), /^No background could be lent/);
});

function compared(direction: 'higher' | 'lower' | 'no clear difference'): string {
  const macro = { a: 0.2, b: 0.05, value: -0.15, low: -0.2, high: -0.1, images: 100, direction };
  const figure = { macro, groups: { many: null, medium: null, few: null } };
  const comparison: RelianceComparison = {
    baseline: 4,
    run: 7,
    heads: ['uniform', 'balanced'],
    masksOf: [null, null],
    split: 'test',
    images: 100,
    unpaired: null,
    bgGap: figure,
    confidence: { original: figure, 'no-fg': figure, 'only-fg': figure, 'mixed-same': figure, 'mixed-rand': figure },
    classes: [],
  };
  return comparedSentence(comparison);
}

test('two runs in a sentence: which one goes less by the background', () => {
  assert.equal(compared('lower'), 'Run 7 goes less by the background than run 4: BG-gap +5.0 against +20.0 points.');
  assert.match(compared('higher'), /^Run 7 goes more by/);
  assert.match(compared('no clear difference'), /^No clear difference between runs 7 and 4/);
});

test('long titles break near their middle', () => {
  assert.deepEqual(inTwoLines('As it is'), ['As it is']);
  assert.deepEqual(inTwoLines('Another class’s background'), ['Another class’s', 'background']);
  assert.deepEqual(inTwoLines('Backgroundalone'), ['Backgroundalone']);
});
