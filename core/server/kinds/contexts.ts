import { z } from 'zod';
import { MaskRule } from '../../api/contexts.ts';
import { asJson } from '../../base/json.ts';
import { madeWith } from '../../services/bank.ts';
import { remaskContexts } from '../../services/contexts.ts';
import { findContexts } from '../../services/find-contexts.ts';
import { fillDoubts } from '../../services/review.ts';
import { actOf } from '../act.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Longest time between two hints that new contexts are there, milliseconds. */
const HINT_INTERVAL = 1000;

const Search = z.object({
  run: z.int().nullable(),
  size: z.int().nullable(),
  secondSize: z.int().nullable().default(null),
  mirror: z.boolean().nullable().default(null),
  rule: MaskRule.nullable(),
  folds: z.int().nullable(),
});

/** Finds contexts with a finished run. Its result is a `FindSummary`. */
export const contextsKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.contexts,
  params: Search,
  async perform({ service, project, params, signal, runJob, onEvent, changed }) {
    let hintedAt = performance.now();
    const options = {
      ...(params.run === null ? {} : { runId: params.run }),
      ...(params.size === null ? {} : { size: params.size }),
      ...(params.secondSize === null ? {} : { secondSize: params.secondSize }),
      ...(params.mirror === null ? {} : { mirror: params.mirror }),
      ...(params.rule === null ? {} : { rule: params.rule }),
      ...(params.folds === null ? {} : { probability: { from: 'held-out' as const, folds: params.folds } }),
    };
    try {
      const act = actOf(service, project.project);
      const found = await findContexts(project.project, options, act, runJob, {
        signal,
        onEvent: (event) => {
          onEvent(event);
          if (performance.now() - hintedAt < HINT_INTERVAL) return;
          hintedAt = performance.now();
          changed('contexts');
        },
      });
      // For the order by gain, which would have to wait for it.
      await fillDoubts(project.project);
      return asJson(found);
    } finally {
      changed('contexts');
    }
  },
});

/** Makes masks anew. Its result says how many, and what was made with the contexts before. Begun again, it makes those again that are not by the rule yet. */
export const remaskKind = taskKind({
  scope: 'project',
  lane: 'side',
  params: z.object({ ids: z.array(z.int()), rule: MaskRule }),
  async perform({ service, project, params: { ids, rule }, signal, onEvent, changed }) {
    try {
      const made = await remaskContexts(project.project, ids, rule, actOf(service, project.project), {
        onEvent,
        signal,
      });
      return { made, madeWith: asJson(await madeWith(project.project, ids)) };
    } finally {
      changed('contexts');
    }
  },
});
