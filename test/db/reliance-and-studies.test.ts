import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { StudyRun } from '../../core/storage/records.ts';
import { AT, newRun, withStore } from './support.ts';

test('reliance is kept with its run, replaced when it is measured again, and goes with the run', () => {
  withStore((store) => {
    const { id } = store.runs.add(newRun());
    assert.equal(store.reliance.ofRun(id), undefined);
    const first = { runId: id, figures: { images: 3 }, blob: sha256('first'), createdAt: AT };
    store.reliance.put(first);
    assert.deepEqual(store.reliance.ofRun(id), first);
    assert.deepEqual(store.namedBlobs([first.blob]), new Set([first.blob]));
    assert.deepEqual(store.namedBlobs([first.blob], [id]), new Set());
    const second = { ...first, figures: { images: 4 }, blob: sha256('second') };
    store.reliance.put(second);
    assert.deepEqual(store.reliance.ofRun(id), second);
    assert.deepEqual(store.namedBlobs([first.blob]), new Set());
    store.runs.remove([id]);
    assert.equal(store.reliance.ofRun(id), undefined);
  });
});

test('a study has its runs in pairs, loses those that are deleted, and leaves its runs when it is forgotten', () => {
  withStore((store) => {
    const runs = [2, 2, 1, 1].map((seed, index): StudyRun => {
      return { runId: store.runs.add(newRun()).id, arm: index % 2 === 0 ? 'with' : 'without', seed };
    });
    const study = store.studies.add({ kind: 'edits', params: { seeds: [1, 2] }, createdAt: AT, runs });
    assert.deepEqual(study, {
      id: study.id,
      kind: 'edits',
      params: { seeds: [1, 2] },
      createdAt: AT,
      runs: [runs[3], runs[2], runs[1], runs[0]],
    });
    assert.deepEqual(store.studies.get(study.id), study);
    assert.deepEqual(store.studies.ofRun(runs[1].runId), study);
    const extra: StudyRun = { runId: store.runs.add(newRun()).id, arm: 'without', seed: 3 };
    assert.equal(store.studies.ofRun(extra.runId), undefined);
    store.studies.addRuns(study.id, [extra]);
    assert.deepEqual(store.studies.get(study.id)?.runs, [...study.runs, extra]);
    store.runs.remove([extra.runId]);
    const later = store.studies.add({ kind: 'edits', params: null, createdAt: AT, runs: [] });
    assert.deepEqual(store.studies.list(), [later, study]);
    store.runs.remove([runs[0].runId]);
    assert.deepEqual(store.studies.get(study.id)?.runs, [runs[3], runs[2], runs[1]]);
    store.studies.remove(study.id);
    assert.equal(store.studies.get(study.id), undefined);
    assert.equal(store.runs.list().length, 3);
    assert.throws(() => store.studies.remove(study.id), /no such row/);
  });
});
