/**
 * Views over a data set: every function here is one edit that can be undone; what was found at import and the files stay
 * as they are. An edit that would change nothing is refused, so that each step of the history means something.
 */
import { UserError } from '../base/errors.ts';
import { effectiveClasses } from '../data/classes.ts';
import { editText, type EditParams } from '../data/edits.ts';
import { planLongTail, type LongTailOptions, type LongTailPlan } from '../data/long-tail.ts';
import { planSplit, type SplitPlan, type SplitShares } from '../data/split.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { ClassRecord, Edit, ImageChange, ImageRecord } from '../storage/records.ts';

/** Who edits, and when (ISO 8601, UTC). */
export interface EditBy {
  author: string;
  at: string;
}

/**
 * Take images out of the view.
 * @param reason for the history; may be empty
 * @throws UserError 'not-found' for an unknown image, 'empty' when all are excluded already
 */
export function excludeImages(store: ProjectStore, imageIds: Iterable<number>, by: EditBy, reason = ''): Edit {
  return setExcluded(store, imageIds, true, by, reason);
}

/** Bring images back into the view. Errors as `excludeImages`. */
export function includeImages(store: ProjectStore, imageIds: Iterable<number>, by: EditBy, reason = ''): Edit {
  return setExcluded(store, imageIds, false, by, reason);
}

function setExcluded(
  store: ProjectStore,
  imageIds: Iterable<number>,
  excluded: boolean,
  by: EditBy,
  reason: string,
): Edit {
  const changes = imagesOf(store, imageIds).flatMap((image): ImageChange[] =>
    image.excluded === excluded ? [] : [{ imageId: image.id, excluded }],
  );
  const state = excluded ? 'excluded' : 'in the view';
  if (changes.length === 0) throw new UserError('empty', `Nothing to do: these images are ${state} already.`);
  const params: EditParams<'exclude'> = { reason };
  return store.edits.apply({ kind: excluded ? 'exclude' : 'include', params, ...by }, changes);
}

/**
 * Give images another class.
 * @param options.create make the class where it does not exist; without, a mistyped name is an error
 * @throws UserError 'not-found' for an unknown image or class, 'empty' when all have that class already
 */
export function relabelImages(
  store: ProjectStore,
  imageIds: Iterable<number>,
  className: string,
  by: EditBy,
  options: { create?: boolean } = {},
): Edit {
  return store.transaction(() => {
    const target = options.create ? store.classes.ensure(className) : classNamed(store, className);
    const changes = imagesOf(store, imageIds).flatMap((image): ImageChange[] =>
      image.classId === target.id ? [] : [{ imageId: image.id, classId: target.id }],
    );
    if (changes.length === 0) {
      throw new UserError('empty', `Nothing to do: these images are of class ${target.name} already.`);
    }
    const params: EditParams<'relabel'> = { class: target.name };
    return store.edits.apply({ kind: 'relabel', params, ...by }, changes);
  });
}

/**
 * Let classes count as another one.
 * @param names the classes to merge; `into` may be among them
 * @param into an existing class or a new name; null lets `names` stand for themselves again
 * @throws UserError 'not-found' for an unknown class, 'usage' for a merge in a circle, 'empty' when nothing changes
 */
export function mergeClasses(store: ProjectStore, names: readonly string[], into: string | null, by: EditBy): Edit {
  return store.transaction(() => {
    const sources = [...new Set(names)].map((name) => classNamed(store, name));
    const target = into === null ? null : store.classes.ensure(into);
    const moved = sources.filter(({ id, mergedInto }) => id !== target?.id && mergedInto !== (target?.id ?? null));
    if (moved.length === 0) {
      const state = target === null ? 'stand for themselves' : `count as ${target.name}`;
      throw new UserError('empty', `Nothing to do: ${names.join(', ')} ${state} already.`);
    }
    if (target !== null) {
      const end = effectiveClasses(store).get(target.id)!;
      if (moved.some(({ id }) => id === end.id)) {
        throw new UserError(
          'usage',
          `${end.name} cannot be merged into ${target.name}, which counts as ${end.name} already: undo that merge first.`,
        );
      }
    }
    const params: EditParams<'merge'> = { classes: moved.map(({ name }) => name), into: target?.name ?? null };
    return store.edits.merge(
      { params, ...by },
      moved.map(({ id }) => id),
      target?.id ?? null,
    );
  });
}

