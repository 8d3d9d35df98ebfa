import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { relinkSource } from '../../services/sources.ts';
import { taskKind } from '../task-kind.ts';

/** Follows a source to where it lies now, after comparing its pictures. Its result is a `RelinkSummary`. */
export const relinkKind = taskKind({
  scope: 'project',
  lane: 'files',
  params: z.object({ sourceId: z.number(), path: z.string(), all: z.boolean() }),
  async perform({ project, params: { sourceId, path, all }, signal, onEvent, changed }) {
    const summary = await relinkSource(project.project, sourceId, path, { all, signal, onEvent });
    changed('images', 'classes', 'sources');
    return asJson(summary);
  },
});
