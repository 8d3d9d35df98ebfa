/**
 * The storage interface: what core needs remembered. `db/` implements it over SQLite; the entries (command line, service)
 * hand an implementation to core. All calls are synchronous and cheap per row; a caller batches through `transaction`.
 *
 * Whoever has a `ProjectStore` open is the project's only writer (see `project-lock.ts`).
 */
import type { Json } from '../base/json.ts';
import type {
  BlobId,
  ClassRecord,
  Context,
  ContextEvent,
  ContextState,
  Edit,
  ExportItem,
  ExportRecord,
  ImageChange,
  ImageRecord,
  ImageState,
  Mask,
  NewImage,
  NewProblem,
  Problem,
  Run,
  RunEpoch,
  RunWarning,
  Saliency,
  Source,
  Split,
} from './records.ts';

export interface ProjectInfo {
  /** Random id given at creation. */
  id: string;
  name: string;
  createdAt: string;
}

/** Which images a listing returns; every given field narrows it. */
export interface ImageFilter {
  sourceId?: number;
  /** Effective class: merges applied. */
  classId?: number;
  split?: Split | null;
  state?: ImageState;
  excluded?: boolean;
  /** Only images with id > afterId, for paging. */
  afterId?: number;
  limit?: number;
}

/** How many images share a class, split, exclusion and state. */
export interface ImageCount {
  /** Effective class: merges applied. */
  classId: number;
  split: Split | null;
  excluded: boolean;
  state: ImageState;
  count: number;
}

export interface SourceTable {
  add(source: Omit<Source, 'id' | 'scannedAt'>): Source;
  get(id: number): Source | undefined;
  list(): Source[];
  setPath(id: number, path: string, relativePath: string | null): void;
  setScanned(id: number, at: string): void;
}

export interface ClassTable {
  /** The class of that name, made if it is new. */
  ensure(name: string): ClassRecord;
  get(id: number): ClassRecord | undefined;
  byName(name: string): ClassRecord | undefined;
  list(): ClassRecord[];
}

export interface ImageTable {
  /**
   * Add images, or bring those with the same source and path up to date (state becomes 'ok'; an edited class or split
   * stays, an unedited one follows what was found).
   */
  upsert(images: readonly NewImage[]): void;
  setState(ids: readonly number[], state: ImageState): void;
  get(id: number): ImageRecord | undefined;
  byPath(sourceId: number, path: string): ImageRecord | undefined;
  /** In order of id, without holding all rows in memory. The store must not be written to while iterating. */
  iterate(filter?: ImageFilter): IterableIterator<ImageRecord>;
  counts(): ImageCount[];
  /** Ids of usable images (ok, not excluded) that share a content hash with another one, grouped by hash. */
  duplicateGroups(): { hash: BlobId; imageIds: number[] }[];
}

export interface ProblemTable {
  add(sourceId: number, problems: readonly NewProblem[]): void;
  clear(sourceId: number): void;
  list(sourceId?: number): Problem[];
}

/** The view over what was found: every change is one edit and can be undone, newest first. */
export interface EditTable {
  /** Record an edit and apply its changes at once. */
  apply(edit: Pick<Edit, 'kind' | 'params' | 'author' | 'at'>, changes: Iterable<ImageChange>): Edit;
  /** Record a merge of classes and apply it; `into: null` lets a class stand for itself again. */
  merge(edit: Pick<Edit, 'params' | 'author' | 'at'>, classIds: readonly number[], into: number | null): Edit;
  /** Take the newest edit in force back. Returns it, or undefined when there is none. */
  undo(at: string): Edit | undefined;
  list(): Edit[];
}

export interface SaliencyTable {
  add(saliency: Omit<Saliency, 'id'>): Saliency;
  get(id: number): Saliency | undefined;
  /** Newest first. */
  ofImage(imageId: number): Saliency[];
}

export interface MaskTable {
  add(mask: Omit<Mask, 'id'>): Mask;
  get(id: number): Mask | undefined;
  /** Oldest first. */
  ofImage(imageId: number): Mask[];
}

export interface ContextFilter {
  state?: ContextState;
  /** Effective class: merges applied. */
  classId?: number;
  minProbability?: number;
}

export interface ContextTable {
  /** Add a context for an image that has none, state 'undecided'; writes its first event. */
  add(context: Omit<Context, 'id' | 'state'>, author: string): Context;
  get(id: number): Context | undefined;
  ofImage(imageId: number): Context | undefined;
  list(filter?: ContextFilter): Context[];
  count(): Record<ContextState, number>;
  /** Decide; writes an event. */
  setState(id: number, state: ContextState, author: string, at: string): void;
  /** Point at another mask version; writes an event. */
  setMask(id: number, maskId: number, author: string, at: string): void;
  history(id: number): ContextEvent[];
}

export interface RunTable {
  add(run: Omit<Run, 'id'>): Run;
  update(id: number, fields: Partial<Omit<Run, 'id'>>): void;
  get(id: number): Run | undefined;
  /** Newest first. */
  list(): Run[];
  /** Insert or replace: a resumed run writes an epoch again. */
  putEpoch(epoch: RunEpoch): void;
  epochs(runId: number): RunEpoch[];
  addWarning(warning: RunWarning): void;
  warnings(runId: number): RunWarning[];
}

export interface ExportTable {
  add(record: Omit<ExportRecord, 'id'>): ExportRecord;
  update(id: number, fields: Partial<Omit<ExportRecord, 'id'>>): void;
  get(id: number): ExportRecord | undefined;
  byPath(path: string): ExportRecord | undefined;
  list(): ExportRecord[];
  /** Insert or replace by file: a resumed export writes an item again. */
  addItems(items: readonly ExportItem[]): void;
  items(exportId: number): IterableIterator<ExportItem>;
}

/** Small named values: thresholds of the groups, author name, … */
export interface SettingTable {
  get(name: string): Json | undefined;
  set(name: string, value: Json): void;
}

export interface ProjectStore {
  readonly info: ProjectInfo;
  readonly sources: SourceTable;
  readonly classes: ClassTable;
  readonly images: ImageTable;
  readonly problems: ProblemTable;
  readonly edits: EditTable;
  readonly saliencies: SaliencyTable;
  readonly masks: MaskTable;
  readonly contexts: ContextTable;
  readonly runs: RunTable;
  readonly exports: ExportTable;
  readonly settings: SettingTable;
  /** Run `work` so that either all of its writes last or none. May be nested. */
  transaction<T>(work: () => T): T;
  /** Write everything down and give the lock back. */
  close(): void;
}

/** Who holds a project, written beside it so that a second writer can be refused by name. */
export interface LockHolder {
  pid: number;
  host: string;
  /** What it runs: "contexture train", "Contexture". */
  program: string;
  since: string;
}

/**
 * Opens project files. The implementation enforces one writer a project.
 *
 * `open` throws `UserError`: 'locked' (names the holder), 'newer', 'damaged', 'not-found', 'no-permission', 'no-space'.
 * A file it cannot open is left untouched.
 */
export interface ProjectStorage {
  /** @param create make the project when the file does not exist; else 'not-found' */
  open(file: string, options: { create: boolean; holder: LockHolder; name?: string }): ProjectStore;
}
