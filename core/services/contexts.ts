/** Contexts and the bank: decide on what was found, correct its masks. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileError, UserError } from '../base/errors.ts';
import { asJson, type Json } from '../base/json.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { MaskMakers } from '../contexts/mask-makers.ts';
import { maskArea, type MaskRule } from '../contexts/mask.ts';
import { decodeGrey, encodeGrey, type GreyImage } from '../data/decode.ts';
import { mapOrdered } from '../data/flow.ts';
import { settleDrafts } from './drafts.ts';
import { checkedRule } from './mask-rule.ts';
import { addMasks, type NewMask } from './mask-versions.ts';
import type { Project } from '../storage/project.ts';
import type { ContextFilter, ProjectStore } from '../storage/project-store.ts';
import type { Context, ContextState, ContextStep, ImageRecord, Mask, Saliency } from '../storage/records.ts';
import { contextMask } from './context-view.ts';
import { imagePicture } from './explain.ts';
import { requireContext } from './require.ts';

/** Who did something and when. */
export interface Act {
  author: string;
  at: string;
}

/** A context with what a list shows of it. */
export interface ContextLine {
  context: Context;
  image: ImageRecord;
  mask: Mask;
}

/** Contexts in order of id. */
export function listContexts({ store }: Project, filter: ContextFilter = {}): ContextLine[] {
  return store.contexts.list(filter).map((context) => lineOf(store, context));
}

/** Contexts by their ids, in the order asked for. @throws UserError 'not-found' */
export function contextLines({ store }: Project, ids: readonly number[]): ContextLine[] {
  return ids.map((id) => lineOf(store, requireContext(store, id)));
}

function lineOf(store: ProjectStore, context: Context): ContextLine {
  return { context, image: store.images.get(context.imageId)!, mask: store.masks.get(context.maskId)! };
}

/**
 * Accept, reject or put back contexts, all or none.
 * @returns how many changed
 * @throws UserError 'not-found' naming the first unknown context
 */
export function decideContexts(
  { store }: Project,
  ids: readonly number[],
  state: ContextState,
  { author, at }: Act,
): number {
  const kind = ({ accepted: 'accept', rejected: 'reject', undecided: 'reset' } as const)[state];
  return store.transaction(() => {
    const step = store.contexts.addStep({ kind, author, at });
    let changed = 0;
    for (const id of ids) {
      const context = requireContext(store, id);
      if (context.state === state) continue;
      store.contexts.setState(id, state, author, at, step);
      changed++;
    }
    return changed;
  });
}

/** What was taken back, and how many contexts it changed; those that something else has changed since were kept. */
export interface UndoneStep {
  kind: ContextStep['kind'];
  author: string;
  at: string;
  changed: number;
  kept: number;
}

/**
 * Take back the newest step over contexts that is in force, whoever took it: a decision, new masks, a restored mask.
 * @throws UserError 'empty' when there is none
 */
export function undoContexts({ store }: Project, { author, at }: Act): UndoneStep {
  const undone = store.contexts.undoStep(author, at);
  if (!undone) throw new UserError('empty', 'There is no step over contexts to take back.');
  const { step, changed, kept } = undone;
  return { kind: step.kind, author: step.author, at: step.at, changed, kept };
}

/** Masks that are kept at a time; few where each takes seconds, so that a person can stop between them. */
const MASKS_A_STEP = { plain: 256, refined: 16 };

/** Steps that are made side by side: no thread waits while the masks of another step are kept. */
const STEPS_AT_ONCE = 3;

/**
 * Make the masks of contexts anew by another rule, from their stored saliency; each is a new version, all are one step.
 * @returns how many were made
 * @throws UserError 'not-found'; 'usage' for a context whose mask no saliency stands behind; where the rule refines also
 *   'not-found', 'unreadable', 'changed' or 'damaged' naming a picture; 'cancelled': the masks made until then stay
 */
