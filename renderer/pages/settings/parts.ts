/** The parts of a project's and the app's files, in words. */
import type { AppStorageUse, CleanableAppPart, CleanablePart, StoragePartName } from '../../../core/api/storage.ts';

export const PROJECT_PARTS: Readonly<Record<StoragePartName, { title: string; note: string; cleans?: CleanablePart }>> =
  {
    blobs: { title: 'Masks, models and lists', note: 'In use by contexts, runs and exports.' },
    unused: { title: 'Not in use', note: 'Files that nothing refers to any more.', cleans: 'unused' },
    runs: { title: 'Checkpoints of runs', note: 'Let a stopped run go on.' },
    packs: { title: 'Packed pictures', note: 'For training; made anew when the next run starts.', cleans: 'packs' },
    thumbnails: { title: 'Thumbnails', note: 'Made anew when they are looked at.', cleans: 'thumbnails' },
    'other-cache': { title: 'Other caches', note: 'Made anew when they are wanted.', cleans: 'other-cache' },
    backups: {
      title: 'Backups',
      note: 'The project file as it was before a newer version opened it.',
      cleans: 'backups',
    },
  };

export const APP_PARTS: Readonly<
  Record<AppStorageUse['parts'][number]['name'], { title: string; note: string; cleans?: CleanableAppPart }>
> = {
  engine: { title: 'Engine', note: 'TensorFlow, Node and what binds them; set-up makes it.' },
  compiled: { title: 'Compiled code', note: 'Makes the start faster; made anew.', cleans: 'compiled' },
  logs: { title: 'Reports of defects', note: 'Written when a command failed by our fault.', cleans: 'logs' },
};
