import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { DEFAULT_TWINS_FROM, DiversityReport } from '../../core/api/bank.ts';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { addBackgrounds, retireBackgrounds } from '../../core/services/backgrounds.ts';
import { lastDiversity, measureDiversity } from '../../core/services/diversity.ts';
import { retireContexts } from '../../core/services/bank.ts';
import { startRun } from '../../core/services/runs.ts';
import type { Project } from '../../core/storage/project.ts';
import { acceptMask } from '../fixtures/accept-mask.ts';
import { writePicture } from '../fixtures/export-project.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { acceptContexts, makeTrainingProject, TINY } from '../fixtures/training.ts';

const act = { author: 'ann', at: '2026-01-01T00:00:00.000Z' };
let project: Project;

before(async () => {
  ({ project } = await makeTrainingProject());
});
after(() => project.close());

const measure = (options: { runId?: number; twinsFrom?: number } = {}): Promise<DiversityReport> =>
  measureDiversity(project, { twinsFrom: DEFAULT_TWINS_FROM, ...options }, runJob);
const refusal = (code: ErrorCode, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.code === code && text.test(error.message);

/** Accept contexts 13 to 15, in which nothing is context: to a model all three are one picture, of the mean colour. */
async function acceptNothing(): Promise<void> {
  const images = [...project.store.images.iterate({ split: 'train' })].slice(-3);
  for (const { id: imageId, width, height } of images) {
    await acceptMask(project, {
      imageId,
      mask: { width, height, data: new Uint8Array(width * height) },
      probability: 1,
      act,
    });
  }
}

test('without a run or a bank there is nothing to measure', async () => {
  await assert.rejects(measure(), refusal('empty', /No run has finished yet/));
  const overrides = { ...TINY, epochs: 1 };
  await startRun(project, { method: 'control', preset: 'small', overrides }, runJob);
  await assert.rejects(measure(), refusal('empty', /bank has no context/));
  await assert.rejects(measure({ runId: 9 }), refusal('not-found', /no run 9/));
});

test('the bank is measured by the features of a run: what looks the same is a twin and counts once', async () => {
  await acceptContexts(project, 12);
  await acceptNothing();
  const stages = new Set<string>();
  const options = { twinsFrom: 0.99999 };
  const report = await measureDiversity(project, options, runJob, { onEvent: ({ stage }) => void stages.add(stage) });
  assert.deepEqual(DiversityReport.parse(report), report);
  assert.ok(stages.has('Looking at the bank'));
  assert.deepEqual([report.run, report.contexts, report.pairs, report.withTwin], [1, 15, 3, 3]);
  assert.deepEqual(
    report.twins.map(({ a, b }) => [a.id, b.id]),
    [
      [13, 14],
      [13, 15],
      [14, 15],
    ],
  );
  assert.ok(report.twins.every(({ cosine }) => cosine > 1 - 1e-5));
  assert.ok(report.effective > 1 && report.effective < 13, `${report.effective} of 15, three of which are one`);
  assert.equal(
    report.classes.reduce((sum, { contexts }) => sum + contexts, 0),
    15,
  );
  assert.ok(report.classes.every(({ contexts, effective }) => effective > 0.999 && effective <= contexts + 1e-3));
  assert.match(report.sentence, /^\d.* of the bank are backgrounds of \w+: add backgrounds of other classes next\.$/);
});

test('a retired context does not count, and the same bank gives the same figures', async () => {
  const first = await measure();
  assert.deepEqual(await measure({ runId: 1 }), first);
  retireContexts(project, [14, 15], true, act);
  const report = await measure({ twinsFrom: 0.99999 });
  assert.deepEqual([report.contexts, report.pairs, report.twins], [13, 0, []]);
  retireContexts(
    project,
    Array.from({ length: 12 }, (_, i) => i + 1),
    true,
    act,
  );
  const { contexts, effective, classes } = await measure();
  assert.equal(contexts, 1);
  assert.ok(Math.abs(effective - 1) < 1e-5 && classes.length === 1);
});

test('plain backgrounds are a part of their own, and are told as twins of each other', async () => {
  const scenes = join(temporaryFolder(), 'scenes');
  for (const [i, width] of [64, 64, 80].entries()) {
    await writePicture(scenes, { file: `${i}.png`, width, height: 64, seed: 50 + i });
  }
  // The same pixels in another file.
  await sharp(join(scenes, '0.png')).png({ compressionLevel: 1 }).toFile(join(scenes, 'again.png'));
  await addBackgrounds(project, [scenes], act, runJob);
  const report = await measure({ twinsFrom: 0.99999 });
  assert.deepEqual([report.contexts, report.plain?.backgrounds], [1, 4]);
  assert.ok(report.plain!.effective > 1 && report.plain!.effective <= 3 + 1e-3, `${report.plain!.effective} of 4`);
  assert.ok(report.effective > report.plain!.effective - 1e-6, 'the context adds to them');
  assert.deepEqual(
    report.twins.map(({ a, b }) => [a, b]),
    [
      [
        { kind: 'background', id: 1 },
        { kind: 'background', id: 4 },
      ],
    ],
  );
  assert.equal(lastDiversity(project)?.changed, 0);
  retireBackgrounds(project, [4], true, act.at);
  assert.equal(lastDiversity(project)?.changed, 1);
  const { plain, pairs } = await measure({ twinsFrom: 0.99999 });
  assert.deepEqual([plain?.backgrounds, pairs], [3, 0]);
});

test('a bank of plain backgrounds alone is measured', async () => {
  retireContexts(project, [13], true, act);
  const { contexts, classes, plain, effective, sentence } = await measure({ twinsFrom: 0.99999 });
  assert.deepEqual([contexts, classes, plain?.backgrounds], [0, [], 3]);
  assert.ok(Math.abs(effective - plain!.effective) < 1e-6);
  assert.match(sentence, /plain backgrounds alone/);
});
