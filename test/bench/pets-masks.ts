/**
 * How well context masks fit real ones, on held-out pictures of the pets pack against their trimaps. IoU of "context"
 * (M >= 0.5) with label 2 (background), border pixels (label 3) left out on both sides, mean over pictures, beside two masks
 * that know nothing: all context, and a centred ellipse as foreground. Looked at once, at two sizes, refined by the
 * picture's own edges, and both.
 *
 * `--seeds 3` runs; `--photos 200` fine-tunes by the preset photos-200 (the backbone has to be here), 0 trains a small
 * network from scratch. The split is one for all seeds: sizes and the refinement were chosen on pictures of its training
 * part, and nothing is chosen here.
 */
import { join } from 'node:path';
import type { ContextsEvent, ContextsResult, ContextsSpec, FoundContext } from '../../core/contexts/contexts-job.ts';
import { defaultLook } from '../../core/contexts/default-look.ts';
import { MaskMakers } from '../../core/contexts/mask-makers.ts';
import { DEFAULT_REFINEMENT } from '../../core/contexts/mask.ts';
import type { SaliencyLook } from '../../core/contexts/saliency-look.ts';
import { decodeGrey } from '../../core/data/decode.ts';
import { indicesOfSplit, readSnapshot, type DatasetSnapshot } from '../../core/data/snapshot.ts';
import { engineEnvironment, readEngineInstall } from '../../core/engine/install.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { assignSplit } from '../../core/services/edits.ts';
import type { RunRequest } from '../../core/services/training-plan.ts';
import type { Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { TrainConfig } from '../../core/training/config.ts';
import { PRESETS } from '../../core/training/presets.ts';
import { train, withProject } from './project.ts';
import { unpack } from './packs.ts';
import { contextIou, trimapOf } from './trimaps.ts';

/** Semi-axes of the ellipse, as a share of width and height: its area is about the animals'. */
const ELLIPSE = 0.35;
/** Of the split: its pictures are the ones that have been scored since there are masks. */
const SPLIT_SEED = 1;
/** From scratch: side of the pictures, and the finer size that masks are made at. */
const SCRATCH = { inputSize: 64, size: 128 };

export async function petsMasks({ seeds = 3, photos = 0, epochs = 0 }): Promise<object> {
  const pack = unpack('pets-trimaps');
  return withProject(join(pack, 'images'), async (project) => {
    assignSplit(
      project.store,
      { val: 0, test: 0.3, seed: SPLIT_SEED },
      { author: 'bench', at: new Date().toISOString() },
    );
    const runs: { seed: number; top1: number; iou: Record<string, number> }[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const { run, figures } = await train(project, requestOf(photos, epochs, seed));
      const scores = await scoreRun(project, run, pack, photos > 0);
      console.error(JSON.stringify(scores));
      runs.push({ seed, top1: figures.top1!.value, iou: scores });
    }
    const mean = (of: (run: (typeof runs)[number]) => number): number =>
      runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
    return {
      name: 'pets-masks',
      trained: photos > 0 ? `photos-${photos}` : 'from scratch',
      top1: mean(({ top1 }) => top1),
      iou: Object.fromEntries(Object.keys(runs[0].iou).map((key) => [key, mean((run) => run.iou[key])])),
      runs,
    };
  });
}

function requestOf(photos: number, epochs: number, seed: number): RunRequest {
  const name = photos > 0 ? `photos-${photos}` : 'small';
  const preset = PRESETS.find((one) => one === name);
  if (preset === undefined) throw new Error(`there is no preset ${name}: choose one of ${PRESETS.join(', ')}`);
  const model = { kind: 'resnet-cifar', blocks: 2 } as const;
  const scratch = photos > 0 ? {} : { inputSize: SCRATCH.inputSize, model, epochs: 30, evaluateEvery: 30 };
  const overrides = { ...scratch, seed, ...(epochs > 0 ? { epochs, evaluateEvery: epochs } : {}) };
  return { method: 'ce', preset, overrides };
}

/** Mean IoU over the held-out pictures, by kind of mask. */
async function scoreRun(project: Project, run: Run, pack: string, photos: boolean): Promise<Record<string, number>> {
  const { model, inputSize } = TrainConfig.parse(run.config);
  const sizes = photos ? defaultLook({ model, inputSize }).sizes : [SCRATCH.size, SCRATCH.inputSize];
  const snapshot = readSnapshot(project.blobs, run.datasetBlob);
  const plain = await lookAtHeldOut(project, run, snapshot, { sizes: sizes.slice(0, 1), mirror: false });
  const twice = await lookAtHeldOut(project, run, snapshot, { sizes, mirror: false });
  const refinedPlain = await refined(project, snapshot, plain);
  const refinedTwice = await refined(project, snapshot, twice);
  const scores = await Promise.all(
    [...plain.keys()].map(async (imageId) => {
      const { path } = snapshot.images.find(({ id }) => id === imageId)!;
      const trimap = await trimapOf(join(pack, 'trimaps', path.replace(/\.jpg$/, '.png')));
      const score = async (png: Uint8Array): Promise<number> => {
        const { data, width, height } = await decodeGrey(Buffer.from(png));
        if (trimap.width !== width || trimap.height !== height)
          throw new Error(`the trimap of ${path} has another size`);
        return contextIou(trimap, (i) => data[i] >= 127.5);
      };
      return {
        plain: await score(project.blobs.get(plain.get(imageId)!.mask.blob)),
        twoSizes: await score(project.blobs.get(twice.get(imageId)!.mask.blob)),
        refined: await score(refinedPlain.get(imageId)!),
        both: await score(refinedTwice.get(imageId)!),
        allContext: contextIou(trimap, () => true),
        ellipse: contextIou(trimap, (i) => {
          const x = ((i % trimap.width) + 0.5) / trimap.width - 0.5;
          const y = (Math.floor(i / trimap.width) + 0.5) / trimap.height - 0.5;
          return x * x + y * y > ELLIPSE * ELLIPSE;
        }),
      };
    }),
  );
  const mean = (key: keyof (typeof scores)[number]): number =>
    scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
  return {
    plain: mean('plain'),
    twoSizes: mean('twoSizes'),
    refined: mean('refined'),
    both: mean('both'),
    allContext: mean('allContext'),
    ellipse: mean('ellipse'),
  };
}

/** Saliency and soft masks of the held-out pictures, by image. */
async function lookAtHeldOut(
  project: Project,
  run: Run,
  snapshot: DatasetSnapshot,
  look: SaliencyLook,
): Promise<Map<number, FoundContext>> {
  const found = new Map<number, FoundContext>();
  const spec: ContextsSpec = {
    snapshotBlob: run.datasetBlob,
    indices: indicesOfSplit(snapshot, 'test'),
    blobFolder: project.blobs.folder,
    cacheFolder: project.cacheFolder,
    modelBlob: run.modelBlob!,
    look,
    rule: { form: 'soft' },
    probability: { from: 'training' },
  };
  await runJob<ContextsSpec, ContextsEvent, ContextsResult>('contexts', spec, {
    env: engineEnvironment(readEngineInstall(), { threads: 0 }),
    onEvent: (event) => {
      if (event.type === 'contexts') for (const one of event.found) found.set(one.imageId, one);
    },
  });
  return found;
}

/** The masks made again from their saliency, refined; PNG by image. */
async function refined(
  project: Project,
  snapshot: DatasetSnapshot,
  found: ReadonlyMap<number, FoundContext>,
): Promise<Map<number, Uint8Array>> {
  await using makers = new MaskMakers(snapshot.roots);
  const orders = await Promise.all(
    [...found.values()].map(async ({ imageId, saliency }) => ({
      saliency: await decodeGrey(project.blobs.get(saliency.blob)),
      picture: snapshot.images.find(({ id }) => id === imageId)!,
      rule: { form: 'soft', refine: DEFAULT_REFINEMENT } as const,
    })),
  );
  const made = await makers.make(orders);
  return new Map(orders.map(({ picture }, i) => [picture.id, made[i].png]));
}