export async function remaskContexts(
  project: Project,
  ids: readonly number[],
  wanted: MaskRule,
  act: Act,
  { onEvent, signal }: { onEvent?: (event: Progress) => void; signal?: AbortSignal } = {},
): Promise<number> {
  const { store, blobs } = project;
  const rule = checkedRule(wanted);
  const meter = new ProgressMeter(onEvent ?? (() => {}), { stage: 'Making masks', unit: 'masks', total: ids.length });
  const roots = store.sources.all().map(({ kind, path }) => ({ kind, path }));
  const step = store.contexts.addStep({ kind: 'remask', ...act });
  await using makers = new MaskMakers(roots);
  const make = async (share: readonly number[]): Promise<NewMask[]> => {
    const orders = await Promise.all(
      share.map(async (id) => {
        const context = requireContext(store, id);
        const saliency = saliencyBehind(project, context);
        const picture = imagePicture(project, store.images.get(context.imageId)!, roots);
        return { order: { saliency: await decodeGrey(blobs.get(saliency.blob)), picture, rule }, id, saliency };
      }),
    );
    const made = await makers.make(orders.map(({ order }) => order));
    return orders.map(({ order: { picture }, id, saliency }, i) => {
      const { width, height } = picture;
      const params: Json = { rule: asJson(rule), model: saliency.modelHash };
      return { contextId: id, ...made[i], width, height, made: { origin: rule.form, saliencyId: saliency.id, params } };
    });
  };
  const size = MASKS_A_STEP[rule.refine ? 'refined' : 'plain'];
  const shares = Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.slice(i * size, (i + 1) * size));
  for await (const masks of mapOrdered(shares, STEPS_AT_ONCE, make)) {
    if (signal?.aborted) throw new UserError('cancelled', `${meter.done} of ${ids.length} masks were made.`);
    await addMasks(project, masks, act, step);
    meter.add(masks.length);
  }
  meter.finish();
  return ids.length;
}

/** The saliency behind the mask that is shown; a person's mask has none, so the newest stands in. */
function saliencyBehind({ store }: Project, { id, imageId, maskId }: Context): Saliency {
  const { saliencyId } = store.masks.get(maskId)!;
  const saliency = saliencyId === null ? store.saliencies.ofImage(imageId)[0] : store.saliencies.get(saliencyId);
  if (saliency) return saliency;
  throw new UserError('usage', `Context ${id} has no saliency to make a mask from. Run \`contexture contexts\` first.`);
}

/**
 * Replace a context's mask by one from a file: an 8-bit picture of the same upright size, white = context.
 * @throws UserError 'not-found'; 'usage' when the sizes differ; 'damaged' when the file is not a picture
 */
export async function editMask(project: Project, id: number, file: string, act: Act): Promise<Mask> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    requireContext(project.store, id);
    throw fileError(error, 'read the mask', file);
  }
  return putMask(project, id, { bytes, name: file }, act);
}

/** `editMask` with the file's bytes at hand. @param file.name path or name, for sentences and the history */
export async function putMask(
  project: Project,
  id: number,
  { bytes, name }: { bytes: Buffer; name: string },
  act: Act,
): Promise<Mask> {
  const { store } = project;
  const context = requireContext(store, id);
  const image = store.images.get(context.imageId)!;
  let mask: GreyImage;
  try {
    mask = await decodeGrey(bytes);
  } catch (error) {
    throw new UserError('damaged', `${name} is not a picture that can be read. Save the mask as an 8-bit PNG.`, {
      cause: error,
    });
  }
  if (mask.width !== image.width || mask.height !== image.height) {
    throw new UserError(
      'usage',
      `The mask ${name} is ${mask.width} x ${mask.height}, but ${image.path} is ${image.width} x ${image.height}. Save it at that size.`,
    );
  }
  const step = store.contexts.addStep({ kind: 'mask', ...act });
  const made = { origin: 'edit', saliencyId: null, params: { file: basename(name) } } as const;
  const { width, height } = mask;
  const drawn = { contextId: id, png: await encodeGrey(mask), width, height, area: maskArea(mask), made };
  const [version] = await addMasks(project, [drawn], act, step);
  return version;
}

/**
 * Go back to an earlier version of a context's mask. The versions in between stay.
 * @throws UserError 'not-found'
 */
export async function restoreMask(project: Project, id: number, maskId: number, { author, at }: Act): Promise<void> {
  const { store } = project;
  await settleDrafts(project, [id], at);
  const { maskId: inForce } = requireContext(store, id);
  contextMask(store, id, maskId);
  if (maskId === inForce) return;
  store.transaction(() => {
    const step = store.contexts.addStep({ kind: 'restore', author, at });
    store.contexts.setMask(id, maskId, author, at, undefined, step);
  });
}

/** A context with its mask versions (oldest first) and history. */
export function showContext(
  { store }: Project,
  id: number,
): ContextLine & {
  masks: Mask[];
  history: ReturnType<Project['store']['contexts']['history']>;
} {
  const context = requireContext(store, id);
  return {
    context,
    image: store.images.get(context.imageId)!,
    mask: store.masks.get(context.maskId)!,
    masks: store.masks.ofImage(context.imageId),
    history: store.contexts.history(id),
  };
}
