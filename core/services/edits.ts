/**
 * Views over a data set: every function here is one edit that can be undone; what was found at import and the files stay
 * as they are. An edit that would change nothing is refused, so that each step of the history means something.
 */
import { UserError } from '../base/errors.ts';
import { effectiveClasses } from '../data/classes.ts';
import type { DuplicateGroup } from '../data/duplicates.ts';
import { editText, type EditParams } from '../data/edits.ts';
import { planLongTail, type LongTailOptions, type LongTailPlan } from '../data/long-tail.ts';
import { planSplit, type SplitPlan, type SplitShares } from '../data/split.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { Edit, ImageChange, ImageRecord, Split } from '../storage/records.ts';
import { requireClass, requireImages } from './require.ts';

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
  const changes = requireImages(store, imageIds).flatMap((image): ImageChange[] =>
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
    const target = options.create ? store.classes.ensure(className.normalize('NFC')) : requireClass(store, className);
    const changes = requireImages(store, imageIds).flatMap((image): ImageChange[] =>
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
    const sources = [...new Set(names)].map((name) => requireClass(store, name));
    const target = into === null ? null : store.classes.ensure(into.normalize('NFC'));
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

/** Which image of a group stays: one of that split, where there is one; else the first. */
export interface KeepOptions {
  groups: readonly DuplicateGroup[];
  /** Whether they are near-duplicates rather than identical; for the history. */
  near?: boolean;
  prefer?: Split;
}

/**
 * Exclude all but one of each group of identical, or nearly the same, images.
 * @throws UserError 'empty' when there is no such group
 */
export function keepOne(store: ProjectStore, { groups, near = false, prefer }: KeepOptions, by: EditBy): Edit {
  const surplus = groups.flatMap(({ images }) => {
    const kept = images.find(({ split }) => split === prefer) ?? images[0];
    return images.filter((image) => image !== kept).map(({ id }) => id);
  });
  if (surplus.length === 0)
    throw new UserError('empty', `Nothing to do: there are no such ${near ? 'near-duplicates' : 'identical images'}.`);
  return excludeImages(store, surplus, by, near ? 'nearly the same as another image' : 'identical to another image');
}

export interface PlannedSplit {
  plan: SplitPlan;
  /** Images that get another split than they have. */
  changes: { imageId: number; split: Split }[];
}

/**
 * What `assignSplit` would do.
 * @throws UserError 'usage' for bad shares or a test that exists, 'empty' when there are no images
 */
export function previewSplit(store: ProjectStore, { val, test, seed }: SplitShares & { seed: number }): PlannedSplit {
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
  const changes = dealt.flatMap(({ id, split }) => {
    const dealtTo = plan.splits.get(id)!;
    return dealtTo === split ? [] : [{ imageId: id, split: dealtTo }];
  });
  return { plan, changes };
}

/**
 * Deal images to val and test, stratified by class and by a seed. Images that the import found in val or test stay there:
 * where the data set has no test level, all images are dealt; where it has one, val is dealt from train and asking for test
 * is refused. A later deal replaces an earlier one. Only usable images (ok, not excluded) are dealt.
 * @throws UserError as `previewSplit`; 'empty' also when nothing moves
 */
export function assignSplit(
  store: ProjectStore,
  options: SplitShares & { seed: number },
  by: EditBy,
): { edit: Edit; plan: SplitPlan } {
  const { plan, changes } = previewSplit(store, options);
  if (changes.length === 0) throw new UserError('empty', 'Nothing to do: the images are split like this already.');
  const { val, test, seed } = options;
  const params: EditParams<'split'> = { val, test, seed };
  return { edit: store.edits.apply({ kind: 'split', params, ...by }, changes), plan };
}

/**
 * What `makeLongTailed` would do.
 * @throws UserError 'usage', 'empty'
 */
export function previewLongTail(store: ProjectStore, options: LongTailOptions): LongTailPlan {
  const training = [...store.images.iterate({ state: 'ok', excluded: false })].filter(
    ({ split }) => split === null || split === 'train',
  );
  return planLongTail(byClass(store, training), options);
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
  const plan = previewLongTail(store, options);
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
 * @param expected the edit that the person means, where another one may have been made meanwhile
 * @throws UserError 'empty' when there is none, 'changed' when the newest is another one than expected
 */
export function undoEdit(store: ProjectStore, at: string, expected?: number): Edit {
  return store.transaction(() => {
    const edit = store.edits.undo(at);
    if (edit === undefined) throw new UserError('empty', 'There is no edit to take back.');
    if (expected !== undefined && edit.id !== expected) {
      throw new UserError('changed', `The newest edit is another one by now: ${editText(edit)}`);
    }
    return edit;
  });
}

/**
 * Make the edit that was taken back last again.
 * @param expected the edit that the person means
 * @throws UserError 'empty' when there is none, 'changed' when the next one is another than expected
 */
export function redoEdit(store: ProjectStore, expected?: number): Edit {
  return store.transaction(() => {
    const edit = store.edits.redo();
    if (edit === undefined) {
      throw new UserError('empty', 'There is no edit to make again: none was taken back since the last one was made.');
    }
    if (expected !== undefined && edit.id !== expected) {
      throw new UserError('changed', `The next edit to make again is another one by now: ${editText(edit)}`);
    }
    return edit;
  });
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

/** Images by effective class, classes in order of name. */
function byClass(store: ProjectStore, images: readonly ImageRecord[]): { name: string; images: ImageRecord[] }[] {
  const effective = effectiveClasses(store);
  const groups = Map.groupBy(images, ({ classId }) => effective.get(classId)!.name);
  return [...groups]
    .map(([name, members]) => ({ name, images: members }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
