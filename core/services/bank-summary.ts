/** The bank as a whole: how much of what it holds, who accepted it, what to do next. */
import type { BankSummary } from '../api/bank.ts';
import type { Project } from '../storage/project.ts';
import { classGroups } from './context-view.ts';
import { lastDiversity, tooMuchInWords } from './diversity.ts';

export function bankSummary(project: Project): BankSummary {
  const { store } = project;
  const ofClass = new Map(classGroups(store).map((row) => [row.id, row]));
  const classes = store.bank
    .byClass()
    .map(({ classId, held, retired }) => {
      const { id, name, group } = ofClass.get(classId)!;
      return { id, name, group, contexts: held, retired };
    })
    .toSorted((a, b) => b.contexts - a.contexts || (a.name < b.name ? -1 : 1));
  const groups = { many: 0, medium: 0, few: 0 };
  for (const { group, contexts } of classes) groups[group] += contexts;
  const contexts = groups.many + groups.medium + groups.few;
  const summary = {
    contexts,
    retired: classes.reduce((sum, { retired }) => sum + retired, 0),
    groups,
    backgrounds: store.backgrounds.counts(),
    classes,
    reviewers: store.bank.reviewers(),
    diversity: lastDiversity(project),
  };
  return { ...summary, next: nextStep(project, summary) };
}

/** What to do next: by the first rule that applies. */
function nextStep(
  { store }: Project,
  { contexts, retired, backgrounds, classes, diversity }: Omit<BankSummary, 'next'>,
): BankSummary['next'] {
  if (contexts === 0) {
    if (retired > 0) return { sentence: 'Every context is retired: put some back, or accept others.', where: 'review' };
    const { undecided } = store.contexts.count();
    return undecided > 0
      ? { sentence: 'Nothing is accepted yet: decide on the contexts that were found.', where: 'review' }
      : { sentence: 'No context was found yet: find some with a finished run.', where: 'contexts' };
  }
  const held = classes.filter((row) => row.contexts > 0);
  const tooMuch = tooMuchInWords(held, backgrounds.held);
  if (tooMuch !== null) return { sentence: tooMuch, where: 'review' };
  if (diversity === null) {
    return { sentence: 'Measure how many different backgrounds these are.', where: 'diversity' };
  }
  if (diversity.changed > 0) {
    const many = diversity.changed === 1 ? '1 background has' : `${diversity.changed} backgrounds have`;
    return { sentence: `${many} changed since diversity was measured: measure it again.`, where: 'diversity' };
  }
  return { sentence: diversity.sentence, where: diversity.withTwin > 0 ? 'diversity' : 'review' };
}
