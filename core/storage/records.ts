/**
 * What a project remembers, as plain records. `db/` keeps them in SQLite; nothing here knows how.
 *
 * Ids are positive whole numbers given by the store. Times are ISO 8601 in UTC. A `BlobId` names bytes in the blob store
 * by their SHA-256.
 */
import type { Json } from '../base/json.ts';

/** SHA-256 of some bytes, 64 lower-case hex digits. */
export type BlobId = string;

export type Split = 'train' | 'val' | 'test';
export const SPLITS: readonly Split[] = ['train', 'val', 'test'];

/** A place that images were imported from. Its files stay where they are. */
export interface Source {
  id: number;
  kind: 'folder' | 'zip' | 'csv';
  /** Absolute path of the folder, zip or CSV file. */
  path: string;
  /** The same path relative to the project file's folder, where there is one; tried first, so that both can move together. */
  relativePath: string | null;
  addedAt: string;
  /** When the last complete scan ended; null while the first one has not. */
  scannedAt: string | null;
  /**
   * Since when it is out of the project; null while it is in. Its images are then missing and in no list and no count;
   * nothing of them is deleted, and importing it again or restoring it brings all of it back.
   */
  removedAt: string | null;
}

export interface ClassRecord {
  id: number;
  /** Shown name, Unicode NFC; unique. */
  name: string;
  /** The class that this one counts as, after a merge; null when it stands for itself. */
  mergedInto: number | null;
}

/** `missing`: gone at the last look. `changed`: content differs from what was imported. Neither is used for training. */
export type ImageState = 'ok' | 'missing' | 'changed';

export interface ImageRecord {
  id: number;
  sourceId: number;
  /** Path inside the source with `/` between parts, as text (lossy when `pathBytes` is set). */
  path: string;
  /** The file's exact name on disk when it is not valid UTF-8, else null. */
  pathBytes: Uint8Array | null;
  /** File size in bytes and modification time in milliseconds since 1970. */
  size: number;
  mtimeMs: number;
  /** SHA-256 of the file's bytes. */
  hash: BlobId;
  /** Upright size in pixels (EXIF orientation applied). */
  width: number;
  height: number;
  /** "jpeg", "png", "webp", "gif", "tiff", "bmp". */
  format: string;
  /** EXIF orientation 1-8; 1 where the file has none. */
  orientation: number;
  /** The class and split found at import; never changed by edits. */
  foundClassId: number;
  foundSplit: Split | null;
  /** The class and split in force: as found, or as edited. Merges are not applied here (see `ClassRecord.mergedInto`). */
  classId: number;
  split: Split | null;
  /** Taken out of the view by an edit. */
  excluded: boolean;
  state: ImageState;
}

/** An image before it has an id; edits do not exist yet, so `classId` and `split` are those found. */
export type NewImage = Omit<ImageRecord, 'id' | 'classId' | 'split' | 'excluded' | 'state'>;

/** Something an import could not use or wants looked at. Nothing is dropped without one. */
export interface Problem {
  id: number;
  sourceId: number;
  /** Path inside the source, or "" for the source itself. */
  path: string;
  /** Machine name of the reason, such as "empty-class". */
  kind: string;
  severity: 'error' | 'warning' | 'note';
  /** One sentence for people. */
  reason: string;
}
export type NewProblem = Omit<Problem, 'id' | 'sourceId'>;

/** One change of the view: exclude, relabel, merge, split, make long-tailed. Undone edits stay in the history. */
export interface Edit {
  id: number;
  kind: 'exclude' | 'include' | 'relabel' | 'merge' | 'split' | 'long-tail';
  /** What was asked for: class names, ratio, seed, … */
  params: Json;
  author: string;
  at: string;
  undoneAt: string | null;
  /** Taken back, and no other edit has been made since: it can be made again. */
  redoable: boolean;
  /** Images (or classes, for a merge) that it changed. */
  changes: number;
}

/** One field of one image as an edit sets it. */
export interface ImageChange {
  imageId: number;
  classId?: number;
  split?: Split | null;
  excluded?: boolean;
}

/** Class activation map of one image by one model, on its own grid. */
export interface Saliency {
  id: number;
  imageId: number;
  /** SHA-256 of the model's weights and the layer the map was taken from. */
  modelHash: string;
  layer: string;
  runId: number | null;
  /** 8-bit grey PNG; 0 = no evidence, 255 = strongest evidence for the class. */
  blob: BlobId;
  width: number;
  height: number;
  /** Probability of the true class, 0 to 1, and where it comes from. */
  probability: number;
  probabilityFrom: 'held-out' | 'on-line' | 'training';
  /** How undecided it is between context and foreground, 0 to 1; see core/contexts/review-order.ts. Null: not looked at yet. */
  doubt: number | null;
  /** How the picture was looked at: `SaliencyLook` (core/contexts/saliency-look.ts). Null: found before that was kept. */
  look: Json;
  createdAt: string;
}

