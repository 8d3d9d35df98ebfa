/**
 * A data set as a job sees it: the images in force with class and split, frozen when the job is made. Kept as a blob, so
 * a run can always say what it was trained on.
 */
import { canonicalJson } from '../base/json.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { sha256, type BlobStore } from '../storage/blob-store.ts';
import { evaluationSplit } from './evaluation-split.ts';
import type { BlobId, Split } from '../storage/records.ts';

/** Where an image's bytes come from. Index into `DatasetSnapshot.roots`. */
export interface SnapshotRoot {
  kind: 'folder' | 'zip' | 'csv';
  /** Absolute. */
  path: string;
}

/** A picture and where its file lies. */
export interface SnapshotPicture {
  /** `ImageRecord.id`; of a plain background `Background.id`. */
  id: number;
  root: number;
  path: string;
  /** Base64 of the exact name where it is not valid UTF-8. */
  pathBytes?: string;
  hash: BlobId;
  /** File size in bytes at import: a file of another size has changed. */
  size: number;
  width: number;
  height: number;
  orientation: number;
}

export interface SnapshotImage extends SnapshotPicture {
  /** Index into `DatasetSnapshot.classes`. */
  label: number;
  split: Split;
}

export interface DatasetSnapshot {
  version: 1;
  /** Class names in label order: sorted by name, merges applied, classes without usable images left out. */
  classes: string[];
  /** `ClassRecord.id` of each label. */
  classIds: number[];
  roots: SnapshotRoot[];
  /** In order of id. Images without a split count as train. */
  images: SnapshotImage[];
  /** The split that runs are judged on, and its name in words ("test as found"); null when there is none. */
  evaluation: { split: 'val' | 'test'; name: string } | null;
}

/** Freeze the view in force: usable (ok, not excluded) images with merges applied. */
export function takeSnapshot(store: ProjectStore): DatasetSnapshot {
  const records = new Map(store.classes.list().map((record) => [record.id, record]));
  const effective = (id: number): number => {
    for (let record = records.get(id); record; record = records.get(record.mergedInto)) {
      if (record.mergedInto === null) return record.id;
    }
    throw new Error(`class ${id} does not exist`);
  };
  const sources = store.sources.list();
  const rootOf = new Map(sources.map((source, index) => [source.id, index]));
  const found = [...store.images.iterate({ state: 'ok', excluded: false })];
  const used = new Set(found.map((image) => effective(image.classId)));
  const classes = [...used].map((id) => ({ id, name: records.get(id)!.name }));
  classes.sort((a, b) => (a.name < b.name ? -1 : 1));
  const labelOf = new Map(classes.map(({ id }, label) => [id, label]));
  const evaluation = evaluationSplit(store);
  return {
    version: 1,
    classes: classes.map(({ name }) => name),
    classIds: classes.map(({ id }) => id),
    roots: sources.map(({ kind, path }) => ({ kind, path })),
    images: found.map((image) => ({
      id: image.id,
      root: rootOf.get(image.sourceId)!,
      path: image.path,
      ...(image.pathBytes ? { pathBytes: Buffer.from(image.pathBytes).toString('base64') } : {}),
      hash: image.hash,
      size: image.size,
      width: image.width,
      height: image.height,
      orientation: image.orientation,
      label: labelOf.get(effective(image.classId))!,
      split: image.split ?? 'train',
    })),
    evaluation: evaluation && { split: evaluation.split, name: evaluation.name },
  };
}

/** Hash of what matters for training: content, class name and split of every image in order, not where it lies. */
export function datasetHash(snapshot: DatasetSnapshot): BlobId {
  return sha256(
    canonicalJson([
      snapshot.classes,
      snapshot.images.map((image) => [image.hash, image.label, image.split, image.orientation]),
    ]),
  );
}

/** Positions of a split's images in `snapshot.images`, in order. */
export function indicesOfSplit(snapshot: DatasetSnapshot, wanted: Split): number[] {
  return snapshot.images.flatMap(({ split }, index) => (split === wanted ? [index] : []));
}

/** Training images of each class, in label order. */
export function trainCounts(snapshot: DatasetSnapshot): number[] {
  const counts = Array.from({ length: snapshot.classes.length }, () => 0);
  for (const image of snapshot.images) if (image.split === 'train') counts[image.label]++;
  return counts;
}

/** Keep a snapshot as a blob (canonical JSON). @throws UserError 'no-space', … naming the file */
export function putSnapshot(blobs: BlobStore, snapshot: DatasetSnapshot): BlobId {
  return blobs.put(Buffer.from(canonicalJson(snapshot)));
}

/**
 * Read a snapshot that was kept by `putSnapshot`. The blob's hash proves that it is what we wrote.
 * @throws UserError 'not-found' or 'damaged'
 */
export function readSnapshot(blobs: BlobStore, id: BlobId): DatasetSnapshot {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return JSON.parse(blobs.get(id).toString()) as DatasetSnapshot;
}
