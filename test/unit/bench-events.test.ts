/** How the bench of the app judges a rate of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHeld, summarise } from '../bench/app-events.ts';

test('one bad second ends no ladder; slow drawing, lateness and long tasks do', () => {
  const hiccup = summarise({ frames: [60, 60, 12.34, 59.96, 60], long: 300, time: 5000 });
  assert.deepEqual(hiccup, { fps: 60, leastFps: 12.3, longShare: 0.06 });
  assert.ok(isHeld({ ...hiccup, inTime: true }));
  assert.ok(!isHeld({ ...hiccup, inTime: false }));
  assert.ok(!isHeld({ ...summarise({ frames: [60, 30, 40, 49, 60], long: 0, time: 5000 }), inTime: true }));
  assert.ok(!isHeld({ ...summarise({ frames: [60, 60, 60, 60, 60], long: 600, time: 5000 }), inTime: true }));
});