/** Version of a context mask; never overwritten. 1 = context. */
export interface Mask {
  id: number;
  imageId: number;
  /** The version this one was made from; null for the first. */
  parentId: number | null;
  /** "soft": (1 - A)^2 · "threshold": 1 where A < threshold · "edit": a person's · "import": from a file. */
  origin: 'soft' | 'threshold' | 'edit' | 'import';
  saliencyId: number | null;
  /** Threshold, tool, file name, … */
  params: Json;
  /** 8-bit grey PNG on the picture's upright pixel grid. */
  blob: BlobId;
  width: number;
  height: number;
  /** Mean of the mask, 0 to 1: the share of the picture that is context. */
  area: number;
  author: string;
  createdAt: string;
}

export type ContextState = 'undecided' | 'accepted' | 'rejected';

/**
 * An image with the mask that says what of it is context. The bank is what is accepted and not retired. One context an
 * image.
 */
export interface Context {
  id: number;
  imageId: number;
  /** Current mask version. */
  maskId: number;
  state: ContextState;
  /** Probability of the true class by the model that made the mask. */
  probability: number;
  createdAt: string;
  /** Counts changes of its mask, strokes included: whoever changes it says what he has seen. */
  revision: number;
  /** Since when it is out of the bank, whatever its state; null while it is not. */
  retiredAt: string | null;
  note: string;
}

/** A folder that plain backgrounds were added from. Its files stay where they are. */
export interface BackgroundFolder {
  id: number;
  /** Absolute; and relative to the project file's folder, where there is one, as `Source.relativePath`. */
  path: string;
  relativePath: string | null;
}

/**
 * A plain background: a picture that a person added to the bank, all of it context. It is no image of the data set: it has
 * no class and no split, and no mask. The file's fields are those of `ImageRecord`.
 */
export interface Background extends Pick<
  ImageRecord,
  'path' | 'pathBytes' | 'size' | 'mtimeMs' | 'hash' | 'width' | 'height' | 'format' | 'orientation'
> {
  id: number;
  folderId: number;
  author: string;
  addedAt: string;
  /** Since when it is out of the bank; null while it is not. */
  retiredAt: string | null;
  note: string;
}

/** One change of a context's mask by one tool, kept until something other than strokes changes the mask. */
export interface Stroke {
  id: number;
  contextId: number;
  tool: string;
  /** What the tool was set to. */
  params: Json;
  /** The rectangle that it changed, in the mask's pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** 8-bit values of the rectangle by rows, as zlib streams. */
  pixelsBefore: Uint8Array;
  pixelsAfter: Uint8Array;
  /** Taken back; all that came after it are, too. */
  undone: boolean;
  /** The first mask version that shows it; null while none does. */
  maskId: number | null;
  author: string;
  at: string;
}

/** One step in a context's history. */
export interface ContextEvent {
  id: number;
  contextId: number;
  action: 'created' | 'accepted' | 'rejected' | 'undecided' | 'mask' | 'retired' | 'reinstated';
  maskId: number;
  author: string;
  at: string;
}

/** What a person did to contexts at once, to one or to thousands. */
export interface ContextStep {
  id: number;
  /**
   * "reset": made undecided again · "mask": a mask from a person's file or brush · "restore": an earlier mask ·
   * "retire": taken out of the bank · "reinstate": put back into it.
   */
  kind: 'accept' | 'reject' | 'reset' | 'remask' | 'mask' | 'restore' | 'retire' | 'reinstate';
  author: string;
  at: string;
  undoneAt: string | null;
}

export type RunState = 'queued' | 'running' | 'stopped' | 'finished' | 'failed';

export interface Run {
  id: number;
  name: string;
  /** "ce", "cbrs", "control", "csa". */
  method: string;
  /** The whole configuration as validated. */
  config: Json;
  seed: number;
  state: RunState;
  /** Why it failed or stopped, one sentence; null otherwise. */
  reason: string | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** Seconds of work over all attempts. */
  seconds: number;
  /** Content hash of the data set and the blob that lists it. */
  datasetHash: string;
  datasetBlob: BlobId;
  /** Hash over the accepted contexts and their mask versions, and the blob that lists them; null without a curated bank. */
  bankHash: string | null;
  bankBlob: BlobId | null;
  /** Engine as it ran: name, TensorFlow build, device, threads, instruction set; null before the start. */
  engine: Json;
  codeVersion: string;
  /** Trained weights (safetensors) and stored logits; null until finished. */
  modelBlob: BlobId | null;
  predictionsBlob: BlobId | null;
  /** Figures of the last epoch; null until there are some. */
  figures: Json;
  /** What a person wrote about it. */
  notes: string;
  tags: string[];
  starred: boolean;
  /** When it was thrown away; null while it is not. It comes back whole. */
  trashedAt: string | null;
}

/** A run as it is made: nobody has written on it yet. */
export type NewRun = Omit<Run, 'id' | 'notes' | 'tags' | 'starred' | 'trashedAt'>;

/** A run as lists show it, with `figures` less those of each class. */
export interface ListedRun extends Pick<
  Run,
  | 'id'
  | 'name'
  | 'method'
  | 'seed'
  | 'state'
  | 'reason'
  | 'createdAt'
  | 'startedAt'
  | 'endedAt'
  | 'seconds'
  | 'datasetHash'
  | 'modelBlob'
  | 'notes'
  | 'tags'
  | 'starred'
  | 'trashedAt'
