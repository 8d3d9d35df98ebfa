import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { LAYOUTS } from '../../data/layout.ts';
import { importSource, rescanSource } from '../../services/import.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

const Params = z.union([
  z.object({ path: z.string(), layout: z.enum(['auto', ...LAYOUTS]) }),
  z.object({ sourceId: z.number(), layout: z.enum(['auto', ...LAYOUTS]) }),
]);

/** Longest time between two hints that new pictures are there, milliseconds. */
const HINT_INTERVAL = 1000;

/** Imports a folder, zip file or CSV list, or looks at one again. Its result is an `ImportSummary`. */
export const importKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.import,
  params: Params,
  async perform({ project, params, askedAt, signal, runJob, onEvent, changed }) {
    let hintedAt = performance.now();
    const options = {
      layout: params.layout,
      askedAt,
      signal,
      onEvent: (event: Parameters<typeof onEvent>[0]) => {
        onEvent(event);
        if (performance.now() - hintedAt < HINT_INTERVAL) return;
        hintedAt = performance.now();
        changed('images', 'classes');
      },
    };
    try {
      const summary =
        'path' in params
          ? await importSource(project.project, { path: params.path, ...options }, runJob)
          : await rescanSource(project.project, params.sourceId, options, runJob);
      return asJson(summary);
    } finally {
      changed('images', 'classes', 'sources', 'problems');
    }
  },
});
