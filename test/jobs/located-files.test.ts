/** A project that moves with its pictures: what was frozen before finds them. */
import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { backgroundsOf, bankHash, readBank } from '../../core/contexts/bank.ts';
import { datasetHash, readSnapshot } from '../../core/data/snapshot.ts';
import { DEFAULT_RECIPE } from '../../core/export/recipe.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { addBackgrounds } from '../../core/services/backgrounds.ts';
import { exportDataset, verifyExport } from '../../core/services/export.ts';
import { locatedBank, locatedSnapshot } from '../../core/services/located-files.ts';
import { performRun, queueRun } from '../../core/services/runs.ts';
import { locateSources } from '../../core/services/sources.ts';
import { openProject, type Project } from '../../core/storage/project.ts';
import type { EpochFigures } from '../../core/training/epoch-figures.ts';
import { sqliteStorage } from '../../db/index.ts';
import { writePicture } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';

const ANN = { author: 'ann', at: '2026-01-02T00:00:00.000Z' };

/** Move a project with all that lies beside it, and open it there. */
function move(project: Project): { moved: Project; folder: string } {
  project.close();
  const folder = join(temporaryFolder(), 'moved');
  renameSync(dirname(project.file), folder);
  const moved = openProject(sqliteStorage, join(folder, basename(project.file)), { program: 'test' });
  assert.deepEqual(locateSources(moved), []);
  // Pictures that were packed before would do without their files.
  rmSync(moved.cacheFolder, { recursive: true, force: true });
  return { moved, folder };
}

test('a run that was queued before its project moved is trained on the pictures where they are now', async () => {
  const { project } = await makeTrainingProject();
  const { id, datasetBlob } = queueRun(project, {
    method: 'ce',
    preset: 'small',
    overrides: { ...TINY, epochs: 1 },
  });
  assert.equal(locatedSnapshot(project, datasetBlob), datasetBlob);
  const { moved, folder } = move(project);
  try {
    const [before, after] = [datasetBlob, locatedSnapshot(moved, datasetBlob)].map((blob) =>
      readSnapshot(moved.blobs, blob),
    );
    assert.deepEqual(
      after.roots.map(({ path }) => path),
      [join(folder, 'pictures')],
    );
    assert.deepEqual({ ...after, roots: before.roots }, before);
    assert.equal(datasetHash(after), datasetHash(before));
    const run = await performRun(moved, id, runJob);
    assert.equal(run.state, 'finished', run.reason ?? '');
    assert.equal(run.datasetBlob, datasetBlob);
  } finally {
    moved.close();
  }
});

test('the plain backgrounds of its bank are found there, too, and those of an export that is made again', async () => {
  const { project } = await makeTrainingProject();
  const scenes = join(dirname(project.file), 'empty scenes');
  for (const seed of [1, 2, 3]) {
    await writePicture(scenes, { file: `night/${seed}.png`, width: 40, height: 36, seed });
  }
  await addBackgrounds(project, [scenes], ANN, runJob);
  // No picture is sure enough for the run's own bank, so all that is laid on are plain backgrounds.
  const overrides = { ...TINY, epochs: 1, startBalanced: 0, curatedShare: 1, delta: 1 };
  const { id, bankBlob } = queueRun(project, { method: 'csa', preset: 'small', overrides });
  assert.equal(locatedBank(project, bankBlob!), bankBlob);
  const out = join(temporaryFolder(), 'out');
  const recipe = { ...DEFAULT_RECIPE, amount: { kind: 'add', images: 1 }, size: 32 } as const;
  await exportDataset(project, { out, recipe }, runJob);

  const { moved, folder } = move(project);
  try {
    const there = join(folder, 'empty scenes');
    renameSync(join(there, 'night'), join(there, 'dusk'));
    await addBackgrounds(moved, [there], ANN, runJob);
    const [before, after] = [bankBlob!, locatedBank(moved, bankBlob!)].map((blob) => readBank(moved.blobs, blob));
    assert.deepEqual(
      backgroundsOf(after).map((entry) => [entry.folder, entry.path]),
      [1, 2, 3].map((name) => [there, `dusk/${name}.png`]),
    );
    assert.deepEqual(
      backgroundsOf(after).map((entry, i) => ({ ...entry, folder: scenes, path: `night/${i + 1}.png` })),
      before,
    );
    assert.equal(bankHash(after), bankHash(before));
    const run = await performRun(moved, id, runJob);
    assert.equal(run.state, 'finished', run.reason ?? '');
    assert.equal(run.bankBlob, bankBlob);
    const { steps, mixedSteps } = run.figures as unknown as EpochFigures;
    assert.equal(mixedSteps, steps);
    const report = await verifyExport(moved, out, { rebuild: true }, runJob);
    assert.deepEqual([report.ok, report.rebuilt], [true, report.pictures]);
  } finally {
    moved.close();
  }
});
