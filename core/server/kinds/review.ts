import { z } from 'zod';
import { MaskFormat, MorphOperation } from '../../api/review.ts';
import { asJson } from '../../base/json.ts';
import { madeWith } from '../../services/bank.ts';
import { exportMasks } from '../../services/mask-export.ts';
import { importMasks } from '../../services/mask-import.ts';
import { compareMasks, morphMasks } from '../../services/review-masks.ts';
import { actOf } from '../act.ts';
import { taskKind } from '../task-kind.ts';

/**
 * Changes masks by an operation. Its result says how many, and what was made with the contexts before. Begun again after it
 * was stopped, it changes all once more.
 */
export const morphKind = taskKind({
  scope: 'project',
  lane: 'side',
  params: z.object({ ids: z.array(z.int()), operation: MorphOperation, amount: z.int() }),
  async perform({ service, project: { project }, params: { ids, ...change }, signal, onEvent, changed }) {
    try {
      const made = await morphMasks(project, ids, change, actOf(service, project), { onEvent, signal });
      return { made, madeWith: asJson(await madeWith(project, ids)) };
    } finally {
      changed('contexts');
    }
  },
});

/** Compares reviewed masks with those of a run's model. Begun again, it goes on. */
export const compareMasksKind = taskKind({
  scope: 'project',
  lane: 'side',
  params: z.object({ run: z.int().optional() }),
  async perform({ project: { project }, params: { run }, signal, onEvent }) {
    await compareMasks(project, run, { onEvent, signal });
    return null;
  },
});

/** Reads masks of other tools. Its result is a `MaskImport`. */
export const importMasksKind = taskKind({
  scope: 'project',
  lane: 'files',
  params: z.object({ path: z.string(), format: MaskFormat }),
  async perform({ service, project: { project }, params: { path, format }, signal, onEvent, changed }) {
    try {
      return asJson(await importMasks(project, path, format, actOf(service, project), { onEvent, signal }));
    } finally {
      changed('contexts');
    }
  },
});

/** Writes masks for other tools. Its result is a `MaskExport`. */
export const exportMasksKind = taskKind({
  scope: 'project',
  lane: 'files',
  params: z.object({ ids: z.array(z.int()), folder: z.string(), format: MaskFormat }),
  async perform({ project: { project }, params: { ids, folder, format }, signal, onEvent, changed }) {
    try {
      return asJson(await exportMasks(project, ids, { folder, format }, { onEvent, signal }));
    } finally {
      changed('contexts');
    }
  },
});
