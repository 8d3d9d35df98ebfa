import { z } from 'zod';
import { Recipe, type VerifyResult } from '../../api/exports.ts';
import { UserError } from '../../base/errors.ts';
import { asJson } from '../../base/json.ts';
import { VerifyError, type VerifyReport } from '../../export/verify-report.ts';
import { checkRecipe, exportDataset, verifyExport } from '../../services/export.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Problems that a task remembers; every event about it carries them. */
const PROBLEMS_KEPT = 200;

/** Writes an export and verifies it. Its result is an `ExportTaskResult`; one that does not verify is a result, too. */
export const exportKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.export,
  params: z.object({ folder: z.string(), recipe: Recipe, dryRun: z.boolean() }),
  async perform({ project: { project }, params: { folder, recipe, dryRun }, signal, runJob, onEvent, changed }) {
    try {
      const options = { out: folder, recipe: checkRecipe(recipe), dryRun };
      const outcome = await exportDataset(project, options, runJob, { onEvent, signal });
      const { state, out, pictures, written, bytes, leftOut, report } = outcome;
      if (state === 'stopped') {
        throw new UserError('cancelled', `${written} of ${pictures} pictures are in ${out}; it can go on.`);
      }
      return asJson({ state, out, pictures, bytes, leftOut, report: report && shortened(report) });
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      const { pictures, out } = error.report;
      return asJson({ state: 'finished', out, pictures, bytes: 0, leftOut: 0, report: shortened(error.report) });
    } finally {
      if (!dryRun) changed('exports');
    }
  },
});

/** Checks an export. Its result is a `VerifyResult`, whatever was found. */
export const verifyKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.verify,
  params: z.object({ folder: z.string(), rebuild: z.boolean() }),
  async perform({ project: { project }, params: { folder, rebuild }, signal, runJob, onEvent, changed }) {
    try {
      return asJson(shortened(await verifyExport(project, folder, { rebuild }, runJob, { onEvent, signal })));
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      return asJson(shortened(error.report));
    } finally {
      changed('exports');
    }
  },
});

function shortened(report: VerifyReport): VerifyResult {
  return { ...report, problems: report.problems.slice(0, PROBLEMS_KEPT), problemCount: report.problems.length };
}
