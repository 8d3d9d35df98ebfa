/** Contexts and the bank: find them with a finished run, decide on them, correct their masks. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileError, UserError } from '../base/errors.ts';
import { asJson, canonicalJson, type Json } from '../base/json.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import type { ContextsEvent, ContextsResult, ContextsSpec, FoundContext } from '../contexts/contexts-job.ts';
import { defaultLook, defaultRule } from '../contexts/default-look.ts';
import { MaskMakers } from '../contexts/mask-makers.ts';
import { maskArea, type MaskRule } from '../contexts/mask.ts';
import type { SaliencyLook } from '../contexts/saliency-look.ts';
import { decodeGrey, encodeGrey, type GreyImage } from '../data/decode.ts';
import { mapOrdered } from '../data/flow.ts';
import { putSnapshot, takeSnapshot, type DatasetSnapshot } from '../data/snapshot.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { resolveThreads } from '../engine/fingerprint.ts';
import { settleDrafts } from './drafts.ts';
import { engineJobEnvironment } from './job-environment.ts';
import { addMasks, type NewMask } from './mask-versions.ts';
import type { Project } from '../storage/project.ts';
import type { ContextFilter, ProjectStore } from '../storage/project-store.ts';
import type { Context, ContextState, ContextStep, ImageRecord, Mask, Run, Saliency } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { contextMask } from './context-view.ts';
import { imagePicture } from './explain.ts';
import { requireContext } from './require.ts';
import { findRun } from './run-data.ts';

/** Who did something and when. */
export interface Act {
  author: string;
  at: string;
}

export interface FindOptions {
  /** The run whose model looks; the newest finished one when absent. */
  runId?: number;
  /** Shorter side that goes through the network, pixels; as suits the model when absent (`defaultLook`). */
  size?: number;
  /** A second one, whose map is averaged with the first one's; as suits the model when both are absent. */
  secondSize?: number;
  /** Average in the maps of the mirror images; as suits the model when absent. */
  mirror?: boolean;
  /** As suits the model when absent (`defaultRule`). */
  rule?: MaskRule;
  /** Where p(true class) comes from; "on-line" when absent. `folds` as in `ContextsSpec`. */
  probability?: { from: 'on-line' } | { from: 'held-out'; folds: number };
}

export interface FindSummary {
  runId: number;
  /** Training images looked at now, and those that had been looked at in the same way before. */
  found: number;
  known: number;
}

type Running = Pick<RunJobOptions<ContextsEvent>, 'onEvent' | 'signal'>;

/**
 * Find contexts in the training split. Images that this model has been through before, with the same size, rule and
 * source of probability, are left out, so an interrupted call goes on. A context that a person has decided on, or whose
 * mask a person made, keeps that; the new mask joins its history.
 * @throws UserError 'empty' without a finished run, 'not-found', 'usage'; 'changed' or 'not-found' naming a file
 */
export async function findContexts(
  project: Project,
  options: FindOptions,
  act: Act,
  runJob: RunJob,
  { onEvent, signal }: Running = {},
): Promise<FindSummary> {
  const { store, blobs } = project;
  const run = finishedRun(project, options.runId);
  const config = TrainConfig.parse(run.config);
  const rule = checkedRule(options.rule ?? defaultRule(config));
  const look = lookOf(config, options);
  const snapshot = takeSnapshot(store);
  const wanted = options.probability ?? { from: 'on-line' };
  if (wanted.from === 'held-out' && !(Number.isInteger(wanted.folds) && wanted.folds >= 2 && wanted.folds <= 20)) {
    throw new UserError('usage', `${wanted.folds} folds cannot be judged one by the others. Choose 2 to 20.`);
  }
  const probabilityFrom = wanted.from === 'held-out' ? `${wanted.folds} folds` : wanted.from;
  const params: Json = {
    rule: asJson(rule),
    model: run.modelBlob,
    size: look.sizes[0],
    // What was not there before is left out where it is not used, so that what was found before counts as found.
    ...(look.sizes.length > 1 ? { secondSize: look.sizes[1] } : {}),
    ...(look.mirror ? { mirror: true } : {}),
    probability: probabilityFrom,
  };
  const done = new Set(alreadyFound(project, params));
  const indices = snapshot.images.flatMap(({ id, split }, index) =>
    split === 'train' && !done.has(id) ? [index] : [],
  );
  const summary = { runId: run.id, found: 0, known: trainImages(snapshot) - indices.length };
  if (indices.length === 0) return summary;
  const spec: ContextsSpec = {
    snapshotBlob: putSnapshot(blobs, snapshot),
    indices,
    blobFolder: blobs.folder,
    cacheFolder: project.cacheFolder,
    modelBlob: run.modelBlob!,
    look,
    rule,
    probability:
      wanted.from === 'on-line'
        ? { from: 'on-line', predictionsBlob: run.predictionsBlob! }
        : { from: 'held-out', folds: wanted.folds, config },
  };
  const receive = (event: ContextsEvent): void => {
    if (event.type !== 'contexts') {
      onEvent?.(event);
      return;
    }
    store.transaction(() => {
      for (const found of event.found) keep(project, { run, layer: event.layer, look, rule, params }, found, act);
    });
    summary.found += event.found.length;
  };
  await runJob<ContextsSpec, ContextsEvent, ContextsResult>('contexts', spec, {
    onEvent: receive,
    ...(signal ? { signal } : {}),
    env: engineJobEnvironment(resolveThreads(config.threads)),
  });
  return summary;
}

