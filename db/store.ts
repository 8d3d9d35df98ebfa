/** All tables of one open project. */
import type { ProjectStore } from '../core/storage/project-store.ts';
import { bankTable } from './bank.ts';
import { backgroundTable } from './backgrounds.ts';
import { namedBlobs } from './blobs.ts';
import { classTable } from './classes.ts';
import { contextTable } from './contexts.ts';
import { draftTable } from './drafts.ts';
import { editTable } from './edits.ts';
import { exportTable } from './exports.ts';
import { imageTable } from './images.ts';
import { leftoverTable } from './leftover.ts';
import { maskTable, saliencyTable } from './masks.ts';
import { nearTable } from './near-duplicates.ts';
import type { OpenProject } from './open.ts';
import { projectInfo, settingTable } from './project.ts';
import { relianceTable } from './reliance.ts';
import { runTable } from './runs.ts';
import { problemTable, sourceTable } from './sources.ts';
import { studyTable } from './studies.ts';
import { taskTable } from './tasks.ts';
import { useTable } from './uses.ts';
import { variantTable } from './variants.ts';

export function createStore(project: OpenProject): ProjectStore {
  const { connection } = project;
  const written = connection.column<number>('SELECT total_changes()');
  return {
    info: projectInfo(connection),
    sources: sourceTable(connection),
    classes: classTable(connection),
    images: imageTable(connection),
    problems: problemTable(connection),
    edits: editTable(connection),
    saliencies: saliencyTable(connection),
    masks: maskTable(connection),
    contexts: contextTable(connection),
    drafts: draftTable(connection),
    bank: bankTable(connection),
    backgrounds: backgroundTable(connection),
    uses: useTable(connection),
    leftover: leftoverTable(connection),
    near: nearTable(connection),
    runs: runTable(connection),
    variants: variantTable(connection),
    reliance: relianceTable(connection),
    studies: studyTable(connection),
    exports: exportTable(connection),
    tasks: taskTable(connection),
    settings: settingTable(connection),
    namedBlobs: namedBlobs(connection),
    // SQLite goes on counting where a transaction is taken back, but does not count that.
    changes: () => written()[0] + connection.rollbacks,
    transaction: (work) => connection.transaction(work),
    close: () => project.close(),
  };
}
