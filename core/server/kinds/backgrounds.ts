import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { addBackgrounds } from '../../services/backgrounds.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** Adds plain backgrounds to the bank; its result is an `AddedBackgrounds`. Begun again, it passes over those it has added. */
export const backgroundsKind = taskKind({
  scope: 'project',
  lane: JOB_LANES.backgrounds,
  params: z.object({ folders: z.array(z.string()), author: z.string() }),
  async perform({ project, params: { folders, author }, signal, runJob, onEvent, changed }) {
    try {
      const by = { author, at: new Date().toISOString() };
      return asJson(await addBackgrounds(project.project, folders, by, runJob, { onEvent, signal }));
    } finally {
      changed('contexts');
    }
  },
});
