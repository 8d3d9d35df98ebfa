/** Which contexts are reviewed, in which order, as it stands in the address. Pure, so that tests need no browser. */
import { addressOf, filterOf, type Filter } from '../contexts/filter.ts';

/** What is asked for where the address says nothing: what has not been decided on, the most rewarding first. */
const DEFAULTS = { state: 'undecided', sort: 'gain', desc: '1' };

/** Read the address; "all" as state is every one. */
export function queueFilterOf(query: Readonly<Record<string, string>>): Filter {
  return filterOf({ ...DEFAULTS, ...(query.sort === undefined ? {} : { desc: '' }), ...query });
}

/** Values of the address for a filter; undefined where it need not say so. */
export function queueAddressOf(filter: Filter): Record<string, string | undefined> {
  const { sort, desc, state, ...rest } = addressOf(filter);
  const order = sort ?? 'id';
  const usual = order === DEFAULTS.sort && desc === DEFAULTS.desc;
  return {
    ...rest,
    state: state === undefined ? 'all' : state === DEFAULTS.state ? undefined : state,
    sort: usual ? undefined : order,
    desc: usual ? undefined : (desc ?? '0'),
  };
}
