/** All migrations, oldest first. A file that has been released never changes again; a new shape is a new file. */
import type { Migration } from '../migrate.ts';
import * as firstTables from './0001-first-tables.ts';
import * as tasksAndRunNotes from './0002-tasks-and-run-notes.ts';
import * as contextSteps from './0003-context-steps.ts';
import * as runSummaries from './0004-run-summaries.ts';
import * as variants from './0005-variants.ts';
import * as drafts from './0006-drafts.ts';
import * as saliencyLook from './0007-saliency-look.ts';
import * as redo from './0008-redo.ts';
import * as bank from './0009-bank.ts';
import * as relianceAndStudies from './0010-reliance-and-studies.ts';
import * as leftover from './0011-leftover.ts';
import * as backgrounds from './0012-backgrounds.ts';
import * as useCounts from './0013-use-counts.ts';
import * as nearDuplicates from './0014-near-duplicates.ts';
import * as leftoverVerdicts from './0015-leftover-verdicts.ts';
import * as usableImages from './0016-usable-images.ts';
import * as removedSources from './0017-removed-sources.ts';

export const migrations: readonly Migration[] = [
  firstTables,
  tasksAndRunNotes,
  contextSteps,
  runSummaries,
  variants,
  drafts,
  saliencyLook,
  redo,
  bank,
  relianceAndStudies,
  leftover,
  backgrounds,
  useCounts,
  nearDuplicates,
  leftoverVerdicts,
  usableImages,
  removedSources,
];
