/** Which images Explore shows, as it stands in the address and as it is asked for. Pure, so that tests need no browser. */
import type { GroupName, ImageQuery, ImageStateName } from '../../../core/api/images.ts';

export type Filter = ImageQuery;
export type SplitFilter = NonNullable<Filter['split']>[number];
export type SortName = Filter['sort'];

export const GROUP_NAMES: readonly GroupName[] = ['many', 'medium', 'few'];
export const SPLIT_NAMES: readonly SplitFilter[] = ['train', 'val', 'test', 'unassigned'];
export const STATE_NAMES: readonly ImageStateName[] = ['ok', 'missing', 'changed'];
export const DUPLICATE_NAMES: readonly NonNullable<Filter['duplicates']>[] = ['any', 'leak', 'conflict'];
export const SORT_NAMES: readonly SortName[] = ['path', 'class', 'size', 'date'];

/** What is shown where nothing else is asked for: all images that are not excluded. */
export const WHOLE_VIEW: Filter = { excluded: false, sort: 'path', descending: false };

/** Names in the address that belong to the filter. */
const NAMES = ['class', 'group', 'split', 'state', 'show', 'source', 'text', 'dup', 'problem', 'sort', 'desc'] as const;
type Name = (typeof NAMES)[number];

/** Read the address; what is not valid in it is left out. */
export function filterOf(query: Readonly<Record<string, string>>): Filter {
  const filter: Filter = { sort: one(SORT_NAMES, query.sort) ?? 'path', descending: query.desc === '1' };
  const classes = numbers(query.class);
  if (classes !== undefined) filter.class = classes;
  const groups = several(GROUP_NAMES, query.group);
  if (groups !== undefined) filter.group = groups;
  const splits = several(SPLIT_NAMES, query.split);
  if (splits !== undefined) filter.split = splits;
  const states = several(STATE_NAMES, query.state);
  if (states !== undefined) filter.state = states;
  const sources = numbers(query.source);
  if (sources !== undefined) filter.source = sources;
  if (query.show !== 'all') filter.excluded = query.show === 'excluded';
  if (query.text) filter.text = query.text.slice(0, 500);
  const duplicates = one(DUPLICATE_NAMES, query.dup);
  if (duplicates !== undefined) filter.duplicates = duplicates;
  if (query.problem) filter.problem = query.problem.slice(0, 100);
  return filter;
}

/** The address of a filter: each name, undefined where it does not belong there. */
export function addressOf(filter: Filter): Record<Name, string | undefined> {
  return {
    class: filter.class?.join(','),
    group: filter.group?.join(','),
    split: filter.split?.join(','),
    state: filter.state?.join(','),
    show: filter.excluded === undefined ? 'all' : filter.excluded ? 'excluded' : undefined,
    source: filter.source?.join(','),
    text: filter.text,
    dup: filter.duplicates,
    problem: filter.problem,
    sort: filter.sort === 'path' ? undefined : filter.sort,
    desc: filter.descending ? '1' : undefined,
  };
}

/** Whether two filters show the same images in the same order. */
export function sameFilter(a: Filter, b: Filter): boolean {
  const [first, second] = [addressOf(a), addressOf(b)];
  return NAMES.every((name) => first[name] === second[name]);
}

/** Whether a filter leaves images out that are in the view. */
export function narrows(filter: Filter): boolean {
  return !sameFilter({ ...filter, sort: 'path', descending: false }, WHOLE_VIEW);
}

function several<T extends string>(known: readonly T[], text: string | undefined): T[] | undefined {
  if (!text) return undefined;
  const given = text.split(',');
  const found = known.filter((name) => given.includes(name));
  return found.length > 0 ? found : undefined;
}

function one<T extends string>(known: readonly T[], text: string | undefined): T | undefined {
  return known.find((name) => name === text);
}

function numbers(text: string | undefined): number[] | undefined {
  const found = (text ?? '').split(',').filter((part) => /^[1-9]\d{0,14}$/.test(part));
  return found.length > 0 ? found.map(Number) : undefined;
}
