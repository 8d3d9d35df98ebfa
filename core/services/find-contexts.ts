/** Finds contexts with the model of a finished run. */
import { UserError } from '../base/errors.ts';
import { asJson, canonicalJson, type Json } from '../base/json.ts';
import type { ContextsEvent, ContextsResult, ContextsSpec, FoundContext } from '../contexts/contexts-job.ts';
import { defaultLook, defaultRule } from '../contexts/default-look.ts';
import type { MaskRule } from '../contexts/mask.ts';
import type { SaliencyLook } from '../contexts/saliency-look.ts';
import { putSnapshot, takeSnapshot, type DatasetSnapshot } from '../data/snapshot.ts';
import type { RunJob, RunJobOptions } from '../jobs/protocol.ts';
import { resolveThreads } from '../engine/fingerprint.ts';
import { engineJobEnvironment } from './job-environment.ts';
import type { Project } from '../storage/project.ts';
import type { Run } from '../storage/records.ts';
import { TrainConfig } from '../training/config.ts';
import { findRun } from './run-data.ts';
import { checkedRule } from './mask-rule.ts';
import type { Act } from './contexts.ts';

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
