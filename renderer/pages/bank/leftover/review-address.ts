import type { LeftoverContext } from '../../../../core/api/leftover.ts';
import { href } from '../../../lib/router.svelte.ts';

/** Where a context is reviewed: among all that were accepted. */
export function reviewAddress(project: string, { context }: LeftoverContext): string {
  return href({ project, page: 'review', query: { state: 'accepted', sort: 'id', context: String(context) } });
}