/** Bounds of a saliency size, pixels. */
const LEAST_SIZE = 32;
const MOST_SIZE = 1024;

/** How pictures are looked at: as asked for, the rest as suits the run's model. @throws UserError 'usage' */
function lookOf(config: TrainConfig, { size, secondSize, mirror }: FindOptions): SaliencyLook {
  const usual = defaultLook(config);
  const asked = [size ?? usual.sizes[0], ...(secondSize === undefined ? [] : [secondSize])];
  const sizes = size === undefined && secondSize === undefined ? usual.sizes : asked;
  const wrong = sizes.find((one) => !Number.isInteger(one) || one < LEAST_SIZE || one > MOST_SIZE);
  if (wrong !== undefined) {
    throw new UserError(
      'usage',
      `A saliency size of ${wrong} px is out of its range. Choose ${LEAST_SIZE} to ${MOST_SIZE}.`,
    );
  }
  if (sizes[0] === sizes[1]) {
    throw new UserError('usage', `Both saliency sizes are ${sizes[0]} px. Choose two that differ, or one alone.`);
  }
  return { sizes, mirror: mirror ?? usual.mirror };
}

/** A rule with sensible numbers. @throws UserError 'usage' */
function checkedRule(rule: MaskRule): MaskRule {
  const { refine } = rule;
  if (refine === undefined) return rule;
  const { radius, epsilon, grain = 1 } = refine;
  if (radius > 0 && radius <= 0.5 && epsilon > 0 && grain > 0) return rule;
  throw new UserError(
    'usage',
    `A mask cannot be refined with a radius of ${radius} and an epsilon of ${epsilon}. Choose a radius over 0 and up to 0.5 of the shorter side, and an epsilon and a grain over 0.`,
  );
}

/** The run asked for, or the newest finished one. */
function finishedRun(project: Project, runId: number | undefined): Run {
  if (runId === undefined) {
    const run = project.store.runs.list().find(({ state, modelBlob }) => state === 'finished' && modelBlob !== null);
    if (run) return run;
    throw new UserError(
      'empty',
      'No run has finished yet, so there is no model to find contexts with. Train one with `contexture train`.',
    );
  }
  const run = findRun(project, runId);
  if (run.state !== 'finished' || !run.modelBlob) {
    throw new UserError(
      'usage',
      `Run ${runId} (${run.name}) has not finished. Resume it with \`contexture resume ${runId}\`.`,
    );
  }
  return run;
}

function trainImages(snapshot: DatasetSnapshot): number {
  return snapshot.images.filter(({ split }) => split === 'train').length;
}

/** Images that have a mask made in this very way. */
function alreadyFound({ store }: Project, params: Json): number[] {
  const wanted = canonicalJson(params);
  return store.contexts
    .list()
    .filter(({ imageId }) => store.masks.ofImage(imageId).some((mask) => canonicalJson(mask.params) === wanted))
    .map(({ imageId }) => imageId);
}

/** How contexts are found; `params` is what a mask version remembers of it. */
interface Search {
  run: Run;
  layer: string;
  look: SaliencyLook;
  rule: MaskRule;
  params: Json;
}

/** Store what was found in one picture. */
function keep(
  { store }: Project,
  { run, layer, look, rule, params }: Search,
  found: FoundContext,
  { author, at }: Act,
): void {
  const saliency = store.saliencies.add({
    imageId: found.imageId,
    modelHash: run.modelBlob!,
    layer,
    runId: run.id,
    ...found.saliency,
    look: asJson(look),
    createdAt: at,
  });
  const context = store.contexts.ofImage(found.imageId);
  const mask = store.masks.add({
    imageId: found.imageId,
    parentId: null,
    origin: rule.form,
    saliencyId: saliency.id,
    params,
    ...found.mask,
    author,
    createdAt: at,
  });
  const { probability } = found.saliency;
  if (!context) {
    store.contexts.add({ imageId: found.imageId, maskId: mask.id, probability, createdAt: at }, author);
    return;
  }
  const current = store.masks.get(context.maskId)!;
  const byPerson = current.origin === 'edit' || current.origin === 'import';
  if (context.state === 'undecided' && !byPerson && !store.drafts.isPending(context.id)) {
    store.contexts.setMask(context.id, mask.id, author, at, probability);
  }
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
