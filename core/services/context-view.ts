/** What a person looks at among contexts: which ones fit, what is known of each, how many there are. */
import type {
  ContextCounts,
  ContextDetail,
  ContextFilter,
  ContextModel,
  ContextQuery,
  ContextRow,
} from '../api/contexts.ts';
import { MaskRule, SaliencyLook } from '../api/contexts.ts';
import { UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { classWeights, DECISIONS, lookedAt } from '../contexts/review-order.ts';
import { effectiveClasses } from '../data/classes.ts';
import { groupsByCount, type Group } from '../data/groups.ts';
import type { ContextQuery as StoreQuery, ContextRow as StoredRow, ProjectStore } from '../storage/project-store.ts';
import type { ClassRecord, Mask, Saliency } from '../storage/records.ts';
import { defaultLook, defaultRule } from '../contexts/default-look.ts';
import { TrainConfig } from '../training/config.ts';
import { groupThresholds } from './stats.ts';
import { requireContext, requireContextRows } from './require.ts';

export interface ClassGroup {
  id: number;
  name: string;
  /** Usable training images. */
  train: number;
  group: Group;
}

/** Classes that stand for themselves, with their training images and group; largest first, then by name. */
export function classGroups(store: ProjectStore): ClassGroup[] {
  const classes = [...new Set(effectiveClasses(store).values())];
  const train = new Map(classes.map(({ id }) => [id, 0]));
  for (const { classId, split, excluded, state, count } of store.images.counts()) {
    if (state !== 'ok' || excluded || (split !== null && split !== 'train')) continue;
    train.set(classId, (train.get(classId) ?? 0) + count);
  }
  const groups = groupsByCount([...train.values()], groupThresholds(store));
  return classes
    .map(({ id, name }, index) => ({ id, name, train: train.get(id)!, group: groups[index] }))
    .toSorted((a, b) => b.train - a.train || (a.name < b.name ? -1 : 1));
}

/** What each class weighs in the order by gain. */
function gainWeights(store: ProjectStore): [classId: number, weight: number][] {
  return classWeights(classGroups(store), lookedAt(store.contexts.decisions(DECISIONS)));
}

/** The contexts that fit, in the order asked for. */
export function selectContexts(
  store: ProjectStore,
  query: ContextFilter | ContextQuery,
): { id: number; imageId: number }[] {
  const { state, class: classes, group, text, note, ...bounds } = query;
  const wanted = group && new Set<string>(group);
  const ofGroups = wanted && classGroups(store).flatMap((row) => (wanted.has(row.group) ? [row.id] : []));
  const classIds = classes && ofGroups ? classes.filter((id) => ofGroups.includes(id)) : (classes ?? ofGroups);
  const stored: StoreQuery = {
    ...Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined)),
    ...(state ? { states: state } : {}),
    ...(classIds ? { classIds } : {}),
    ...(text ? { text } : {}),
    ...(note ? { note } : {}),
    ...('sort' in query && query.sort === 'gain' ? { weights: gainWeights(store) } : {}),
  };
  return store.contexts.find(stored);
}

/** What is known of contexts, in the order asked for; ids that are not there are left out. */
export function describeContexts(store: ProjectStore, ids: readonly number[]): ContextRow[] {
  const effective = effectiveClasses(store);
  return store.contexts.rows(ids).map((row) => describe(row, effective));
}

function describe(row: StoredRow, effective: ReadonlyMap<number, ClassRecord>): ContextRow {
  const { id, imageId, maskId, path, classId, state, probability, area, origin, width, height, draft, revision } = row;
  const className = effective.get(classId)!.name;
  const shown = { id, image: imageId, path, classId, className, state, probability, area, mask: maskId, origin };
  const { retiredAt, note, reviewer } = row;
  return { ...shown, width, height, draft, revision, retiredAt, note, reviewer, unused: unusedReason(row) };
}

/** Why neither runs nor exports use a context, accepted or not. */
export function unusedReason({ imageState, excluded, split, retiredAt, sourceRemoved }: StoredRow): string | null {
  if (retiredAt !== null) return 'It is retired from the bank.';
  if (sourceRemoved) return 'The source of its picture was removed from the project.';
  if (imageState === 'missing') return 'Its picture is gone: scan its source again.';
  if (imageState === 'changed') return 'Its picture is not the one that was imported: scan its source again.';
  if (excluded) return 'Its image is excluded.';
  if (split !== null && split !== 'train') {
    return `Its image is in the ${split} split, and contexts come from training images only.`;
  }
  return null;
}