> {
  /** Epochs that were asked for, and those that are over. */
  epochs: number | null;
  epochsDone: number;
  summary: Json;
}

export interface RunEpoch {
  runId: number;
  /** 0-based. */
  epoch: number;
  figures: Json;
}

export interface RunWarning {
  runId: number;
  /** Machine name such as "starving-bank". */
  name: string;
  message: string;
  epoch: number;
}

/** A finished run whose head was changed afterwards, as a point between head and tail was chosen. */
export interface Variant {
  id: number;
  runId: number;
  /** Given by a person; unique among the variants of the run. */
  name: string;
  /** The head that was changed and answers; "mean": both were. */
  head: 'uniform' | 'balanced' | 'mean';
  kind: 'logit-adjustment' | 'tau-norm';
  tau: number;
  calibration: 'none' | 'overall' | 'group';
  /** Those that were fitted, overall and by group. */
  temperatures: Json;
  /** On images that it was not chosen on. */
  figures: Json;
  /** Its model file. */
  blob: BlobId;
  createdAt: string;
}

/** How far a finished run goes by the background; see core/evaluation/reliance.ts. */
export interface Reliance {
  runId: number;
  /** What it came to: `StoredReliance` (core/services/reliance.ts). */
  figures: Json;
  /** Answers picture by picture: `RelianceFile` (core/predict/reliance-file.ts). */
  blob: BlobId;
  createdAt: string;
}

/** What a model names the class of a context by whose foreground is painted over. */
export type LeftoverVerdict = 'leftover' | 'usual-background' | 'outline';

/** What a run's model still sees of the foreground in a context; see core/contexts/leftover.ts. */
export interface Leftover {
  runId: number;
  contextId: number;
  /** The mask version that it was asked with. */
  maskId: number;
  /** Probability of the context's own class: by the whole picture, and with the foreground painted over. */
  whole: number;
  probability: number;
  /** Mean probability of that class by contexts of other classes. */
  base: number;
  /** The class that the model names with the foreground painted over, and whether it is the context's own. */
  answer: string;
  named: boolean;
  /**
   * Of a flagged one, why: the verdict and the scores that it rests on, see core/contexts/leftover-verdict.ts. Null where it is
   * not flagged, where there is none, and of what was looked at before there were verdicts.
   */
  verdict: LeftoverVerdict | null;
  filled: number | null;
  grown: number | null;
  usual: number | null;
  createdAt: string;
}

/** A look for pictures that are nearly the same; see core/near. */
export interface NearScan {
  /** What pictures were described by: "pixels", or the name of a backbone. */
  descriptor: string;
  /** Least cosine of the links that were kept, and the one from which pictures count as near-duplicates. */
  floor: number;
  threshold: number;
  /** Pictures that could not be read. */
  unreadable: number;
  /** How long it took. */
  seconds: number;
  createdAt: string;
}

/** Two contents that are alike; of all such links those that hold each group together with the highest cosines. */
export interface NearLink {
  a: BlobId;
  b: BlobId;
  /** From -1 to 1. */
  cosine: number;
}

/** Runs that were made together to answer a question. */
export interface Study {
  id: number;
  /** "edits": did a person's edits of masks help? */
  kind: 'edits';
  /** What was asked for. */
  params: Json;
  createdAt: string;
  /** In order of seed, "without" first; those that were deleted since are gone. */
  runs: StudyRun[];
}

export interface StudyRun {
  runId: number;
  /** Whether it has what the study asks about. */
  arm: 'without' | 'with';
  seed: number;
}

export interface ExportRecord {
  id: number;
  /** Absolute folder. */
  path: string;
  recipe: Json;
  state: 'running' | 'stopped' | 'finished' | 'verified' | 'failed';
  datasetHash: string;
  /** SHA-256 of the manifest; null until finished. */
  manifestHash: string | null;
  images: number;
  createdAt: string;
  endedAt: string | null;
}

/** Lineage of one exported picture. */
export interface ExportItem {
  exportId: number;
  /** Path inside the export. */
  file: string;
  imageId: number;
  contextId: number | null;
  maskId: number | null;
  /** The plain background that lies on it. */
  backgroundId: number | null;
  lambda: number | null;
}

/**
 * "queued", "running": it is, or was when the service ended, in the queue. "paused": stopped by a person or the end of the
 * service, to go on later.
 */
export type TaskState = 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

/** Long work that the service does for a project. It can be started again from its parameters, and then goes on. */
export interface TaskRecord {
  id: number;
  /** Which code does it: "import", "train", … */
  kind: string;
  title: string;
  params: Json;
  /** The command line that does the same. */
  command: string;
  state: TaskState;
  /** Place in the queue; lower comes first. */
  position: number;
  /** How often it was begun and did not come to an end. */
  attempts: number;
  /** The run that it trains. */
  runId: number | null;
  /** Code and sentence of its failure, else null. */
  error: Json;
  result: Json;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
}
