/** A project that moves with its pictures: what was frozen before finds them. */
import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { datasetHash, readSnapshot } from '../../core/data/snapshot.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { locatedSnapshot } from '../../core/services/located-snapshot.ts';
import { performRun, queueRun } from '../../core/services/runs.ts';
import { locateSources } from '../../core/services/sources.ts';
import { openProject } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { makeTrainingProject, TINY } from '../fixtures/training.ts';

test('a run that was queued before its project moved is trained on the pictures where they are now', async () => {
  const { project } = await makeTrainingProject();
  const { id, datasetBlob } = queueRun(project, {
    method: 'ce',
    preset: 'small',
    overrides: { ...TINY, epochs: 1 },
  });
  assert.equal(locatedSnapshot(project, datasetBlob), datasetBlob);
  project.close();
  const folder = join(temporaryFolder(), 'moved');
  renameSync(dirname(project.file), folder);
  const moved = openProject(sqliteStorage, join(folder, basename(project.file)), { program: 'test' });
  try {
    assert.deepEqual(locateSources(moved), []);
    const [before, after] = [datasetBlob, locatedSnapshot(moved, datasetBlob)].map((blob) =>
      readSnapshot(moved.blobs, blob),
    );
    assert.deepEqual(
      after.roots.map(({ path }) => path),
      [join(folder, 'pictures')],
    );
    assert.deepEqual({ ...after, roots: before.roots }, before);
    assert.equal(datasetHash(after), datasetHash(before));
    // Pictures that were packed before would do without their files.
    rmSync(moved.cacheFolder, { recursive: true, force: true });
    const run = await performRun(moved, id, runJob);
    assert.equal(run.state, 'finished', run.reason ?? '');
    assert.equal(run.datasetBlob, datasetBlob);
  } finally {
    moved.close();
  }
});
