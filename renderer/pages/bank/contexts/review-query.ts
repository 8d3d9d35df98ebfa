/** Where contexts of the bank are reviewed. */
import { queueAddressOf } from '../../review/queue-filter.ts';
import type { BankState } from '../bank-state.svelte.ts';

/** Query of the Review page: accepted contexts of these classes in this order, beginning with the active one. */
export function reviewQuery({ filter, current }: BankState): Record<string, string | number | undefined> {
  const { sort, descending, class: classes, group } = filter;
  const known = sort === 'uses' || sort === 'reviewer' ? 'id' : sort;
  const narrowed = { ...(classes ? { class: classes } : {}), ...(group ? { group } : {}) };
  return {
    ...queueAddressOf({ state: ['accepted'], sort: known, descending, ...narrowed }),
    context: current?.id,
  };
}
