/**
 * How often the leftover check is right about why (core/contexts/leftover-verdict.ts), on made pictures whose truth is known:
 * sample pictures, whose objects and scenes were drawn apart, with masks that leave nothing of the object, a rim of it, or half
 * of it. Small classes stand in front of one or two scenes of their own ("tied"), the others in front of any ("free").
 *
 * `objects`: pictures as they are. Truth: "leftover" where a part is left in a free class, "usual-background" where nothing is
 * left in a tied one; where a part is left in a tied class both hold, and either is counted apart.
 * `outlines`: every object is painted in one grey, so that a model can only know its outline; masks are exact, of free classes.
 *
 * `--seed 11` of the data (the thresholds were chosen on seed 5); `--epochs 20`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { morph } from '../../core/contexts/mask-morphology.ts';
import { planSample, type SamplePicture, type SamplePlan } from '../../core/data/sample/plan.ts';
import { renderPicture } from '../../core/data/sample/render.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { importSource } from '../../core/services/import.ts';
import { checkLeftovers, leftoverContexts } from '../../core/services/leftover.ts';
import { startRun } from '../../core/services/runs.ts';
import { writeSample } from '../../core/services/sample-data.ts';
import { openProject } from '../../core/storage/project.ts';
import type { ImageRecord } from '../../core/storage/records.ts';
import { sqliteStorage } from '../../db/index.ts';
import { acceptMask } from '../fixtures/accept-mask.ts';

const SIZE = 32;
const PIXELS = { width: SIZE, height: SIZE };
/** Of the masks, pixels: round the object that nothing is left of, and of the rim that is left. */
const MARGIN = 3;
/** Nearly the mean of the pictures, as the hole is painted. */
const GREY = 120;
const ACT = { author: 'bench', at: '2026-01-01T00:00:00.000Z' };

type Cut = 'margin' | 'exact' | 'rim' | 'half';
interface Tally {
  contexts: number;
  flagged: number;
  leftover: number;
  'usual-background': number;
  outline: number;
}

export async function leftoverVerdicts({ seed = 11, epochs = 20 }): Promise<object> {
  const objects = await judge(seed, epochs, ['margin', 'exact', 'rim', 'half'], false);
  const outlines = await judge(seed, epochs, ['exact'], true);
  const truths: [Tally[], keyof Tally][] = [
    [[objects['free rim'], objects['free half']], 'leftover'],
    [[objects['tied margin'], objects['tied exact']], 'usual-background'],
    [[outlines['free exact']], 'outline'],
  ];
  const right = Object.fromEntries(
    truths.map(([tallies, truth]) => {
      const sum = (of: keyof Tally): number => tallies.reduce((all, tally) => all + tally[of], 0);
      return [truth, { flagged: sum('flagged'), right: sum(truth), share: sum(truth) / sum('flagged') }];
    }),
  );
  return { bench: 'leftover-verdicts', seed, epochs, right, objects, outlines };
}

async function judge(
  seed: number,
  epochs: number,
  cuts: readonly Cut[],
  grey: boolean,
): Promise<Record<string, Tally>> {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-verdicts-'));
  const settings = { seed, size: SIZE, largest: 120, ratio: 4, testPerScene: 1 };
  const plan = planSample(settings);
  const pictures = join(folder, 'pictures');
  await writeSample(pictures, settings, { emit: () => {}, signal: new AbortController().signal });
  if (grey) await paintGrey(plan, seed, pictures);
  const project = openProject(sqliteStorage, join(folder, 'verdicts.contexture'), { create: true, program: 'bench' });
  try {
    await importSource(project, { path: pictures }, runJob);
    const overrides = {
      model: { kind: 'resnet-cifar', blocks: 1 },
      epochs,
      batchSize: 16,
      bankSize: 16,
      learningRate: 0.05,
      threads: 2,
    } as const;
    const run = await startRun(project, { method: 'ce', preset: 'small', overrides }, runJob);
    const kinds = new Map<number, string>();
    const files = new Map(plan.pictures.map((picture) => [picture.file, picture]));
    const tied = new Set(plan.classes.filter(({ scenes }) => scenes.length <= 2).map(({ name }) => name));
    for (const [i, image] of [...project.store.images.iterate({ split: 'train' })].entries()) {
      const picture = files.get(image.path)!;
      const cut = cuts[i % cuts.length];
      const data = cutOut(cut, objectMask(seed, picture), seed, image);
      await acceptMask(project, { imageId: image.id, mask: { ...PIXELS, data }, probability: 1, act: ACT });
      const { id } = project.store.contexts.ofImage(image.id)!;
      kinds.set(id, `${tied.has(picture.class) ? 'tied' : 'free'} ${cut}`);
    }
    await checkLeftovers(project, { runId: run.id }, runJob);
    return tallied(leftoverContexts(project, run.id, { part: 'all', limit: 100_000, offset: 0 }).contexts, kinds);
  } finally {
    project.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function tallied(
  contexts: ReturnType<typeof leftoverContexts>['contexts'],
  kinds: ReadonlyMap<number, string>,
): Record<string, Tally> {
  const table: Record<string, Tally> = {};
  for (const { context, flagged, verdict } of contexts) {
    const tally = (table[kinds.get(context)!] ??= {
      contexts: 0,
      flagged: 0,
      leftover: 0,
      'usual-background': 0,
      outline: 0,
    });
    tally.contexts++;
    if (!flagged) continue;
    tally.flagged++;
    if (verdict !== null) tally[verdict]++;
  }
  return table;
}

/** 0 where the object is, 255 elsewhere. */
function objectMask(seed: number, picture: SamplePicture): Uint8Array {
  const [whole, behind] = [true, false].map((object) => renderPicture(seed, SIZE, picture, object));
  return Uint8Array.from({ length: SIZE * SIZE }, (_, at) =>
    [0, 1, 2].some((channel) => whole[3 * at + channel] !== behind[3 * at + channel]) ? 0 : 255,
  );
}

function cutOut(cut: Cut, exact: Uint8Array, seed: number, { path }: ImageRecord): Uint8Array {
  switch (cut) {
    case 'margin':
      return morph({ ...PIXELS, data: exact }, 'shrink', MARGIN);
    case 'exact':
      return exact;
    case 'rim':
      return morph({ ...PIXELS, data: exact }, 'grow', MARGIN);
    case 'half': {
      const left = Random.stream(seed, path).below(2) === 0;
      return exact.map((value, at) => (at % SIZE < SIZE / 2 === left ? 255 : value));
    }
  }
}

async function paintGrey(plan: SamplePlan, seed: number, folder: string): Promise<void> {
  for (const picture of plan.pictures) {
    const mask = objectMask(seed, picture);
    const pixels = renderPicture(seed, SIZE, picture).map((value, i) => (mask[Math.floor(i / 3)] === 0 ? GREY : value));
    const raw = { ...PIXELS, channels: 3 } as const;
    await sharp(pixels, { raw }).png().toFile(join(folder, picture.file));
  }
}
