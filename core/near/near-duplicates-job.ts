/**
 * The near-duplicates job: describes each content of a snapshot that has not been described yet, and links those that are
 * alike. What it described is kept, so that a look that was cancelled goes on where it was.
 */
import { availableParallelism } from 'node:os';
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { mapOrdered } from '../data/flow.ts';
import { readPixels } from '../data/masked-picture.ts';
import { SnapshotFiles } from '../data/snapshot-files.ts';
import { readSnapshot, type DatasetSnapshot, type SnapshotImage } from '../data/snapshot.ts';
import { startEngine } from '../engine/backend.ts';
import { engineFailure } from '../engine/failure.ts';
import { readEngineInstall } from '../engine/install.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { openDescriber, vectorPath, type Describer } from './describer.ts';
import { nearLinks } from './neighbours.ts';
import { VectorFile } from './vector-file.ts';

export interface NearDuplicatesSpec {
  snapshotBlob: BlobId;
  blobFolder: string;
  /** `Project.cacheFolder` */
  cacheFolder: string;
  /** `DescriptorName` */
  descriptor: string;
  /** Least cosine of the links that are told. */
  floor: number;
}

export interface NearDuplicatesResult {
  /** Contents that were compared. */
  hashes: BlobId[];
  /** Places in `hashes`, and the cosine. */
  links: [a: number, b: number, cosine: number][];
  /** Images whose file cannot be read; `reason` is one sentence. */
  unreadable: { imageId: number; reason: string }[];
}

/** @throws UserError 'empty'; 'not-found' or 'damaged' (the backbone); 'cancelled', 'engine', 'memory', 'no-space' */
export const nearDuplicatesJob: Job<NearDuplicatesSpec, Progress, NearDuplicatesResult> = async (spec, port) => {
  const snapshot = readSnapshot(new BlobStore(spec.blobFolder), spec.snapshotBlob);
  const contents = new Map(snapshot.images.toReversed().map((image) => [image.hash, image]));
  if (contents.size === 0) throw new UserError('empty', 'There are no images to compare: import some first.');
  startEngine(readEngineInstall());
  try {
    using describer = openDescriber(spec.descriptor);
    using file = new VectorFile(vectorPath(spec.cacheFolder, describer), describer.key, describer.width);
    const missing = [...contents.values()].filter(({ hash }) => !file.has(hash)).toSorted((a, b) => a.id - b.id);
    const known = contents.size - missing.length;
    const unreadable = await describeAll({ snapshot, missing, known }, describer, file, port);
    const hashes = [...contents.keys()].filter((hash) => file.has(hash)).toSorted();
    const meter = new ProgressMeter((event) => port.emit(event), {
      stage: 'Comparing pictures',
      unit: 'pairs',
      total: (hashes.length * (hashes.length - 1)) / 2,
    });
    const read = (start: number, end: number): Float32Array => file.read(hashes.slice(start, end));
    const { width, even } = describer;
    const links = await nearLinks({ count: hashes.length, width, even, read }, spec.floor, meter, port.signal);
    meter.finish();
    return { hashes, links: links.map(({ a, b, cosine }) => [a, b, cosine]), unreadable };
  } catch (error) {
    throw engineFailure(
      error,
      'There is no memory left to look for near-duplicates: close other programs, or compare by pixels.',
    );
  }
};

/** Pictures that are decoded while others are described, for each core. */
const AHEAD = 4;

interface Work {
  snapshot: DatasetSnapshot;
  /** One image of each content that has not been described. */
  missing: readonly SnapshotImage[];
  /** How many contents have been. */
  known: number;
}

/** @returns what cannot be read */
async function describeAll(
  { snapshot, missing, known }: Work,
  describer: Describer,
  file: VectorFile,
  port: JobPort<Progress>,
): Promise<NearDuplicatesResult['unreadable']> {
  const unreadable: NearDuplicatesResult['unreadable'] = [];
  const files = new SnapshotFiles(snapshot.roots);
  const { side, batch: most } = describer;
  const read = async (image: SnapshotImage): Promise<{ hash: BlobId; pixels: Uint8Array } | undefined> => {
    if (port.signal.aborted) return undefined;
    try {
      return { hash: image.hash, pixels: await readPixels(files, image, { width: side, height: side, fit: 'fill' }) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unreadable.push({ imageId: image.id, reason: reasonOf(error, files.name(image)) });
      return undefined;
    }
  };
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: `Looking at pictures by ${describer.title}`,
    unit: 'images',
    total: known + missing.length,
    done: known,
  });
  let batch: { hash: BlobId; pixels: Uint8Array }[] = [];
  const describe = (): void => {
    const vectors = describer.describe(Buffer.concat(batch.map(({ pixels }) => pixels)));
    file.append(
      batch.map(({ hash }) => hash),
      vectors,
    );
    batch = [];
  };
  try {
    for await (const picture of mapOrdered(missing, availableParallelism() * AHEAD + most, read)) {
      if (port.signal.aborted) throw new UserError('cancelled', 'Looking for near-duplicates was cancelled.');
      if (picture) batch.push(picture);
      if (batch.length === most) describe();
      meter.add();
    }
    if (batch.length > 0) describe();
  } finally {
    await files.close();
  }
  meter.finish();
  return unreadable;
}

/** What the decoder throws is half a sentence. */
function reasonOf({ code, message }: UserError, name: string): string {
  return code === 'damaged' ? `${name}: ${message}.` : message;
}