/**
 * Deal images to val and test, stratified by class and by a seed. Images that the import found in val or test stay there:
 * where the data set has no test level, all images are dealt; where it has one, val is dealt from train and asking for test
 * is refused. A later deal replaces an earlier one. Only usable images (ok, not excluded) are dealt.
 * @throws UserError 'usage' for bad shares or a test that exists, 'empty' when nothing is or nothing moves
 */
export function assignSplit(
  store: ProjectStore,
  options: SplitShares & { seed: number },
  by: EditBy,
): { edit: Edit; plan: SplitPlan } {
  const { val, test, seed } = options;
  const images = [...store.images.iterate({ state: 'ok', excluded: false })];
  const dealt = images.filter(({ foundSplit }) => foundSplit === null || foundSplit === 'train');
  if (test > 0 && images.some(({ foundSplit }) => foundSplit === 'test')) {
    throw new UserError('usage', 'The data set has a test split of its own: assign a share of val only.');
  }
  if (val > 0 && images.some(({ foundSplit }) => foundSplit === 'val')) {
    throw new UserError('usage', 'The data set has a val split of its own: assign a share of test only.');
  }
  if (dealt.length === 0) throw new UserError('empty', 'There are no images to deal: import a data set first.');
  const plan = planSplit(byClass(store, dealt), { val, test }, seed);
  const changes = dealt.flatMap(({ id, split }): ImageChange[] => {
    const dealtTo = plan.splits.get(id)!;
    return dealtTo === split ? [] : [{ imageId: id, split: dealtTo }];
  });
  if (changes.length === 0) throw new UserError('empty', 'Nothing to do: the images are split like this already.');
  const params: EditParams<'split'> = { val, test, seed };
  return { edit: store.edits.apply({ kind: 'split', params, ...by }, changes), plan };
}

/**
 * Make the training split long-tailed by leaving images out; other splits stay. See `planLongTail`.
 * @throws UserError 'usage', 'empty'
 */
export function makeLongTailed(
  store: ProjectStore,
  options: LongTailOptions,
  by: EditBy,
): { edit: Edit; plan: LongTailPlan } {
  const training = [...store.images.iterate({ state: 'ok', excluded: false })].filter(
    ({ split }) => split === null || split === 'train',
  );
  const plan = planLongTail(byClass(store, training), options);
  if (plan.excluded.length === 0) {
    throw new UserError('empty', 'Nothing to do: no class has more images than this profile asks for.');
  }
  const { ratio, order, seed } = options;
  const params: EditParams<'long-tail'> = { ratio, largest: plan.largest, order, seed };
  const changes = plan.excluded.map((imageId): ImageChange => ({ imageId, excluded: true }));
  return { edit: store.edits.apply({ kind: 'long-tail', params, ...by }, changes), plan };
}

/**
 * Take the newest edit back.
 * @throws UserError 'empty' when there is none
 */
export function undoEdit(store: ProjectStore, at: string): Edit {
  const edit = store.edits.undo(at);
  if (edit === undefined) throw new UserError('empty', 'There is no edit to take back.');
  return edit;
}

export interface HistoryEntry extends Edit {
  text: string;
}

/** All edits, oldest first, with a sentence each; `undoneAt` marks those taken back. */
export function editHistory(store: ProjectStore): HistoryEntry[] {
  return store.edits
    .list()
    .toSorted((a, b) => a.id - b.id)
    .map((edit) => ({ ...edit, text: editText(edit) }));
}

function imagesOf(store: ProjectStore, imageIds: Iterable<number>): ImageRecord[] {
  return [...new Set(imageIds)].map((id) => {
    const image = store.images.get(id);
    if (image === undefined)
      throw new UserError('not-found', `There is no image ${id} in this project: check the number.`);
    return image;
  });
}

function classNamed(store: ProjectStore, name: string): ClassRecord {
  const record = store.classes.byName(name.normalize('NFC'));
  if (record === undefined) {
    throw new UserError('not-found', `There is no class called ${name} in this project: check its spelling.`);
  }
  return record;
}

/** Images by effective class, classes in order of name. */
function byClass(store: ProjectStore, images: readonly ImageRecord[]): { name: string; images: ImageRecord[] }[] {
  const effective = effectiveClasses(store);
  const groups = Map.groupBy(images, ({ classId }) => effective.get(classId)!.name);
  return [...groups]
    .map(([name, members]) => ({ name, images: members }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