/** All about one context. @throws UserError 'not-found' */
export function contextDetail(store: ProjectStore, id: number): ContextDetail {
  const [row] = requireContextRows(store, [id]);
  return {
    ...describe(row, effectiveClasses(store)),
    split: row.split,
    imageState: row.imageState,
    masks: store.masks.ofImage(row.imageId).map((mask) => ({
      id: mask.id,
      origin: mask.origin,
      how: howMade(mask, mask.saliencyId === null ? undefined : store.saliencies.get(mask.saliencyId)),
      area: mask.area,
      author: mask.author,
      at: mask.createdAt,
      saliency: mask.saliencyId !== null,
    })),
    history: store.contexts.history(id).map(({ action, maskId, author, at }) => ({ action, mask: maskId, author, at })),
  };
}

/** The rule and the saliency behind it, or the file, of a mask version, in words. */
function howMade({ origin, params }: Mask, saliency: Saliency | undefined): string {
  const fields = typeof params === 'object' && params !== null && !Array.isArray(params) ? params : {};
  const { rule, file, tools, strokes, operation, amount } = fields;
  const made = MaskRule.safeParse(rule);
  if (made.success) return `${ruleInWords(made.data)}${lookInWords(saliency?.look)}`;
  if (Array.isArray(tools))
    return `Painted, ${strokes === 1 ? '1 stroke' : `${Number(strokes)} strokes`} (${tools.map(String).join(', ')})`;
  if (typeof operation === 'string') return `Changed by ${operation}, ${Number(amount)}`;
  return typeof file === 'string' ? `From ${file}` : origin === 'import' ? 'Imported' : 'Edited';
}

function ruleInWords(rule: MaskRule): string {
  const form = rule.form === 'soft' ? 'Soft, (1 − saliency)²' : `Cut at saliency ${rule.threshold}`;
  return rule.refine === undefined ? form : `${form}, at the picture's edges (radius ${rule.refine.radius})`;
}

/** How the picture was looked at, to be added to the rule; nothing for maps that do not know. */
function lookInWords(stored: Json | undefined): string {
  const look = SaliencyLook.safeParse(stored);
  if (!look.success) return '';
  const { sizes, mirror } = look.data;
  return `; looked at with ${sizes.join(' and ')} px${mirror ? ', mirror images too' : ''}`;
}

/** A mask version of a context: the one in force unless another is asked for. @throws UserError 'not-found' */
export function contextMask(store: ProjectStore, id: number, version?: number): Mask {
  const context = requireContext(store, id);
  const mask = store.masks.get(version ?? context.maskId);
  if (mask?.imageId !== context.imageId) {
    throw new UserError(
      'not-found',
      `Context ${id} has no mask version ${version}. Its history lists those there are.`,
    );
  }
  return mask;
}

/** The saliency behind a mask version; behind a person's mask the newest of the picture. @throws UserError 'not-found' */
export function contextSaliency(store: ProjectStore, id: number, version?: number): Saliency {
  const { saliencyId, imageId } = contextMask(store, id, version);
  const saliency = saliencyId === null ? store.saliencies.ofImage(imageId)[0] : store.saliencies.get(saliencyId);
  if (!saliency) throw new UserError('not-found', `There is no saliency for context ${id}: its mask came from a file.`);
  return saliency;
}

/** Contexts by state and class, and the step that undo would take back. */
export function contextCounts(store: ProjectStore): ContextCounts {
  const classes = classGroups(store).map((row) => ({ ...row, undecided: 0, accepted: 0, rejected: 0 }));
  const rows = new Map(classes.map((row) => [row.id, row]));
  for (const { classId, state, count } of store.contexts.countByClass()) rows.get(classId)![state] = count;
  const step = store.contexts.lastStep();
  return {
    ...store.contexts.count(),
    bank: store.contexts.bankSize(),
    classes: classes.filter((row) => row.train + row.undecided + row.accepted + row.rejected > 0),
    lastStep: step ? { kind: step.kind, contexts: step.contexts, author: step.author, at: step.at } : null,
  };
}

/** Runs that are offered; older ones can be named. */
const MODELS_SHOWN = 100;

/** Finished runs that contexts can be found with, newest first. */
export function contextModels(store: ProjectStore): ContextModel[] {
  const finished = store.runs
    .listed()
    .filter(({ state, modelBlob, trashedAt }) => state === 'finished' && modelBlob !== null && trashedAt === null);
  return finished.slice(0, MODELS_SHOWN).map(({ id, name, method, endedAt }) => {
    const config = TrainConfig.parse(store.runs.get(id)!.config);
    const { sizes, mirror } = defaultLook(config);
    const rule = defaultRule(config);
    return { run: id, name, method, endedAt, size: sizes[0], secondSize: sizes[1] ?? null, mirror, rule };
  });
}
