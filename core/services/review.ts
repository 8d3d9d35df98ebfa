/** How far the review of contexts has come, what is worth looking at next, and which masks a newer model disputes. */
import type { ReviewProgress } from '../api/review.ts';
import { judge } from '../contexts/review-enough.ts';
import { DECISIONS, lookedAt, saliencyDoubt } from '../contexts/review-order.ts';
import { decodeGrey } from '../data/decode.ts';
import { mapOrdered } from '../data/flow.ts';
import type { Project } from '../storage/project.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { contextCounts } from './context-view.ts';

/** Maps that are decoded at a time. */
const AHEAD = 8;

/** Find out how much in doubt the masks are, where that is not known yet. */
export async function fillDoubts({ store, blobs }: Project): Promise<void> {
  const missing = store.saliencies.undoubted();
  const look = async ({ id, blob }: (typeof missing)[number]): Promise<{ id: number; doubt: number }> => ({
    id,
    doubt: saliencyDoubt(await decodeGrey(blobs.get(blob))),
  });
  const doubts: { id: number; doubt: number }[] = [];
  for await (const found of mapOrdered(missing, AHEAD, look)) doubts.push(found);
  store.transaction(() => {
    for (const { id, doubt } of doubts) store.saliencies.setDoubt(id, doubt);
  });
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
