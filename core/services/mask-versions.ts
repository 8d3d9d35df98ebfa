/** New versions of masks: kept for good, each with what it was made from, and in force at once. */
import type { Project } from '../storage/project.ts';
import type { Mask } from '../storage/records.ts';
import type { Act } from './contexts.ts';
import { settleDrafts } from './drafts.ts';

/** A mask as it is to be kept. */
export interface NewMask {
  contextId: number;
  /** 8-bit grey PNG, 255 = context. */
  png: Uint8Array;
  width: number;
  height: number;
  /** Mean, 0 to 1. */
  area: number;
  made: Pick<Mask, 'origin' | 'saliencyId' | 'params'>;
}

/**
 * Keep masks and put them in force, all or none. What is painted on those before becomes a version first.
 * @param step that they belong to
 * @throws UserError 'no-space', …
 */
export async function addMasks(
  project: Project,
  masks: readonly NewMask[],
  { author, at }: Act,
  step: number,
): Promise<Mask[]> {
  const { store, blobs } = project;
  const ids = blobs.putAll(masks.map(({ png }) => png));
  const kept = masks.map((mask, i) => ({ ...mask, blob: ids[i] }));
  await settleDrafts(
    project,
    kept.map(({ contextId }) => contextId),
    at,
  );
  return store.transaction(() =>
    kept.map(({ contextId, blob, width, height, area, made }) => {
      const { imageId, maskId } = store.contexts.get(contextId)!;
      const rest = { ...made, blob, width, height, area, author, createdAt: at };
      const version = store.masks.add({ imageId, parentId: maskId, ...rest });
      store.contexts.setMask(contextId, version.id, author, at, undefined, step);
      return version;
    }),
  );
}
