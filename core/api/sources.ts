/** Sources: import, look before and again, follow a move, remove and bring back; and the problems that were found. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { SplitName } from './images.ts';
import { Task } from './tasks.ts';

export const Layout = z.enum(['class', 'split-class']);
export type Layout = z.infer<typeof Layout>;
export const LayoutChoice = z.enum(['auto', ...Layout.options]);
export type LayoutChoice = z.infer<typeof LayoutChoice>;
export const SourceKind = z.enum(['folder', 'zip', 'csv']);
export type SourceKind = z.infer<typeof SourceKind>;
export const Severity = z.enum(['error', 'warning', 'note']);
export type Severity = z.infer<typeof Severity>;

export const SourceEntry = z
  .object({
    id: z.number(),
    kind: SourceKind,
    /** Absolute. */
    path: z.string(),
    addedAt: z.string(),
    /** When the last complete scan ended; null while the first one has not. */
    scannedAt: z.string().nullable(),
    /** It is not where it was. */
    lost: z.boolean(),
    /** How its folders were read; null before the first look. */
    layout: z.object({ layout: Layout, prefix: z.string() }).nullable(),
    images: z.number(),
    problems: z.number(),
  })
  .meta({ id: 'SourceEntry' });
export type SourceEntry = z.infer<typeof SourceEntry>;

/** A source that was taken out of the project. */
export const RemovedSource = SourceEntry.pick({ id: true, kind: true, path: true, lost: true, images: true })
  .extend({ removedAt: z.string() })
  .meta({ id: 'RemovedSource' });
export type RemovedSource = z.infer<typeof RemovedSource>;

/** What goes out of use with a source, and comes back with it. */
export const SourceContent = z
  .object({
    /** Usable images. */
    images: z.number(),
    contexts: z.number(),
    /** Of the contexts those in the bank. */
    bank: z.number(),
  })
  .meta({ id: 'SourceContent' });
export type SourceContent = z.infer<typeof SourceContent>;

/** What a look at a source, before it is imported, tells. */
export const SourceLook = z
  .object({
    path: z.string(),
    kind: SourceKind,
    /** It is a source of the project already; importing it looks at it again. */
    known: z.boolean(),
    /** It is one that was removed; importing it brings it back. */
    removed: z.boolean(),
    /** Not all of it was looked at: it is large. */
    partial: z.boolean(),
    layout: Layout,
    /** The folder around everything; "" where there is none. */
    prefix: z.string(),
    /** Files that could be pictures, by their names alone. */
    files: z.number(),
    splits: z.array(z.object({ split: SplitName, files: z.number(), folder: z.string() })),
    /** Of all splits together, in order of name; the first of them where there are many. */
    classes: z.array(z.object({ name: z.string(), files: z.number() })),
    classCount: z.number(),
    /** Files that would belong to no class. */
    unplaced: z.number(),
    /** What is doubtful about that reading, a sentence each. */
    doubts: z.array(z.string()),
  })
  .meta({ id: 'SourceLook' });
export type SourceLook = z.infer<typeof SourceLook>;

export const ProblemKind = z
  .object({
    kind: z.string(),
    severity: Severity,
    count: z.number(),
    /** Its name, what it means for the data set, and what to do. */
    title: z.string(),
    meaning: z.string(),
    advice: z.string(),
    /** What `path` of such a problem names. */
    about: z.enum(['image', 'file', 'folder', 'class', 'source']),
    example: z.object({ path: z.string(), reason: z.string() }),
  })
  .meta({ id: 'ProblemKind' });
export type ProblemKind = z.infer<typeof ProblemKind>;

export const ProblemEntry = z
  .object({
    id: z.number(),
    source: z.number(),
    /** Path inside the source, or the name of a class; "" for the source itself. */
    path: z.string(),
    kind: z.string(),
    severity: Severity,
    reason: z.string(),
  })
  .meta({ id: 'ProblemEntry' });
export type ProblemEntry = z.infer<typeof ProblemEntry>;

/** Result of a task "import": its `result`, as far as pages show it. */
export const ImportResult = z.object({
  sourceId: z.number(),
  kind: SourceKind,
  path: z.string(),
  images: z.number(),
  added: z.number(),
  changed: z.number(),
  missing: z.number(),
  classes: z.number(),
  seconds: z.number(),
});
export type ImportResult = z.infer<typeof ImportResult>;

export const SOURCE_ENDPOINTS = {
  'GET /api/projects/{project}/sources': { summary: 'Where the images come from.', response: z.array(SourceEntry) },
  'POST /api/projects/{project}/sources/look': {
    summary: 'Look at a folder, zip or CSV file before it is imported: how its tree would be read.',
    body: z.object({
      /** Absolute. */
      path: z.string().min(1),
      layout: LayoutChoice.default('auto'),
    }),
    response: SourceLook,
  },
  'POST /api/projects/{project}/imports': {
    summary: 'Import a folder, zip or CSV file.',
    body: z.object({
      /** Absolute. */
      path: z.string().min(1),
      layout: LayoutChoice.default('auto'),
    }),
    response: Task,
  },
  'POST /api/projects/{project}/sources/{source}/rescan': {
    summary: 'Bring the project up to date with a source.',
    body: z.object({ layout: LayoutChoice.default('auto') }),
    response: Task,
  },
  'POST /api/projects/{project}/sources/{source}/relink': {
    summary: 'Tell the project where a source lies now. Nothing changes unless the same pictures are there.',
    body: z.object({
      /** Absolute. */
      path: z.string().min(1),
      /** Compare the content of every picture instead of a sample. */
      all: z.boolean().default(false),
    }),
    response: Task,
  },
  'GET /api/projects/{project}/sources/removed': {
    summary: 'Sources that were taken out of the project.',
    response: z.array(RemovedSource),
  },
  'GET /api/projects/{project}/sources/{source}/content': {
    summary: 'What would go out of use with a source.',
    response: SourceContent,
  },
  'POST /api/projects/{project}/sources/{source}/remove': {
    summary: 'Take a source out of the project; nothing of it is deleted. Refused while it is imported or relinked.',
    response: SourceContent,
  },
  'POST /api/projects/{project}/sources/{source}/restore': {
    summary: 'Bring a removed source back as it was; where its files have changed since, it is scanned again.',
    response: SourceContent.extend({
      /** The scan; null where the files are as they were. */
      scan: Task.nullable(),
    }),
  },
  'GET /api/projects/{project}/problems/kinds': {
    summary: 'Kinds of problems that were found, worst first.',
    query: z.object({ source: z.int().positive().optional() }),
    response: z.array(ProblemKind),
  },
  'GET /api/projects/{project}/problems': {
    summary: 'Problems, a page at a time.',
    query: z.object({
      source: z.int().positive().optional(),
      kind: z.string().max(100).optional(),
      severity: Severity.optional(),
      text: z.string().max(500).optional(),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(1000).default(200),
    }),
    response: z.object({ total: z.number(), problems: z.array(ProblemEntry) }),
  },
} as const satisfies Record<EndpointKey, Endpoint>;
