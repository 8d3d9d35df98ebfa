/** What is said when a run resumes on another engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineDifferences, fingerprint } from '../../core/engine/fingerprint.ts';
import { startTestEngine } from '../fixtures/engine.ts';

test('a run from before our kernels were counted does not resume digit for digit, nor one of another generation', () => {
  const { kernels, ...before } = fingerprint(startTestEngine(), 2);
  const now = { ...before, kernels };
  const said = ['Contexture computes with other kernels now'];
  assert.deepEqual(engineDifferences(now, now), []);
  assert.deepEqual(engineDifferences(before, now), said);
  assert.deepEqual(engineDifferences({ ...now, kernels: kernels! + 1 }, now), said);
  assert.deepEqual(engineDifferences({ ...now, threads: 4 }, now), ['threads was 4 and is 2']);
});
