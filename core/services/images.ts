/** What a person looks at: which images fit a filter, and what is known of each. */
import { z } from 'zod';
import type { ImageDetails, ImageFacts, ImageQuery } from '../api/images.ts';
import { SavedView } from '../api/images.ts';
import { UserError } from '../base/errors.ts';
import { asJson } from '../base/json.ts';
import { effectiveClasses } from '../data/classes.ts';
import { groupsByCount } from '../data/groups.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { ClassRecord, ImageRecord, Split } from '../storage/records.ts';
import { groupThresholds } from './stats.ts';
import { requireImage } from './require.ts';

/** Ids of the images that fit, in the order asked for. */
export function findImages(store: ProjectStore, query: ImageQuery): Uint32Array<ArrayBuffer> {
  const { class: classes, group, split, state, excluded, source, text, duplicates, problem, sort, descending } = query;
  const ofGroups = group && classesOfGroups(store, new Set(group));
  const classIds = classes && ofGroups ? classes.filter((id) => ofGroups.includes(id)) : (classes ?? ofGroups);
  return store.images.select({
    ...(classIds ? { classIds } : {}),
    ...(split ? { splits: split.flatMap((name): (Split | null)[] => splitsOf(name)) } : {}),
    ...(state ? { states: state } : {}),
    ...(excluded === undefined ? {} : { excluded }),
    ...(source ? { sourceIds: source } : {}),
    ...(text ? { text } : {}),
    ...(duplicates ? { duplicates } : {}),
    ...(problem ? { problem } : {}),
    order: sort,
    descending,
  });
}

function splitsOf(name: Split | 'unassigned'): (Split | null)[] {
  if (name === 'unassigned') return [null];
  return name === 'train' ? ['train', null] : [name];
}

/** Ids of the classes in some groups, by their usable training images. */
function classesOfGroups(store: ProjectStore, wanted: ReadonlySet<string>): number[] {
  const ids = [...new Set([...effectiveClasses(store).values()].map(({ id }) => id))];
  const train = new Map(ids.map((id) => [id, 0]));
  for (const { classId, split, excluded, state, count } of store.images.counts()) {
    if (state !== 'ok' || excluded || (split !== null && split !== 'train')) continue;
    train.set(classId, (train.get(classId) ?? 0) + count);
  }
  const groups = groupsByCount([...train.values()], groupThresholds(store));
  return [...train.keys()].filter((_, index) => wanted.has(groups[index]));
}

/** What is known of images, in the order asked for; ids that are not there are left out. */
export function describeImages(store: ProjectStore, ids: readonly number[]): ImageDetails[] {
  const effective = effectiveClasses(store);
  return store.images.many(ids).map((image) => details(image, effective, store));
}

function details(image: ImageRecord, effective: ReadonlyMap<number, ClassRecord>, store: ProjectStore): ImageDetails {
  const { sourceId, classId, foundClassId, mtimeMs, ...facts } = image;
  const inForce = effective.get(classId)!;
  const found = foundClassId === inForce.id ? inForce : store.classes.get(foundClassId)!;
  return {
    ...facts,
    source: sourceId,
    classId: inForce.id,
    className: inForce.name,
    foundClass: found.name,
    date: new Date(mtimeMs).toISOString(),
  };
}

/** All about one image. @throws UserError 'not-found' */
export function imageFacts(store: ProjectStore, id: number): ImageFacts {
  const image = requireImage(store, id);
  const effective = effectiveClasses(store);
  const context = store.contexts.ofImage(id);
  const copies = store.images.many(store.images.withHash(image.hash).filter((other) => other !== id));
  return {
    ...details(image, effective, store),
    sourcePath: store.sources.get(image.sourceId)!.path,
    problems: store.problems.ofPath(image.sourceId, image.path),
    copies: copies.map((copy) => ({
      id: copy.id,
      path: copy.path,
      className: effective.get(copy.classId)!.name,
      split: copy.split,
    })),
    context: context
      ? {
          id: context.id,
          state: context.state,
          probability: context.probability,
          area: store.masks.get(context.maskId)!.area,
        }
      : null,
  };
}

/** Name of the setting that holds the kept filters. */
const VIEWS_SETTING = 'views';

/** The filters that are kept; what another version of the program wrote and this one cannot read is left out. */
export function savedViews(store: ProjectStore): SavedView[] {
  const stored = z.array(z.unknown()).safeParse(store.settings.get(VIEWS_SETTING));
  return (stored.data ?? []).flatMap((view) => SavedView.safeParse(view).data ?? []);
}

/** @throws UserError 'usage' when two have the same name */
export function saveViews(store: ProjectStore, views: readonly SavedView[]): void {
  const names = views.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UserError('usage', `Two views are called ${twice}: give one another name.`);
  store.settings.set(VIEWS_SETTING, asJson(views));
}
