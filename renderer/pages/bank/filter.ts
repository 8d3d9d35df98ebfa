/** Which contexts of the bank are shown, as it stands in the address. Pure, so that tests need no browser. */
import type { ContextQuery } from '../../../core/api/contexts.ts';
import { addressOf, filterOf } from '../contexts/filter.ts';

/** What of the accepted contexts is shown: those in the bank, those that are retired, both. */
export type Held = 'bank' | 'retired' | 'all';

/** Names in the address that belong to the filter. */
type Name = 'held' | 'class' | 'group' | 'p' | 'note' | 'by' | 'used' | 'sort' | 'desc';

/** Read the address; what is not valid in it is left out. */
export function bankFilterOf(query: Readonly<Record<string, string>>): ContextQuery {
  const { class: classes, group, p, sort, desc, held, note, by, used } = query;
  const given = Object.entries({ class: classes, group, p, sort, desc }).filter(([, value]) => value !== undefined);
  const filter: ContextQuery = { ...filterOf(Object.fromEntries(given)), state: ['accepted'] };
  if (held !== 'all') filter.retired = held === 'retired';
  if (note) filter.note = note.slice(0, 500);
  if (by) filter.reviewer = by.slice(0, 500);
  if (used === 'yes' || used === 'no') filter.used = used === 'yes';
  return filter;
}

/** The address of a filter: each name, undefined where it does not belong there. */
export function bankAddressOf(filter: ContextQuery): Record<Name, string | undefined> {
  const { class: classes, group, p, sort, desc } = addressOf(filter);
  const { note, reviewer, used } = filter;
  const held = heldOf(filter);
  return {
    held: held === 'bank' ? undefined : held,
    class: classes,
    group,
    p,
    note: note === '' ? undefined : note,
    by: reviewer,
    used: used === undefined ? undefined : used ? 'yes' : 'no',
    sort,
    desc,
  };
}

export function heldOf({ retired }: ContextQuery): Held {
  return retired === undefined ? 'all' : retired ? 'retired' : 'bank';
}

/** Whether a filter leaves contexts out, other than by whether they are retired. */
export function bankNarrows(filter: ContextQuery): boolean {
  const { held: _held, sort: _sort, desc: _desc, ...rest } = bankAddressOf(filter);
  return Object.values(rest).some((value) => value !== undefined);
}
