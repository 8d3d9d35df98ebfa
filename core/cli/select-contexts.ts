/** Which contexts a command is about. */
import { Option } from '@commander-js/extra-typings';
import type { ContextFilter as PageFilter } from '../api/contexts.ts';
import type { GroupName } from '../api/images.ts';
import { UserError } from '../base/errors.ts';
import { effectiveClasses } from '../data/classes.ts';
import { requireClass } from '../services/require.ts';
import type { ContextFilter, ProjectStore } from '../storage/project-store.ts';
import type { ContextState } from '../storage/records.ts';
import { integer } from './arguments.ts';

export const STATES = ['undecided', 'accepted', 'rejected'] as const;

/** Which contexts a command is about: by number, or all that fit. */
export interface Selection {
  state?: ContextState | undefined;
  retired?: boolean | undefined;
  class?: string | undefined;
  minProbability?: number | undefined;
}

export const stateOption = (): Option<'--state <state>', undefined, undefined, undefined, false, ContextState> =>
  new Option('--state <state>', 'those in this state').choices(STATES);

/** Those that fit, as the store is asked for them. @throws UserError 'not-found' for a class that is not there */
export function filterFrom(store: ProjectStore, selection: Selection): ContextFilter {
  const { state, retired, class: name, minProbability } = selection;
  return {
    ...(state === undefined ? {} : { state }),
    ...(retired === undefined ? {} : { retired }),
    ...(minProbability === undefined ? {} : { minProbability }),
    ...(name === undefined ? {} : { classId: classNamed(store, name) }),
  };
}

/** Which contexts are listed: the filters of the Bank page. */
export interface ListSelection extends Selection {
  group?: GroupName | undefined;
  maxProbability?: number | undefined;
  used?: boolean | undefined;
  reviewer?: string | undefined;
  note?: string | undefined;
}

/** Those that fit, as pages ask for them. @throws UserError 'not-found' for a class that is not there */
export function queryFrom(store: ProjectStore, { state, class: name, group, ...rest }: ListSelection): PageFilter {
  return {
    ...rest,
    ...(state === undefined ? {} : { state: [state] }),
    ...(name === undefined ? {} : { class: [classNamed(store, name)] }),
    ...(group === undefined ? {} : { group: [group] }),
  };
}

/** The effective class of that name. @throws UserError 'not-found' */
export function classNamed(store: ProjectStore, name: string): number {
  const { id } = requireClass(store, name);
  return effectiveClasses(store).get(id)?.id ?? id;
}

/**
 * Numbers as given; without any, those that fit; undecided ones where neither a state nor retired ones are asked for.
 * @throws UserError 'empty'
 */
export function selectIds(store: ProjectStore, ids: readonly string[], options: Selection): number[] {
  if (ids.length > 0) return ids.map(integer(1));
  const usual = options.retired ? undefined : 'undecided';
  const filter = filterFrom(store, { ...options, state: options.state ?? usual });
  const found = store.contexts.list(filter).map(({ id }) => id);
  if (found.length > 0) return found;
  throw new UserError('empty', 'No context fits: find some with "contexts", or see "bank list".');
}
