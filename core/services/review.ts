/** How far the review of contexts has come, what is worth looking at next, and which masks a newer model disputes. */
import { setImmediate } from 'node:timers/promises';
import type { ReviewProgress } from '../api/review.ts';
import { judge } from '../contexts/review-enough.ts';
import { DECISIONS, lookedAt, saliencyDoubt } from '../contexts/review-order.ts';
import { decodeGrey } from '../data/decode.ts';
import type { Project } from '../storage/project.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { contextCounts } from './context-view.ts';

/** Maps that are decoded before others are served: some tens of milliseconds, as small ones are decoded in this thread. */
const AT_ONCE = 256;

/** Find out how much in doubt the masks are, where that is not known yet. */
export async function fillDoubts({ store, blobs }: Project): Promise<void> {
  const missing = store.saliencies.undoubted();
  for (let from = 0; from < missing.length; from += AT_ONCE) {
    const found = await Promise.all(
      missing.slice(from, from + AT_ONCE).map(async ({ id, blob }) => {
        return { id, doubt: saliencyDoubt(await decodeGrey(blobs.get(blob))) };
      }),
    );
    store.transaction(() => {
      for (const { id, doubt } of found) store.saliencies.setDoubt(id, doubt);
    });
    await setImmediate();
  }
}

/** How far the review has come, whether it may stop, and where it was left. */
export function reviewProgress(store: ProjectStore): ReviewProgress {
  const counts = contextCounts(store);
  const decisions = store.contexts.decisions(DECISIONS);
  const looked = lookedAt(decisions);
  const pending = store.contexts.rows(store.drafts.pending());
  const [last] = decisions;
  const classes = counts.classes
    .filter(({ undecided, accepted, rejected }) => undecided + accepted + rejected > 0)
    .map(({ id, name, group, undecided, accepted, rejected }) => ({
      id,
      name,
      group,
      undecided,
      accepted,
      rejected,
      drafts: pending.filter(({ classId }) => classId === id).length,
      ...judge(
        looked.filter(({ classId }) => classId === id),
        undecided,
      ),
    }));
  const { undecided, accepted, rejected } = counts;
  return {
    classes,
    all: { undecided, accepted, rejected, drafts: pending.length, ...judge(looked, undecided) },
    last: last ? { context: last.contextId, state: last.state, author: last.author, at: last.at } : null,
  };
}
