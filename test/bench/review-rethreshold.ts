/**
 * Making masks anew by another threshold, thousands at once, as the page asks for it and in one step that is taken back at
 * once: contexts with saliency as a search leaves it, each another.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../core/base/random.ts';
import { maskArea, maskFromSaliency } from '../../core/contexts/mask.ts';
import { encodeGrey } from '../../core/data/decode.ts';
import { remaskContexts, undoContexts } from '../../core/services/contexts.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { openProject, type Project } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** Side of a saliency map: as of ResNet-32 at 32 pixels. */
const GRID = 8;

export interface RethresholdTimes {
  contexts: number;
  /** One side of each mask, pixels. */
  side: number;
  rethresholdS: number;
  undoS: number;
}

/** Measure once, on the disk of the system's temporary folder. @param side of the pictures, pixels */
export async function measureRethreshold(contexts = 5000, side = 64): Promise<RethresholdTimes> {
  const folder = await mkdtemp(join(tmpdir(), 'contexture-bench-'));
  try {
    const project = openProject(sqliteStorage, join(folder, 'bench.contexture'), { create: true, program: 'bench' });
    try {
      const ids = await makeContexts(project, contexts, side);
      const act = { author: 'bench', at: new Date().toISOString() };
      const begun = performance.now();
      await remaskContexts(project, ids, { form: 'threshold', threshold: 0.5 }, act);
      const made = performance.now();
      const { changed } = undoContexts(project, act);
      const undone = performance.now();
      if (changed !== contexts) throw new Error(`${changed} of ${contexts} masks were taken back`);
      return { contexts, side, rethresholdS: (made - begun) / 1000, undoS: (undone - made) / 1000 };
    } finally {
      project.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeContexts({ store, blobs }: Project, count: number, side: number): Promise<number[]> {
  const random = Random.stream(1, 'saliency');
  const maps = Array.from({ length: count }, () => ({
    width: GRID,
    height: GRID,
    data: Uint8Array.from({ length: GRID * GRID }, () => random.below(256)),
  }));
  const masks = maps.map((map) => maskFromSaliency(map, side, side, { form: 'soft' }));
  const mapBlobs = blobs.putAll(await Promise.all(maps.map(encodeGrey)));
  const maskBlobs = blobs.putAll(await Promise.all(masks.map(encodeGrey)));
  return store.transaction(() => {
    const source = store.sources.add({ kind: 'folder', path: '/pictures', relativePath: null, addedAt: AT });
    const foundClassId = store.classes.ensure('bird').id;
    const file = { size: 1, mtimeMs: 0, width: side, height: side, format: 'png', orientation: 1 } as const;
    return maps.map((_, i) => {
      const path = `${i}.png`;
      const place = { sourceId: source.id, path, pathBytes: null, hash: sha256(path) };
      store.images.upsert([{ ...place, ...file, foundClassId, foundSplit: null }]);
      const made = { imageId: store.images.byPath(source.id, path)!.id, createdAt: AT };
      const model = { modelHash: sha256('model'), layer: 'last', runId: null, look: null };
      const known = { probability: 0.9, probabilityFrom: 'on-line' } as const;
      const grid = { width: GRID, height: GRID, blob: mapBlobs[i] };
      const saliency = store.saliencies.add({ ...made, ...model, ...known, ...grid });
      const mask = { width: side, height: side, blob: maskBlobs[i], area: maskArea(masks[i]), author: 'bench' };
      const how = { parentId: null, origin: 'soft', saliencyId: saliency.id, params: null } as const;
      const version = store.masks.add({ ...made, ...how, ...mask });
      return store.contexts.add({ ...made, maskId: version.id, probability: 0.9 }, 'bench').id;
    });
  });
}
