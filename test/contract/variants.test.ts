import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { z } from 'zod';
import { AdjustmentCurve, AdjustmentPoint, Variant } from '../../core/api/variants.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { startRun } from '../../core/services/runs.ts';
import { startContract } from '../fixtures/contract.ts';
import { addMadeRun } from '../fixtures/runs.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';

const served = startContract();
let base: string;

before(async () => {
  const { project } = await makeTrainingProject();
  // Runs 1 to 3: trained, one head and without a true model, not finished.
  await startRun(project, { method: 'control', preset: 'small', overrides: { ...TINY, epochs: 1 } }, runJob);
  const snapshot = takeSnapshot(project.store);
  addMadeRun(project, snapshot, { method: 'ce', epochs: 1 });
  addMadeRun(project, snapshot, { finished: false, epochs: 1 });
  project.close();
  const { id } = await served.service.openProject(project.file, { create: false });
  base = `/api/projects/${id}`;
});

test('a curve has every tau once, 0 among them, and its suggestion is one of them', async () => {
  for (const kind of ['logit-adjustment', 'tau-norm'] as const) {
    const curve = AdjustmentCurve.parse(await served.get(`GET ${base}/runs/1/adjustment`, { query: { kind } }));
    assert.deepEqual([curve.head, curve.kind, curve.split], ['balanced', kind, 'test as found']);
    const taus = curve.points.map(({ tau }) => tau);
    assert.deepEqual(
      taus,
      [...new Set(taus)].toSorted((a, b) => a - b),
    );
    assert.ok(taus.includes(0) && taus.includes(curve.suggested));
    assert.equal(curve.choosing + curve.reporting, 100);
  }
  const plain = AdjustmentCurve.parse(
    await served.get(`GET ${base}/runs/1/adjustment`, { query: { kind: 'tau-norm', head: 'uniform' } }),
  );
  assert.equal(plain.head, 'uniform');
});

test('of a run with one head there is that head, whichever is asked for', async () => {
  const curve = AdjustmentCurve.parse(await served.get(`GET ${base}/runs/2/adjustment`, { query: { head: 'mean' } }));
  assert.deepEqual([curve.head, curve.kind], ['uniform', 'logit-adjustment']);
  // Its logits need no model; the length of its weights, and a variant, do.
  await served.refused(`GET ${base}/runs/2/adjustment`, 'damaged', { query: { kind: 'tau-norm' } });
  await served.refused(`POST ${base}/runs/2/variants`, 'damaged', { body: { name: 'a', tau: 1 } });
});

test('a point has figures, differences, temperatures and reliability', async () => {
  const point = AdjustmentPoint.parse(
    await served.get(`GET ${base}/runs/1/adjustment/point`, { query: { tau: 0.75, head: 'mean' } }),
  );
  assert.deepEqual([point.tau, point.head], [0.75, 'mean']);
  assert.equal(point.reliability.none.all.answers, point.reporting);
  const { many, medium, few } = point.reliability.group;
  assert.equal(many.answers + medium.answers + few.answers, point.reporting);
  for (const query of [{}, { tau: 'x' }, { tau: 3.1 }, { tau: -0.1, kind: 'tau-norm' }, { tau: 1, kind: 'guess' }]) {
    await served.refused(`GET ${base}/runs/1/adjustment/point`, 'usage', { query });
  }
  for (const [path, query] of [
    ['adjustment', {}],
    ['adjustment/point', { tau: 1 }],
  ] as const) {
    await served.refused(`GET ${base}/runs/3/${path}`, 'empty', { query });
    await served.refused(`GET ${base}/runs/99/${path}`, 'not-found', { query });
  }
});

test('a variant is kept, listed, renamed and deleted; what cannot be is refused', async () => {
  const path = `${base}/runs/1/variants`;
  const list = async (): Promise<string[]> =>
    z
      .array(Variant)
      .parse(await served.get(`GET ${path}`))
      .map(({ name }) => name);
  assert.deepEqual(await list(), []);
  const body = { name: ' tail ', kind: 'tau-norm', tau: 0.5 };
  const kept = Variant.parse(await served.get(`POST ${path}`, { body }));
  assert.deepEqual([kept.name, kept.runId, kept.calibration, kept.tau], ['tail', 1, 'group', 0.5]);
  assert.equal(kept.figures.split, 'test as found');
  await served.refused(`POST ${path}`, 'exists', { body });
  const other = Variant.parse(await served.get(`POST ${path}`, { body: { ...body, name: 'b', calibration: 'none' } }));
  for (const bad of [
    { ...body, name: '' },
    { ...body, name: 'x'.repeat(101) },
    { ...body, name: 'c', tau: 7 },
    { ...body, name: 'c', tau: null },
    { ...body, name: 'c', kind: 'none' },
    { ...body, name: 'c', head: 'third' },
    { ...body, name: 'c', calibration: 'all' },
    { ...body, name: 'c', blob: 'a'.repeat(64) },
    null,
    [],
  ]) {
    await served.refused(`POST ${path}`, 'usage', { body: bad });
  }
  await served.refused(`POST ${base}/runs/3/variants`, 'empty', { body });
  await served.refused(`POST ${base}/runs/99/variants`, 'not-found', { body });
  await served.refused(`GET ${base}/runs/99/variants`, 'not-found');

  await served.refused(`PATCH ${base}/variants/${other.id}`, 'exists', { body: { name: 'tail' } });
  await served.refused(`PATCH ${base}/variants/${other.id}`, 'usage', { body: { tau: 1 } });
  await served.refused(`PATCH ${base}/variants/99`, 'not-found', { body: { name: 'c' } });
  const renamed = Variant.parse(await served.get(`PATCH ${base}/variants/${other.id}`, { body: { name: 'c' } }));
  assert.deepEqual(renamed, { ...other, name: 'c' });
  await served.get(`DELETE ${base}/variants/${other.id}`);
  await served.refused(`DELETE ${base}/variants/${other.id}`, 'not-found');
  assert.deepEqual(await list(), ['tail']);
});
