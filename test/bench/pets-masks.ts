/**
 * How well context masks fit real ones: a network trained from scratch on the pets pack, its masks on held-out pictures
 * against the trimaps. IoU of "context" (M >= 0.5) with label 2 (background), border pixels (label 3) left out on both
 * sides, mean over pictures, beside two masks that know nothing: all context, and a centred ellipse as foreground.
 */
import { join } from 'node:path';
import sharp from 'sharp';
import type { ContextsEvent, ContextsResult, ContextsSpec, FoundContext } from '../../core/contexts/contexts-job.ts';
import { decodeGrey } from '../../core/data/decode.ts';
import { indicesOfSplit, readSnapshot } from '../../core/data/snapshot.ts';
import { engineEnvironment, readEngineInstall } from '../../core/engine/install.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { assignSplit } from '../../core/services/edits.ts';
import { train, withProject } from './project.ts';
import { unpack } from './packs.ts';

const BACKGROUND = 2;
const BORDER = 3;
/** Semi-axes of the ellipse, as a share of width and height: its area is about the animals'. */
const ELLIPSE = 0.35;

export async function petsMasks({ epochs = 30, inputSize = 64, size = 128, seed = 1 }): Promise<object> {
  const pack = unpack('pets-trimaps');
  return withProject(join(pack, 'images'), async (project) => {
    assignSplit(project.store, { val: 0, test: 0.3, seed }, { author: 'bench', at: new Date().toISOString() });
    const { run, figures } = await train(project, {
      method: 'ce',
      preset: 'small',
      overrides: { epochs, inputSize, seed, evaluateEvery: epochs, model: { kind: 'resnet-cifar', blocks: 2 } },
    });
    const snapshot = readSnapshot(project.blobs, run.datasetBlob);
    const held = indicesOfSplit(snapshot, 'test');
    const found: FoundContext[] = [];
    const spec: ContextsSpec = {
      snapshotBlob: run.datasetBlob,
      indices: held,
      blobFolder: project.blobs.folder,
      cacheFolder: project.cacheFolder,
      modelBlob: run.modelBlob!,
      size,
      rule: { form: 'soft' },
      probability: { from: 'training' },
    };
    await runJob<ContextsSpec, ContextsEvent, ContextsResult>('contexts', spec, {
      env: engineEnvironment(readEngineInstall(), { threads: 0 }),
      onEvent: (event) => {
        if (event.type === 'contexts') found.push(...event.found);
      },
    });
    const sums = { masks: 0, allContext: 0, ellipse: 0 };
    for (const { imageId, mask } of found) {
      const { path } = snapshot.images.find(({ id }) => id === imageId)!;
      const { data: trimap, info } = await sharp(join(pack, 'trimaps', path.replace(/\.jpg$/, '.png')))
        .raw()
        .toBuffer({ resolveWithObject: true });
      const { data, width, height } = await decodeGrey(project.blobs.get(mask.blob));
      if (info.width !== width || info.height !== height) throw new Error(`the trimap of ${path} has another size`);
      const label = (i: number): number => trimap[i * info.channels];
      sums.masks += iou(width * height, label, (i) => data[i] >= 127.5);
      sums.allContext += iou(width * height, label, () => true);
      sums.ellipse += iou(width * height, label, (i) => {
        const x = ((i % width) + 0.5) / width - 0.5;
        const y = (Math.floor(i / width) + 0.5) / height - 0.5;
        return x * x + y * y > ELLIPSE * ELLIPSE;
      });
    }
    const mean = (sum: number): number => sum / found.length;
    return {
      name: 'pets-masks',
      pictures: found.length,
      top1: figures.top1!.value,
      iou: { masks: mean(sums.masks), allContext: mean(sums.allContext), ellipse: mean(sums.ellipse) },
    };
  });
}

/** Intersection over union of two sets of pixels, border pixels left out. */
function iou(pixels: number, label: (i: number) => number, isContext: (i: number) => boolean): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < pixels; i++) {
    if (label(i) === BORDER) continue;
    const truth = label(i) === BACKGROUND;
    const named = isContext(i);
    if (truth && named) both++;
    if (truth || named) either++;
  }
  return either === 0 ? 1 : both / either;
}
