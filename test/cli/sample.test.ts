import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { jsonLines, lastJson, run } from './command-line.ts';

const cwd = temporaryFolder();
/** The whole job as small as it can be: what comes out is right in form, not good. */
const SMALL = ['--images', '60', '--test-images', '1', '--epochs', '2', '--min-probability', '0.1'];

interface Report {
  runs: { method: string; seed: number; runId: number; figures: { macroRecall: { images: number } } }[];
  comparisons: { against: string }[];
  contexts: { found: number; accepted: number };
  export: { folder: string; pictures: number; verified: boolean };
  ok: boolean;
}

test('the sample does the whole job: four methods, contexts, comparisons, a verified export', async () => {
  const { code, stdout, stderr } = await run(
    ['sample', '--all', '--project', 'sample.contexture', ...SMALL, '--json'],
    { cwd },
  );
  assert.equal(code, 0, stdout + stderr);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command line promises
  const report = lastJson(stdout) as unknown as Report;
  assert.deepEqual(report.runs.map(({ method }) => method).toSorted(), ['cbrs', 'ce', 'control', 'csa']);
  for (const { figures } of report.runs) assert.equal(figures.macroRecall.images, 100);
  assert.deepEqual(
    report.comparisons.map(({ against }) => against),
    ['ce', 'cbrs', 'control'],
  );
  assert.ok(report.contexts.accepted > 0 && report.contexts.accepted <= report.contexts.found);
  // Ten classes filled up to 150 pictures, and the test split.
  assert.deepEqual([report.export.pictures, report.export.verified, report.ok], [1600, true, true]);
  assert.ok(existsSync(join(report.export.folder, 'manifest.json')));
  const stages = jsonLines(stdout).flatMap(({ type, stage }) => (type === 'stage' ? [stage] : []));
  assert.equal(stages.at(-1), 'Exporting an augmented data set, and verifying it');
  const trained = lastJson((await run(['runs', '--json'], { cwd })).stdout) as { runs?: { state: string }[] };
  assert.deepEqual(
    trained.runs?.map(({ state }) => state),
    Array(4).fill('finished'),
  );
});
