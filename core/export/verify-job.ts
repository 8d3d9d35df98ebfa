/** The verify job: reads an export again and reports whatever is not as it should be. */
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { bankBackgrounds } from '../contexts/bank-backgrounds.ts';
import { backgroundsOf, readBank, type BankEntry } from '../contexts/bank.ts';
import { datasetHash, readSnapshot, type DatasetSnapshot } from '../data/snapshot.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { BlobStore, sha256 } from '../storage/blob-store.ts';
import type { BlobId } from '../storage/records.ts';
import { forEachPicture } from './for-each.ts';
import { isUnfinished } from './folder-state.ts';
import type { LineageItem } from './item.ts';
import { readManifest, thisProducer, type ExportManifest } from './manifest.ts';
import { checkCounts, checkExtras, checkFiles, checkLineage } from './verify-files.ts';
import type { VerifyProblem, VerifyReport } from './verify-report.ts';
import { checkSplits } from './verify-split.ts';
import { Workshop } from './workshop.ts';

export interface VerifySpec {
  /** Absolute folder. */
  out: string;
  /** What the project knows; null checks files, hashes and counts only. */
  project: {
    id: string;
    /** Folder of its blobs. */
    blobFolder: string;
    /** Blob of its `DatasetSnapshot` of now. */
    snapshotBlob: BlobId;
    /** Blob of the bank that the export was made from, its files where they lie now; null where there is none any more. */
    bankBlob: BlobId | null;
    /** Hash of the manifest as it was written; null where the project has no record of this folder. */
    manifestHash: BlobId | null;
  } | null;
  /** Make every picture again and compare; needs the project. */
  rebuild: boolean;
}

/**
 * Check an export. Problems are in the report, not thrown.
 * @throws UserError 'not-found', 'damaged' or 'newer' (no readable manifest), 'verify' when the export is not finished,
 *   'usage' when it belongs to another project or cannot be rebuilt here, 'cancelled'
 */
export const verifyJob: Job<VerifySpec, Progress, VerifyReport> = async (spec, port) => {
  if (isUnfinished(spec.out)) {
    throw new UserError(
      'verify',
      `The export in ${spec.out} is not finished. Run the same export again to go on with it.`,
    );
  }
  const { manifest, bytes } = readManifest(spec.out);
  const problems: VerifyProblem[] = [];
  const notes: string[] = [];
  const report = (kind: VerifyProblem['kind'], file: string, message: string): void => {
    problems.push({ kind, file, message });
  };
  const { project } = spec;
  if (project) checkProject(spec, manifest);
  if (project?.manifestHash && project.manifestHash !== sha256(bytes)) {
    report('manifest', 'manifest.json', 'manifest.json is not the one that the project wrote.');
  }
  const items = await checkLineage(spec.out, manifest, report);
  checkCounts(items, manifest, report);
  await checkFiles(spec.out, items, port, report);
  await checkExtras(spec.out, items, report);
  let proven = 0;
  let rebuilt = 0;
  if (project) {
    const blobs = new BlobStore(project.blobFolder);
    const current = readSnapshot(blobs, project.snapshotBlob);
    const exported = exportedSnapshot(blobs, manifest, current, notes);
    const bank = exportedBank(blobs, project.bankBlob, notes);
    const contents = new Map(backgroundsOf(bank).map(({ backgroundId, hash }) => [backgroundId, hash]));
    proven = checkSplits(items, exported, current, contents, report);
    if (spec.rebuild) rebuilt = await rebuild(items, manifest, exported, bank, current, blobs, port, report);
  } else {
    notes.push('Without the project it is not proven that only training images were used.');
  }
  // Files are read several at a time, in no fixed order.
  problems.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  return { out: spec.out, ok: problems.length === 0, problems, notes, pictures: items.length, proven, rebuilt };
};

function checkProject({ out, project, rebuild: wanted }: VerifySpec, manifest: ExportManifest): void {
  if (project?.id !== manifest.project) {
    throw new UserError(
      'usage',
      `${out} was exported from another project. Open that one, or verify without a project.`,
    );
  }
  if (!wanted || canonicalJson(thisProducer()) === canonicalJson(manifest.producer)) return;
  const { version, platform } = manifest.producer;
  throw new UserError(
    'usage',
    `Only the version that wrote ${out} can rebuild it to the bit: Contexture ${version} on ${platform} with its picture library. Verify without rebuilding.`,
  );
}

/** The data set that the export was made from, as the project has kept it. */
function exportedSnapshot(
  blobs: BlobStore,
  { dataset }: ExportManifest,
  current: DatasetSnapshot,
  notes: string[],
): DatasetSnapshot {
  if (datasetHash(current) !== dataset.hash) notes.push('The data set has changed since the export.');
  if (blobs.has(dataset.blob)) return readSnapshot(blobs, dataset.blob);
  notes.push('The project no longer has the list of images of the export; the list of now was used.');
  return current;
}

/** The bank that the export was made from; empty where the project has not kept it. */
function exportedBank(blobs: BlobStore, blob: BlobId | null, notes: string[]): BankEntry[] {
  if (blob !== null) return readBank(blobs, blob);
  notes.push('The project no longer has the list of contexts of the export.');
  return [];
}

/** @returns pictures that came out the same */
async function rebuild(
  items: readonly LineageItem[],
  manifest: ExportManifest,
  exported: DatasetSnapshot,
  bank: readonly BankEntry[],
  current: DatasetSnapshot,
  blobs: BlobStore,
  port: JobPort<Progress>,
  report: (kind: VerifyProblem['kind'], file: string, message: string) => void,
): Promise<number> {
  // Sources may have moved since: where an image is known to be now goes before where it was.
  const now = new Map(current.images.map((image) => [image.id, image]));
  const first = current.roots.length;
  const own = bankBackgrounds(exported, bank);
  const roots = [...current.roots, ...own.roots];
  const backgrounds = new Map(
    [...own.backgrounds].map(([id, background]) => [id, { ...background, root: background.root + first }]),
  );
  const images = new Map(
    exported.images.map((image) => {
      const known = now.get(image.id);
      return [image.id, known?.hash === image.hash ? known : { ...image, root: image.root + first }];
    }),
  );
  const { mask, format } = manifest.recipe;
  const workshop = new Workshop(images, backgrounds, { roots, blobFolder: blobs.folder, mask, format }, items.length);
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Rebuilding pictures',
    unit: 'images',
    total: items.length,
  });
  let same = 0;
  try {
    const done = await forEachPicture(items, workshop, port.signal, async (item) => {
      try {
        const made = await workshop.make(item, null);
        if (made.sha256 === item.sha256) same++;
        else report('rebuild', item.file, `${item.file} comes out different when it is made again.`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        report('rebuild', item.file, `${item.file} cannot be made again: ${error.message}`);
      }
      meter.add();
    });
    if (!done) throw new UserError('cancelled', 'The check of the export was cancelled.');
  } finally {
    await workshop.close();
  }
  meter.finish();
  return same;
}
