/** The preview job: plans an export and makes a few of its pictures, by the same code as the export. Nothing is kept. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../base/errors.ts';
import { freeBytes } from '../base/free-space.ts';
import type { Progress } from '../base/progress.ts';
import { bankBackgrounds, type BankBackgrounds } from '../contexts/bank-backgrounds.ts';
import { readBank, type BankEntry } from '../contexts/bank.ts';
import { readSnapshot, type DatasetSnapshot } from '../data/snapshot.ts';
import type { Job } from '../jobs/protocol.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { scaleBytes } from './estimate.ts';
import { isUnfinished } from './folder-state.ts';
import type { PlanItem } from './item.ts';
import { planExport, type ExportPlan } from './plan.ts';
import {
  contextUse,
  pickSamples,
  previewClasses,
  previewWarnings,
  type ContextUse,
  type PreviewClass,
} from './preview.ts';
import type { ExportRecipe } from './recipe.ts';
import { Workshop } from './workshop.ts';

export interface PreviewSpec {
  recipe: ExportRecipe;
  /** Absolute folder that would be written; null while none is chosen. */
  out: string | null;
  blobFolder: string;
  snapshotBlob: BlobId;
  bankBlob: BlobId;
  /** Pictures to make, and the seed that picks them. */
  samples: number;
  seed: number;
}

/** A picture as the export would write it. */
export interface PreviewSample {
  file: string;
  class: string;
  kind: PlanItem['kind'];
  /** Ids of images. */
  source: number;
  contextImage: number | null;
  contextId: number | null;
  /** Id of the plain background that lies on it. */
  background: number | null;
  lambda: number | null;
  /** Of the picture as it would be written: pixels, bytes. */
  width: number;
  height: number;
  bytes: number;
  /** It, reduced for the eye, as WebP in base64; null where it could not be made, and why. */
  picture: string | null;
  problem: string | null;
}

export interface PreviewResult {
  classes: PreviewClass[];
  /** Pictures in all; new ones among them. */
  pictures: number;
  added: number;
  contexts: ContextUse;
  /** Why the export would be refused; then `classes` say what was asked for. */
  problem: string | null;
  warnings: string[];
  /** Estimated bytes on disk, and bytes that are free there; null where they are not known. */
  bytes: number | null;
  free: number | null;
  samples: PreviewSample[];
}

/** Longer side of a shown picture, pixels. */
const SHOWN = 320;

export const previewJob: Job<PreviewSpec, Progress, PreviewResult> = async (spec, port) => {
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const bank = readBank(blobs, spec.bankBlob);
  const { plan, problem } = tryPlan(snapshot, bank, spec.recipe);
  const classes = previewClasses(snapshot, plan);
  const use = contextUse(snapshot, bank, plan, spec.recipe);
  const items = problem === null ? pickSamples(plan, spec.samples, spec.seed) : [];
  const samples = await makeSamples(spec, snapshot, bankBackgrounds(snapshot, bank), items, port.signal);
  const made = items.filter((_, index) => samples[index].picture !== null);
  const madeBytes = samples.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = made.length > 0 ? scaleBytes(madeBytes, made, plan.items) : null;
  const free = spec.out === null ? null : freeBytes(spec.out);
  const warnings = problem === null ? previewWarnings(classes, use, plan, spec.recipe) : [];
  if (bytes !== null && free !== null && bytes > free) {
    warnings.unshift('The disk has not enough free space for it: choose another folder or ask for fewer pictures.');
  }
  return {
    classes,
    pictures: plan.items.length,
    added: plan.classes.reduce((sum, { added }) => sum + added, 0),
    contexts: use,
    problem: problem ?? folderProblem(spec.out),
    warnings,
    bytes,
    free,
    samples,
  };
};

/** The plan; where the recipe asks for more than there is, the plan of plain copies, which has the same numbers. */
function tryPlan(
  snapshot: DatasetSnapshot,
  bank: readonly BankEntry[],
  recipe: ExportRecipe,
): { plan: ExportPlan; problem: string | null } {
  try {
    return { plan: planExport(snapshot, bank, recipe), problem: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    try {
      return { plan: planExport(snapshot, [], { ...recipe, arm: 'no-paste' }), problem: error.message };
    } catch (second) {
      if (!(second instanceof UserError)) throw second;
      const classes = snapshot.classes.map((name) => ({ name, folder: name, originals: 0, added: 0 }));
      return { plan: { classes, items: [], leftOut: [] }, problem: error.message };
    }
  }
}

function folderProblem(out: string | null): string | null {
  if (out === null || !existsSync(out) || isUnfinished(out)) return null;
  const content = readdirSync(out);
  return content.length === 0 ? null : `${out} is not empty: nothing there is overwritten. Choose a new folder.`;
}

async function makeSamples(
  { recipe, blobFolder }: PreviewSpec,
  snapshot: DatasetSnapshot,
  { roots, backgrounds }: BankBackgrounds,
  items: readonly PlanItem[],
  signal: AbortSignal,
): Promise<PreviewSample[]> {
  if (items.length === 0) return [];
  const images = new Map(snapshot.images.map((image) => [image.id, image]));
  const { mask, format } = recipe;
  const workshop = new Workshop(images, backgrounds, { roots, blobFolder, mask, format }, items.length);
  const folder = await mkdtemp(join(tmpdir(), 'contexture-preview-'));
  try {
    return await Promise.all(
      items.map(async (item, index) => {
        if (signal.aborted) throw new UserError('cancelled', 'The preview was cancelled.');
        return makeSample(workshop, item, join(folder, String(index)));
      }),
    );
  } finally {
    await workshop.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeSample(workshop: Workshop, item: PlanItem, path: string): Promise<PreviewSample> {
  const { file, kind, source, context, width, height } = item;
  const sample: PreviewSample = {
    file,
    class: item.class,
    kind,
    source: source.id,
    contextImage: context?.image.id ?? null,
    contextId: context?.id ?? null,
    background: context?.background ?? null,
    lambda: context?.lambda ?? null,
    width,
    height,
    bytes: 0,
    picture: null,
    problem: null,
  };
  try {
    const { bytes } = await workshop.make(item, path);
    const shown = await sharp(await readFile(path))
      .resize(SHOWN, SHOWN, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 90 })
      .toBuffer();
    return { ...sample, bytes, picture: shown.toString('base64') };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...sample, problem: error.message };
  }
}
