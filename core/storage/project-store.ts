/**
 * The storage interface: what core needs remembered. `db/` implements it over SQLite; the entries (command line, service)
 * hand an implementation to core. All calls are synchronous and cheap per row; a caller batches through `transaction`.
 *
 * Whoever has a `ProjectStore` open is the project's only writer (see `project-lock.ts`). A call that names a row which is
 * not there throws an `Error`: a defect of the caller. Any call may throw `UserError` 'no-space', 'no-permission',
 * 'damaged' or 'unreadable' where the disk or the file fails; what it was about to write is then not written.
 */
import type { Json } from '../base/json.ts';
import type {
  Background,
  BackgroundFolder,
  BlobId,
  ClassRecord,
  Context,
  ContextEvent,
  ContextState,
  ContextStep,
  Edit,
  ExportItem,
  ExportRecord,
  ImageChange,
  ImageRecord,
  ImageState,
  Leftover,
  ListedRun,
  Mask,
  NearLink,
  NearScan,
  NewImage,
  NewProblem,
  NewRun,
  Problem,
  Reliance,
  Run,
  RunEpoch,
  RunState,
  RunWarning,
  Saliency,
  Source,
  Split,
  Stroke,
  Study,
  StudyRun,
  TaskRecord,
  Variant,
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

/** Which images a person wants to see, and in which order; every given field narrows it. */
export interface ImageSelection {
  /** Effective classes: merges applied. */
  classIds?: readonly number[];
  /** In force; null: none. */
  splits?: readonly (Split | null)[];
  states?: readonly ImageState[];
  excluded?: boolean;
  sourceIds?: readonly number[];
  /** What the path holds, in any Unicode form; upper and lower case of A to Z are the same. */
  text?: string;
  /** Usable images that share their content with another one; of those "leak": across splits, "conflict": across classes. */
  duplicates?: 'any' | 'leak' | 'conflict';
  /** Images that the import noted a problem of this kind for. */
  problem?: string;
  /** "path": by source, then path. "class": by name of the effective class. "size": bytes. "date": time of the file. */
  order: 'path' | 'class' | 'size' | 'date';
  descending: boolean;
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

/** What goes out of use with a source, and comes back with it. */
export interface SourceContent {
  /** Usable images: there, and not excluded. */
  images: number;
  contexts: number;
  /** Of the contexts those in the bank. */
  bank: number;
}

export interface SourceTable {
  add(source: Omit<Source, 'id' | 'scannedAt' | 'removedAt'>): Source;
  /** One that was removed, too. */
  get(id: number): Source | undefined;
  /** Those in the project. */
  list(): Source[];
  /** Those that were removed, too. */
  all(): Source[];
  /** Take one that is in the project out of it: its images become missing, and what state each had is kept. */
  remove(id: number, at: string): void;
  /** Bring one back that was removed, with its images in the states that they had. */
  restore(id: number): void;
  /** Of one that is in the project. */
  content(id: number): SourceContent;
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
   * Add images, or bring those with the same source and path up to date: what was found follows the file, state becomes
   * 'ok', an edited class or split stays in force. When the content is another (its hash), a decided context of the image
   * becomes undecided, with an event by "import": its mask was made on another picture.
   */
  upsert(images: readonly NewImage[]): void;
  setState(ids: readonly number[], state: ImageState): void;
  get(id: number): ImageRecord | undefined;
  /** @param pathBytes the file's exact name when it is not valid UTF-8; two such files may share a `path` */
  byPath(sourceId: number, path: string, pathBytes?: Uint8Array | null): ImageRecord | undefined;
  /**
   * In order of id, a page of rows at a time. The store may be written to meanwhile: rows not reached yet are given as
   * they are when their page is read.
   */
  iterate(filter?: ImageFilter): IterableIterator<ImageRecord>;
  /** Without those of removed sources. */
  counts(): ImageCount[];
  /** Effective classes that images of removed sources have. */
  removedClasses(): Set<number>;
  /** Shorter sides of the usable training images (those without a split included), pixels, and how many have each. */
  trainSides(): { side: number; count: number }[];
  /** Images by id, in the order asked for; ids that are not there are left out. */
  many(ids: readonly number[]): ImageRecord[];
  /** Ids of all images that fit, in order, without those of removed sources. A few tens of milliseconds for 100,000 images. */
  select(selection: ImageSelection): Uint32Array<ArrayBuffer>;
  /**
   * What a split in force is made of: its usable images, how many of them the import found there, and how many more edits
   * have taken out.
   */
  splitOrigins(split: Split): { usable: number; found: number; excluded: number };
  /** Whether the import found usable images in this split. */
  hasFoundSplit(split: Split): boolean;
  /** Ids of usable images with this content. */
  withHash(hash: BlobId): number[];
  /** How many images each source has, whatever their state, by its id. */
  countBySource(): Map<number, number>;
  /** Ids of usable images (ok, not excluded) that share a content hash with another one, grouped by hash. */
  duplicateGroups(): { hash: BlobId; imageIds: number[] }[];
}

export interface ProblemFilter {
  sourceId?: number;
  kind?: string;
  severity?: Problem['severity'];
  /** What the path or the reason holds; upper and lower case of A to Z are the same. */
  text?: string;
}

/** Lists and counts leave out problems of removed sources. */
export interface ProblemTable {
  add(sourceId: number, problems: readonly NewProblem[]): void;
  clear(sourceId: number): void;
  list(sourceId?: number): Problem[];
  /** A page of those that fit, in order of id, and how many fit in all. */
  page(filter: ProblemFilter, offset: number, limit: number): { total: number; problems: Problem[] };
  /** How many of each kind and severity there are, each with the first of them. */
  summary(sourceId?: number): { count: number; first: Problem }[];
  /** Of one path inside a source. */
  ofPath(sourceId: number, path: string): Problem[];
}

/** The view over what was found: every change is one edit and can be undone, newest first. */
export interface EditTable {
  /**
   * Record an edit and apply its changes: all of them or, when `changes` throws, none. Undoing it puts each image's class,
   * split and exclusion back to what was in force before, following what was found where no edit had set them.
   * `Edit.changes` counts images that got a new value; one that was set to the very same by an edit before is not counted.
   */
  apply(edit: Pick<Edit, 'kind' | 'params' | 'author' | 'at'>, changes: Iterable<ImageChange>): Edit;
  /**
   * Record a merge of classes and apply it; `into: null` lets a class stand for itself again.
   * @throws UserError 'usage' when a class would count as itself, directly or through others
   */
  merge(edit: Pick<Edit, 'params' | 'author' | 'at'>, classIds: readonly number[], into: number | null): Edit;
  /** Take the newest edit in force back, a merge too. Returns it, or undefined when there is none. */
  undo(at: string): Edit | undefined;
  /** Make the edit that was taken back last again: `undo` the other way. Undefined when there is none. */
  redo(): Edit | undefined;
  list(): Edit[];
}

export interface SaliencyTable {
  /** Its doubt is not known at first. */
  add(saliency: Omit<Saliency, 'id' | 'doubt'>): Saliency;
  get(id: number): Saliency | undefined;
  /** Newest first. */
  ofImage(imageId: number): Saliency[];
  /** Saliencies behind masks in force whose doubt is not known yet. */
  undoubted(): Pick<Saliency, 'id' | 'blob'>[];
  setDoubt(id: number, doubt: number): void;
  /** The run that a map was made with last; undefined when there is none. */
  newestRun(): number | undefined;
}

export interface MaskTable {
  add(mask: Omit<Mask, 'id'>): Mask;
  get(id: number): Mask | undefined;
  /** Oldest first. */
  ofImage(imageId: number): Mask[];
  /**
   * Contexts that are accepted, or whose mask in force a person made and that are not rejected, with that mask and the
   * newest one that a model made of the same picture; of those where the two are of one size and not the same. In order
   * of context.
   */
  rivals(modelHash: BlobId): Rivals[];
}

/** Two masks of one picture. */
export interface Rivals {
  contextId: number;
  maskId: number;
  blob: BlobId;
  modelMaskId: number;
  modelBlob: BlobId;
}

export interface ContextFilter {
  state?: ContextState;
  /** Only what is retired, or only what is not. */
  retired?: boolean;
  /** Effective class: merges applied. */
  classId?: number;
  minProbability?: number;
}

/** Which contexts a person looks at, and in which order; every given field narrows it. */
export interface ContextQuery {
  states?: readonly ContextState[];
  /** Only what is retired, or only what is not. */
  retired?: boolean;
  /** Effective classes: merges applied. */
  classIds?: readonly number[];
  /** Bounds of p(true class) and of the mask's area, 0 to 1, both inclusive. */
  minProbability?: number;
  maxProbability?: number;
  minArea?: number;
  maxArea?: number;
  /** Part of the image's path, in any case. */
  text?: string;
  /** Part of the note, in any case. */
  note?: string;
  /** Who decided; see `ContextRow`. */
  reviewer?: string;
  /** Only what a run or a finished export had, or only what none had; what `UseTable` has counted. */
  used?: boolean;
  /**
   * "changed": by the latest event. "gain": by doubt of the saliency behind the mask, times probability, times the weight
   * of the class. "uses": by runs and finished exports that had it. Equal ones come in order of id. "id" when absent.
   */
  sort?: 'id' | 'probability' | 'area' | 'class' | 'changed' | 'gain' | 'uses' | 'reviewer';
  /** By effective class, for "gain"; a class without one weighs nothing. */
  weights?: readonly (readonly [classId: number, weight: number])[];
  descending?: boolean;
}

/** A context with what a list shows of it. */
export interface ContextRow extends Context {
  path: string;
  /** Effective class: merges applied. */
  classId: number;
  /** Upright size of the picture, pixels. */
  width: number;
  height: number;
  imageState: ImageState;
  /** The source of the image is out of the project. */
  sourceRemoved: boolean;
  excluded: boolean;
  split: Split | null;
  /** Of the mask in force. */
  origin: Mask['origin'];
  area: number;
  /** Strokes were painted that no mask version shows yet. */
  draft: boolean;
  /** Who accepted or rejected it last, where that still holds; null while it is undecided. */
  reviewer: string | null;
}

/** A decision that is in force, with what a person made of the context. */
export interface Decision {
  contextId: number;
  /** Effective class: merges applied. */
  classId: number;
  state: Exclude<ContextState, 'undecided'>;
  /** A person made the mask in force. */
  corrected: boolean;
  /** Contexts that were decided in the same step. */
  together: number;
  author: string;
  at: string;
}

/** Lists and counts leave out contexts of images whose source was removed. */
export interface ContextTable {
  /**
   * Add a context for an image that has none, state 'undecided'; writes its first event.
   * @param stepId the step that it belongs to: taken back, that removes the context where nothing has been done with it since
   */
  add(
    context: Pick<Context, 'imageId' | 'maskId' | 'probability' | 'createdAt'>,
    author: string,
    stepId?: number,
  ): Context;
  get(id: number): Context | undefined;
  ofImage(imageId: number): Context | undefined;
  list(filter?: ContextFilter): Context[];
  /** Those that fit, in the order asked for. */
  find(query: ContextQuery): { id: number; imageId: number }[];
  /** In the order of `ids`; those that are not there are left out. */
  rows(ids: readonly number[]): ContextRow[];
  count(): Record<ContextState, number>;
  /** How many are in the bank: accepted and not retired. */
  bankSize(): number;
  /** How many of those have a mask that a person painted or brought along, stored drafts too. */
  editedInBank(): number;
  /** By effective class; only what there is. */
  countByClass(): { classId: number; state: ContextState; count: number }[];
  /** Decide; writes an event. @param stepId the step that it belongs to */
  setState(id: number, state: ContextState, author: string, at: string, stepId?: number): void;
  /**
   * Point at another mask version, with p(true class) where the model that made it says one; writes an event. What was
   * painted on the mask before, and its strokes, are gone: who wants them settles them first.
   * @param stepId the step that it belongs to
   */
  setMask(id: number, maskId: number, author: string, at: string, probability?: number, stepId?: number): void;
  /** Point at the mask version that shows what was painted; writes an event. The strokes stay, the draft is over. */
  settle(id: number, maskId: number, author: string, at: string, stepId: number): void;
  /** Take out of the bank, or put back; writes an event. @param stepId the step that it belongs to */
  setRetired(id: number, retired: boolean, author: string, at: string, stepId?: number): void;
  setNote(id: number, note: string): void;
  history(id: number): ContextEvent[];
  /** Decisions in force among the newest `limit` steps of contexts, newest first; of decisions that were steps only. */
  decisions(limit: number): Decision[];
  /** Begin a step; `setState`, `setMask` and `setRetired` name it. @returns its id */
  addStep(step: Pick<ContextStep, 'kind' | 'author' | 'at'>): number;
  /** The newest step that is in force and how many contexts it changed; undefined when there is none. */
  lastStep(): (ContextStep & { contexts: number }) | undefined;
  /**
   * Take the newest step in force back, with an event for each context. A context that something else has changed since,
   * or whose new mask has been painted on, stays as it is and counts as kept. Undefined when there is no step.
   */
  undoStep(author: string, at: string): { step: ContextStep; changed: number; kept: number } | undefined;
}

export type StrokeSummary = Omit<Stroke, 'pixelsBefore' | 'pixelsAfter'>;

/** What is painted on masks: strokes, and tiles of the masks that no version shows yet. */
export interface DraftTable {
  /** Tiles of a context's mask that differ from the mask in force, as zlib streams, by number. */
  tiles(contextId: number): Map<number, Uint8Array>;
  /** Contexts that have such tiles, in order of id. */
  pending(): number[];
  isPending(contextId: number): boolean;
  /** Strokes that can be taken back or redone, oldest first. */
  strokes(contextId: number): StrokeSummary[];
  /** Strokes that are in force and that no mask version shows, also those that cannot be taken back any more. */
  unsettled(contextId: number): Pick<Stroke, 'tool' | 'author'>[];
  /** @throws Error for one that is not there or cannot be taken back */
  stroke(id: number): Stroke;
  /**
   * Add a stroke with the tiles that it changed. Those that were taken back are gone for good; of the others, the oldest
   * beyond `depth` strokes or `most` bytes of this context can no longer be taken back.
   * @returns the new revision
   */
  paint(
    stroke: Omit<Stroke, 'id' | 'undone' | 'maskId'>,
    tiles: ReadonlyMap<number, Uint8Array>,
    bounds: { depth: number; most: number },
  ): number;
  /** Take a stroke back, or redo it, with the tiles that change. @returns the new revision */
  setUndone(id: number, undone: boolean, tiles: ReadonlyMap<number, Uint8Array>): number;
  /** The mask version `maskId`, in force, shows what is painted: its tiles are not needed any more. */
  settled(contextId: number, maskId: number): void;
  /** Forget the strokes of settled drafts, those painted last kept: so many contexts, so many bytes. */
  prune(bounds: { contexts: number; most: number }): void;
}

/** What used one context. */
export interface ContextUse {
  /** Runs with it in their frozen bank, newest first. */
  runs: { id: number; name: string; state: RunState; model: boolean; maskId: number }[];
  /** Finished exports that it lies on pictures of, newest first; once for each mask version. */
  exports: { id: number; path: string; maskId: number; pictures: number }[];
}

export interface UseCount {
  contextId: number;
  runs: number;
  exports: number;
  pictures: number;
}

/** The bank as a whole: contexts that are accepted, retired or not. */
export interface BankTable {
  /** By effective class; only what there is. */
  byClass(): { classId: number; held: number; retired: number }[];
  /** Who accepted them, and how many each; by name. */
  reviewers(): { name: string; contexts: number }[];
  /** Number of the newest event of any context; 0 when there is none. */
  lastEvent(): number;
  /** Contexts that have come into the bank, left it, or changed in it, after that event. */
  changedSince(event: number): number;
}

/** Plain backgrounds. None of them is an image: no listing, count or statistic of images meets one. */
export interface BackgroundTable {
  /** The folder at an absolute path, made if it is new. */
  folder(path: string, relativePath: string | null): BackgroundFolder;
  folders(): BackgroundFolder[];
  moveFolder(id: number, path: string, relativePath: string | null): void;
  /** Contents and files are unique: one that is there already is a defect of the caller. */
  add(background: Omit<Background, 'id' | 'retiredAt' | 'note'>): Background;
  /** Where its file lies and what it is. */
  setFile(id: number, file: Omit<Background, 'id' | 'author' | 'addedAt' | 'retiredAt' | 'note'>): void;
  get(id: number): Background | undefined;
  withHash(hash: BlobId): Background | undefined;
  byPath(folderId: number, path: string, pathBytes?: Uint8Array | null): Background | undefined;
  /** In order of id. */
  list(): Background[];
  /** How many are in the bank, and how many are retired. */
  counts(): { held: number; retired: number };
  setRetired(id: number, at: string | null): void;
  setNote(id: number, note: string): void;
  /** Forget one that nothing was made with, and its folder where it was the last in it. */
  remove(id: number): void;
}

/** What a frozen bank holds: a context with its mask, or a plain background. */
export type BankUse = { contextId: number; maskId: number } | { backgroundId: number };

/** Which contexts were used by runs and exports. Frozen banks are counted when somebody asks, each once. */
export interface UseTable {
  /** A frozen bank of a run that has not been counted yet. */
  newBank(): BlobId | undefined;
  /** How many there are of them. */
  newBanks(): number;
  addBank(blob: BlobId, entries: readonly BankUse[]): void;
  /** A counted bank that other runs have than when it was counted. */
  staleBank(): BlobId | undefined;
  /** Bring the counts that queries sort by up to the runs of a counted bank. */
  recount(blob: BlobId, entries: readonly BankUse[]): void;
  /** Count the finished exports that have not been counted yet. */
  addExports(): void;
  ofContext(contextId: number): ContextUse;
  /** In the order asked for. */
  counts(contextIds: readonly number[]): UseCount[];
  /** Runs and finished exports that used any of them. */
  ofContexts(contextIds: readonly number[]): { runs: number; exports: number };
  /** How often each plain background was used, by its id; those that nothing used are left out. */
  ofBackgrounds(): Map<number, { runs: number; exports: number; pictures: number }>;
}

/** A usable image whose content is like another one's. */
export interface NearMember {
  hash: BlobId;
  id: number;
  /** Effective class: merges applied. */
  classId: number;
  /** Images without a split count as train. */
  split: Split;
}

/** The last look for near-duplicates. */
export interface NearTable {
  /** Keep a look in place of the one before. @param hashes contents that were seen, links among them; each once */
  replace(scan: NearScan, hashes: readonly BlobId[], links: readonly NearLink[]): void;
  scan(): NearScan | undefined;
  setThreshold(threshold: number): void;
  /** Those of at least that cosine, most alike first. */
  links(from: number): NearLink[];
  /** Usable images of contents with such a link, in order of id. */
  members(from: number): NearMember[];
  /** Contents that were seen, and those of usable images that were not. */
  counts(): { seen: number; unseen: number };
}

/** A context of the bank and what a run's model says of it. */
export interface LeftoverRow extends Leftover {
  imageId: number;
  /** Effective class: merges applied. */
  classId: number;
  /** The mask has changed since. */
  stale: boolean;
  /** A person looked at it with the mask in force and found nothing left over. */
  fine: boolean;
  /** By the rule; see core/contexts/leftover.ts. */
  flagged: boolean;
}

export interface LeftoverQuery {
  runId: number;
  /** Least score of what is flagged. */
  from: number;
  /** "open": flagged, not found fine, the mask in force. */
  part: 'open' | 'stale' | 'fine' | 'all';
  /** Effective class: merges applied. */
  classId?: number;
  limit: number;
  offset: number;
}

/** What models still see of foregrounds in contexts. Of contexts in the bank only, where nothing else is said. */
export interface LeftoverTable {
  /** Insert, or replace what the run said of the context before. */
  put(rows: readonly Leftover[]): void;
  /** In the bank or not. */
  get(runId: number, contextId: number): Leftover | undefined;
  /** What is open first, leftovers before other verdicts, then by score, largest first. */
  list(query: LeftoverQuery): { total: number; rows: LeftoverRow[] };
  /** By effective class. `flagged`: with the mask in force · `score`: its mean · `newest`: when one was checked last. */
  counts(
    runId: number,
    from: number,
  ): {
    classId: number;
    checked: number;
    flagged: number;
    open: number;
    /** Of those that are open, by their verdicts; what was looked at before there were verdicts is in none. */
    leftovers: number;
    backgrounds: number;
    outlines: number;
    stale: number;
    fine: number;
    score: number;
    newest: string;
  }[];
  /** The run that was asked last; undefined before there was one. */
  newestRun(): number | undefined;
  /** Contexts of the bank that a run has not been asked about with the mask that they have now. */
  unchecked(runId: number): number[];
  /** Remember that a person found contexts fine with these masks. */
  setFine(entries: readonly { contextId: number; maskId: number }[], author: string, at: string): void;
  dropFine(contextIds: readonly number[]): void;
}

export interface RunTable {
  add(run: NewRun): Run;
  update(id: number, fields: Partial<Omit<Run, 'id'>>): void;
  get(id: number): Run | undefined;
  /** Newest first. */
  list(): Run[];
  /** The same, fast however many classes there are. */
  listed(): ListedRun[];
  /** The settings `model` and `weights` of every run. */
  networks(): { id: number; model: Json; weights: Json }[];
  /**
   * Take runs off for good, with their epochs, warnings, variants, reliance and leftover checks, and out of their studies;
   * what was made by them forgets them.
   */
  remove(ids: readonly number[]): void;
  /** Insert or replace: a resumed run writes an epoch again. */
  putEpoch(epoch: RunEpoch): void;
  epochs(runId: number): RunEpoch[];
  /** Epochs that are over. */
  epochCount(runId: number): number;
  /** Epochs from `from` on, with their figures less those of each class; fast however many classes there are. */
  epochSummaries(runId: number, from: number): { epoch: number; summary: Json }[];
  /** Insert or replace by epoch and name: a resumed run warns again. */
  addWarning(warning: RunWarning): void;
  /** In order of epoch, then name. */
  warnings(runId: number): RunWarning[];
}

export interface VariantTable {
  /** The name must be new among those of the run. */
  add(variant: Omit<Variant, 'id'>): Variant;
  get(id: number): Variant | undefined;
  /** Oldest first. */
  ofRun(runId: number): Variant[];
  /** The name must be new among those of the run. */
  rename(id: number, name: string): void;
  remove(id: number): void;
}

export interface RelianceTable {
  /** Insert, or replace what was measured of the run before. */
  put(reliance: Reliance): void;
  ofRun(runId: number): Reliance | undefined;
}

export interface StudyTable {
  add(study: Omit<Study, 'id'>): Study;
  get(id: number): Study | undefined;
  /** Newest first. */
  list(): Study[];
  /** The study that a run was made for; the newest where there are several. */
  ofRun(runId: number): Study | undefined;
  /** Add runs to a study. */
  addRuns(id: number, runs: readonly StudyRun[]): void;
  /** Forget a study; its runs stay. */
  remove(id: number): void;
}

export interface TaskTable {
  add(task: Omit<TaskRecord, 'id'>): TaskRecord;
  update(id: number, fields: Partial<Omit<TaskRecord, 'id'>>): void;
  get(id: number): TaskRecord | undefined;
  /** In order of position. */
  list(): TaskRecord[];
  remove(id: number): void;
}

export interface ExportTable {
  add(record: Omit<ExportRecord, 'id'>): ExportRecord;
  update(id: number, fields: Partial<Omit<ExportRecord, 'id'>>): void;
  get(id: number): ExportRecord | undefined;
  /** The newest export to that folder. */
  byPath(path: string): ExportRecord | undefined;
  list(): ExportRecord[];
  /** Insert or replace by file: a resumed export writes an item again. */
  addItems(items: readonly ExportItem[]): void;
  /** In order of file, a page of rows at a time; may be written to meanwhile. */
  items(exportId: number): IterableIterator<ExportItem>;
  /** A summary of them. @param options.parts equal parts of lambda, 0 to 1 · most: contexts that are told by name */
  lineage(exportId: number, options: { parts: number; most: number }): ExportLineage;
}

/** What the pictures of an export were made from. */
export interface ExportLineage {
  /** Pictures with something laid over, and without. */
  mixed: number;
  plain: number;
  /** Different images that they show. */
  sources: number;
  /** Pictures by lambda. */
  lambda: number[];
  /** Different contexts, and those that are no longer as they were used: another mask, not accepted, gone. */
  contexts: number;
  changedContexts: number;
  /** Contexts that most pictures have, with the image they are of. */
  mostUsed: { context: number; image: number; uses: number }[];
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
  readonly drafts: DraftTable;
  readonly bank: BankTable;
  readonly backgrounds: BackgroundTable;
  readonly uses: UseTable;
  readonly leftover: LeftoverTable;
  readonly near: NearTable;
  readonly runs: RunTable;
  readonly variants: VariantTable;
  readonly reliance: RelianceTable;
  readonly studies: StudyTable;
  readonly exports: ExportTable;
  readonly tasks: TaskTable;
  readonly settings: SettingTable;
  /** Those of the blobs that some record names, other than these runs. */
  namedBlobs(ids: readonly BlobId[], exceptRuns?: readonly number[]): Set<BlobId>;
  /** Grows with every row that is written and taken back: while it is the same, so is what a reader was told. */
  changes(): number;
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
  /** Socket of the service that has it open and answers for it; absent for a program that does not. */
  socket?: string;
}

/**
 * Opens project files. The implementation enforces one writer a project.
 *
 * `open` throws `UserError`: 'locked' (names the holder), 'newer', 'damaged', 'not-found', 'no-permission', 'no-space',
 * 'exists' (remains of a deleted project lie where a new one would put its files), 'usage' (not a file). A file it cannot
 * open is left untouched.
 */
export interface ProjectStorage {
  /** @param create make the project when the file does not exist; else 'not-found' */
  open(file: string, options: { create: boolean; holder: LockHolder; name?: string }): ProjectStore;
}
