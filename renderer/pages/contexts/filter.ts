/** Which contexts are shown, as it stands in the address and as it is asked for. Pure, so that tests need no browser. */
import type { ContextQuery, ContextStateName } from '../../../core/api/contexts.ts';
import type { GroupName } from '../../../core/api/images.ts';

export type Filter = ContextQuery;
export type SortName = Filter['sort'];

export const CONTEXT_STATES: readonly ContextStateName[] = ['undecided', 'accepted', 'rejected'];
const GROUPS: readonly GroupName[] = ['many', 'medium', 'few'];
const SORTS: readonly SortName[] = ['id', 'probability', 'area', 'class', 'changed', 'gain', 'uses', 'reviewer'];

/** Names in the address that belong to the filter. */
const NAMES = ['state', 'class', 'group', 'p', 'area', 'text', 'sort', 'desc'] as const;
type Name = (typeof NAMES)[number];

/** Read the address; what is not valid in it is left out. */
export function filterOf(query: Readonly<Record<string, string>>): Filter {
  const sort = SORTS.find((name) => name === query.sort) ?? 'id';
  const filter: Filter = { sort, descending: query.desc === '1' };
  const states = CONTEXT_STATES.filter((name) => query.state?.split(',').includes(name));
  if (states.length > 0) filter.state = states;
  const classes = (query.class ?? '').split(',').filter((part) => /^[1-9]\d{0,14}$/.test(part));
  if (classes.length > 0) filter.class = classes.map(Number);
  const groups = GROUPS.filter((name) => query.group?.split(',').includes(name));
  if (groups.length > 0) filter.group = groups;
  const [minProbability, maxProbability] = range(query.p);
  if (minProbability > 0) filter.minProbability = minProbability;
  if (maxProbability < 1) filter.maxProbability = maxProbability;
  const [minArea, maxArea] = range(query.area);
  if (minArea > 0) filter.minArea = minArea;
  if (maxArea < 1) filter.maxArea = maxArea;
  if (query.text) filter.text = query.text.slice(0, 500);
  return filter;
}

/** The address of a filter: each name, undefined where it does not belong there. */
export function addressOf(filter: Filter): Record<Name, string | undefined> {
  return {
    state: filter.state?.join(','),
    class: filter.class?.join(','),
    group: filter.group?.join(','),
    p: rangeText(filter.minProbability, filter.maxProbability),
    area: rangeText(filter.minArea, filter.maxArea),
    text: filter.text === '' ? undefined : filter.text,
    sort: filter.sort === 'id' ? undefined : filter.sort,
    desc: filter.descending ? '1' : undefined,
  };
}

/** Whether a filter leaves contexts out. */
export function narrows(filter: Filter): boolean {
  const { sort: _sort, desc: _desc, ...rest } = addressOf(filter);
  return Object.values(rest).some((value) => value !== undefined);
}

/** The words of `contexture bank list` for a filter; what that command cannot say is left out. */
export function listCommand(filter: Filter, className: (id: number) => string | undefined): string[] {
  const [name] = (filter.class ?? []).map((id) => className(id));
  return [
    ...(filter.state?.length === 1 ? ['--state', filter.state[0]] : []),
    ...(name === undefined ? [] : ['--class', name]),
    ...(filter.group?.length === 1 ? ['--group', filter.group[0]] : []),
    ...(filter.minProbability === undefined ? [] : ['--min-probability', String(filter.minProbability)]),
    ...(filter.maxProbability === undefined ? [] : ['--max-probability', String(filter.maxProbability)]),
  ];
}

/** "0.2-0.8" as two shares; the whole range where it is none. */
function range(text: string | undefined): [number, number] {
  const match = /^(\d(?:\.\d+)?)-(\d(?:\.\d+)?)$/.exec(text ?? '');
  const [low, high] = match === null ? [0, 1] : [Number(match[1]), Number(match[2])];
  return low <= high && high <= 1 ? [low, high] : [0, 1];
}

function rangeText(low = 0, high = 1): string | undefined {
  return low > 0 || high < 1 ? `${low}-${high}` : undefined;
}
