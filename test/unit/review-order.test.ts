import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, TOLERATED, WINDOW } from '../../core/contexts/review-enough.ts';
import { classWeights, lookedAt, saliencyDoubt } from '../../core/contexts/review-order.ts';
import type { Decision } from '../../core/storage/project-store.ts';

const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);

const grey = (...data: number[]) => ({ width: data.length, height: 1, data: Uint8Array.from(data) });

function decisions(count: number, fields: Partial<Decision> = {}): Decision[] {
  const one = { classId: 1, state: 'accepted', corrected: false, together: 1, author: 'ann', at: 'now' } as const;
  return Array.from({ length: count }, (_, contextId) => ({ contextId, ...one, ...fields }));
}

test('doubt is none where the saliency is plain, and all where the soft mask is one half', () => {
  assert.equal(saliencyDoubt(grey(0, 255, 255, 0)), 0);
  // (1 - A)^2 = 1/2 at A = 0.293: 74.7 of 255.
  assert.ok(saliencyDoubt(grey(75)) > 0.98);
  near(saliencyDoubt(grey(0, 51)), (2 * (1 - 0.8 ** 2)) / 2);
  near(saliencyDoubt(grey(204)), 2 * 0.2 ** 2);
});

test('a class weighs more the rarer it is and the more its masks were changed', () => {
  const classes = [
    { id: 1, train: 400 },
    { id: 2, train: 25 },
    { id: 3, train: 0 },
  ];
  const weights = new Map(classWeights(classes, []));
  near(weights.get(1)!, Math.sqrt(1 / 400) / 2);
  near(weights.get(2)!, Math.sqrt(1 / 25) / 2);
  near(weights.get(3)!, 1 / 2);
  const looked = [...decisions(6), ...decisions(2, { state: 'rejected' }), ...decisions(1, { corrected: true })];
  near(new Map(classWeights(classes, looked)).get(1)!, (Math.sqrt(1 / 400) * 4) / 11);
  assert.equal(lookedAt([...decisions(3, { together: 101 }), ...decisions(2, { together: 100 })]).length, 2);
});

test('a review may stop when the last looks changed so little that the rest is no worse than bearable', () => {
  assert.deepEqual(judge([], 0), { enough: true, sentence: 'Every context is decided on.' });
  assert.match(judge([], 500).sentence, /^None was looked at yet: after 35 more without a change you could stop[.]$/);
  assert.equal(judge(decisions(34), 500).enough, false);
  const enough = judge(decisions(35), 500);
  assert.equal(enough.enough, true);
  // Wilson's upper end of 0 in 35 is z² / (35 + z²).
  const bound = (100 * 3.8414588) / (35 + 3.8414588);
  assert.ok(bound < 100 * TOLERATED);
  assert.ok(enough.sentence.includes(`fewer than ${bound.toFixed(1)} % of the 500 left`), enough.sentence);
  assert.match(judge(decisions(3), 20).sentence, /look at all 20 that are left/);
  const bad = [...decisions(40), ...decisions(20, { state: 'rejected' })];
  assert.equal(judge(bad, 500).enough, false);
  assert.match(judge(bad, 500).sentence, /^20 of the last 60 were changed: /);
  // What lies further back than the window says nothing.
  assert.equal(judge([...decisions(WINDOW), ...decisions(100, { state: 'rejected' })], 500).enough, true);
});
