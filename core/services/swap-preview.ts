/** Swap preview: an image with contexts laid over it, and what a run's model says of it. Nothing is written. */
import type { SwapAnswer, SwapContext, SwapPreview, SwapRequest } from '../api/swap.ts';
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { Random } from '../base/random.ts';
import { effectiveClasses } from '../data/classes.ts';
import type { SnapshotRoot } from '../data/snapshot.ts';
import { encodePng } from '../export/png.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { swapPixels, type SwapAnswer as JobAnswer, type SwapMask } from '../predict/swap.ts';
import type { SwapResult, SwapSpec } from '../predict/swap-job.ts';
import type { Project } from '../storage/project.ts';
import type { ContextRow } from '../storage/project-store.ts';
import { cardOfRun, maskPixels, pixelsOf, targetOf, type ReadImage } from './bank-picture.ts';
import { contextMask, unusedReason } from './context-view.ts';
import { lookingRun } from './diversity.ts';
import { settleDrafts } from './drafts.ts';
import { imagePicture, requireModel } from './explain.ts';
import { engineJobEnvironment } from './job-environment.ts';
import { requireContextRows, requireImage } from './require.ts';
import { headOf } from './run-data.ts';

/**
 * Contexts of the bank at random, in the order drawn; never one whose picture is the image itself, by content.
 * @param seed the same draws the same ones from the same bank
 * @returns fewer than `count` where the bank has no more
 * @throws UserError 'not-found' for the image; 'empty' for a bank without any
 */
export function drawContexts(
  project: Project,
  { image: imageId, count, seed }: { image: number; count: number; seed: number },
): SwapContext[] {
  const { store } = project;
  const { hash } = requireImage(project.store, imageId);
  const bank = store.contexts.find({ states: ['accepted'], retired: false });
  const order = Random.stream(seed, 'swap preview').permutation(bank.length);
  const drawn: ContextRow[] = [];
  for (let start = 0; start < order.length && drawn.length < count; start += count) {
    const ids = Array.from(order.subarray(start, start + count), (index) => bank[index].id);
    const usable = store.contexts
      .rows(ids)
      .filter((row) => unusedReason(row) === null && store.images.get(row.imageId)!.hash !== hash);
    drawn.push(...usable.slice(0, count - drawn.length));
  }
  if (drawn.length === 0) {
    throw new UserError('empty', 'The bank has no context of another training image: accept some first.');
  }
  return drawn.map(describer(project));
}

function describer({ store }: Project): (row: ContextRow) => SwapContext {
  const classes = effectiveClasses(store);
  return ({ id, imageId, classId, maskId }) => {
    return { context: id, image: imageId, className: classes.get(classId)!.name, mask: maskId };
  };
}

/**
 * What a run says.
 * @throws UserError 'not-found' for the run, image or a context; 'empty' without a model; 'changed', … naming the image's
 *   file; 'engine', 'memory', 'cancelled'
 */
export async function previewSwap(
  project: Project,
  request: SwapRequest,
  runJob: RunJob,
  { signal }: Pick<RunJobOptions<Progress>, 'signal'> = {},
): Promise<SwapPreview> {
  const { store, blobs } = project;
  const run = lookingRun(project, request.run);
  const image = requireImage(project.store, request.image);
  const ids = [...new Set(request.contexts)];
  requireContextRows(store, ids);
  await settleDrafts(project, ids);
  const rows = requireContextRows(store, ids);
  const { lambdas, mask } = request;
  const className = effectiveClasses(store).get(image.classId)!.name;
  const roots: SnapshotRoot[] = [];
  const spec: SwapSpec = {
    model: blobs.path(requireModel(run)),
    blobFolder: blobs.folder,
    target: imagePicture(project, image, roots),
    className,
    contexts: rows.map(({ imageId, maskId }) => ({
      picture: imagePicture(project, requireImage(project.store, imageId), roots),
      maskBlob: store.masks.get(maskId)!.blob,
    })),
    roots,
    lambdas,
    mask,
  };
  const result = await runJob<SwapSpec, Progress, SwapResult>('swap', spec, {
    ...(signal ? { signal } : {}),
    // Beside a training: one thread, and no graphics card.
    env: { ...engineJobEnvironment(1), CUDA_VISIBLE_DEVICES: '-1' },
  });
  const inWords = (answers: readonly JobAnswer[]): SwapAnswer[] =>
    answers.map(({ label, probability, truth, changed }) => {
      const name = result.classes[label];
      return { name, probability, truth, right: name === className, changed };
    });
  const describe = describer(project);
  return {
    run: run.id,
    runName: run.name,
    image: image.id,
    path: image.path,
    className,
    lambdas,
    mask,
    heads: result.heads,
    judgedBy: headOf(run),
    plain: inWords(result.plain),
    rows: rows.map((row, i) => {
      const { problem, cells } = result.rows[i];
      return { ...describe(row), problem, cells: cells.map(inWords) };
    }),
  };
}

/** One picture of a preview. */
export interface SwapPictureQuery {
  image: number;
  run: number;
  /** The image as it is when absent. */
  context?: number | undefined;
  /** Version of its mask; the one in force when absent. */
  version?: number | undefined;
  lambda: number;
  mask: SwapMask;
}

/**
 * A picture of a preview, as the model sees it.
 * @returns PNG at input size
 * @throws UserError 'not-found', 'empty' without a model, 'changed', 'damaged'; whatever `read` throws
 */
export async function swapPicture(project: Project, query: SwapPictureQuery, read: ReadImage): Promise<Buffer> {
  const { store } = project;
  const image = requireImage(project.store, query.image);
  const target = targetOf(await cardOfRun(project, query.run));
  let pixels = await pixelsOf(image, target, read);
  if (query.context !== undefined) {
    const { imageId, blob } = contextMask(store, query.context, query.version);
    const lent = {
      pixels: await pixelsOf(requireImage(project.store, imageId), target, read),
      mask: await maskPixels(project, blob, target),
    };
    pixels = swapPixels(pixels, lent, query.lambda, query.mask);
  }
  return encodePng(pixels, target);
}
