/** The export job: plan, estimate, write, and put down what was written. */
import { createHash } from 'node:crypto';
import { basename, join, relative, resolve, sep } from 'node:path';
import { syncFolder } from '../base/durable-file.ts';
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import { bankBackgrounds } from '../contexts/bank-backgrounds.ts';
import { bankHash, readBank, type BankEntry } from '../contexts/bank.ts';
import { datasetHash, readSnapshot, type DatasetSnapshot, type SnapshotRoot } from '../data/snapshot.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { BlobStore } from '../storage/blob-store.ts';
import type { BlobId, ExportItem, Split } from '../storage/records.ts';
import { estimateBytes } from './estimate.ts';
import { requireSpace } from './files.ts';
import { ExportFolder } from './folder-state.ts';
import type { LineageItem } from './item.ts';
import { thisProducer, type ExportManifest } from './manifest.ts';
import { planExport, type ExportPlan, type PlannedClass } from './plan.ts';
import type { ExportRecipe } from './recipe.ts';
import { Workshop } from './workshop.ts';
import { writeLineage, writeManifest } from './write-lineage.ts';
import { findWritten, foldersOf, syncPictures, writePictures, type Written } from './write-pictures.ts';

export interface ExportSpec {
  /** Absolute folder to write. */
  out: string;
  /** Only plan and estimate; `out` is not touched. */
  dryRun: boolean;
  recipe: ExportRecipe;
  /** Id of the project. */
  projectId: string;
  /** Folder of the project's blobs; blobs of the `DatasetSnapshot` and the `BankEntry[]` to export from. */
  blobFolder: string;
  snapshotBlob: BlobId;
  bankBlob: BlobId;
}

/** Pictures that are there, those of an earlier attempt, too. */
export interface ExportedItems {
  type: 'items';
  items: Omit<ExportItem, 'exportId'>[];
}
export type ExportEvent = Progress | ExportedItems;

export interface ExportResult {
  /** "planned": a dry run · "stopped": cancelled, the same call goes on · "finished": all is there. */
  state: 'planned' | 'stopped' | 'finished';
  classes: PlannedClass[];
  /** Pictures of the plan, and those that are there. */
  pictures: number;
  written: number;
  /** Pictures that were taken over from an interrupted attempt. */
  resumed: number;
  /** Training images left out because the same file is also in the test or validation split. */
  leftOut: number;
  /** Bytes on disk: estimated before, those of the pictures when finished. */
  bytes: number;
  /** SHA-256 of `manifest.json`; null until finished. */
  manifestHash: string | null;
}

/** What the steps share. */
interface ExportWork {
  spec: ExportSpec;
  snapshot: DatasetSnapshot;
  bank: BankEntry[];
  /** Where pictures come from: those of the snapshot, then the folders of plain backgrounds. */
  roots: SnapshotRoot[];
  plan: ExportPlan;
  /** Hash of the plan and all else that decides the bytes. */
  planHash: BlobId;
  workshop: Workshop;
  port: JobPort<ExportEvent>;
}

/** Pictures told in one event. */
const ITEMS_AT_ONCE = 500;

/**
 * Export. Cancelled, it returns with what was written; the same spec goes on from there.
 * @throws UserError 'empty' or 'usage' (the recipe), 'exists' (the folder), 'no-space', 'no-permission', 'not-found',
 *   'changed', 'unreadable' or 'damaged' (a source file or mask, by name)
 */
export const exportJob: Job<ExportSpec, ExportEvent, ExportResult> = async (spec, port) => {
  const blobs = new BlobStore(spec.blobFolder);
  const snapshot = readSnapshot(blobs, spec.snapshotBlob);
  const bank = readBank(blobs, spec.bankBlob);
  const plan = planExport(snapshot, bank, spec.recipe);
  const images = new Map(snapshot.images.map((image) => [image.id, image]));
  const { mask, format } = spec.recipe;
  const { roots, backgrounds } = bankBackgrounds(snapshot, bank);
  const settings = { roots, blobFolder: spec.blobFolder, mask, format };
  const workshop = new Workshop(images, backgrounds, settings, spec.dryRun ? 0 : plan.items.length);
  const work = { spec, snapshot, bank, roots, plan, planHash: hashPlan(plan, spec.recipe), workshop, port };
  try {
    return await runExport(work);
  } finally {
    await workshop.close();
  }
};

async function runExport(work: ExportWork): Promise<ExportResult> {
  const { spec, plan, port, workshop } = work;
  refuseSourceFolders(work);
  const folder = spec.dryRun ? undefined : ExportFolder.open(spec.out, work.planHash);
  const written: Written = folder ? await findWritten(folder, plan.items, port) : new Map();
  const resumed = written.size;
  const result = (state: ExportResult['state'], bytes: number, manifestHash: string | null = null): ExportResult => ({
    state,
    classes: plan.classes,
    pictures: plan.items.length,
    written: written.size,
    resumed,
    leftOut: plan.leftOut.length,
    bytes,
    manifestHash,
  });
  const estimate = await estimateBytes(plan.items, workshop, port.signal);
  if (estimate === undefined) return result('stopped', 0);
  requireSpace(spec.out, estimate - bytesOf(written.values()));
  if (!folder) return result('planned', estimate);

  const teller = new ItemTeller(port);
  for (const item of written.values()) await teller.tell(item);
  try {
    await writePictures(folder, plan.items, written, workshop, port, (item) => teller.tell(item));
  } finally {
    teller.flush();
  }
  if (written.size < plan.items.length) return result('stopped', estimate);
  const items = plan.items.map(({ file }) => written.get(file)!);
  // The disk has its own work to do while the lineage is put together.
  const [secured, lineage] = await Promise.all([
    syncPictures(folder, plan.items, port),
    Promise.resolve().then(() => writeLineage(folder.path, items)),
  ]);
  if (!secured) return result('stopped', estimate);
  return result('finished', bytesOf(items), finish(folder, work, items, lineage));
}

/** Write down that all is there. @returns hash of the manifest */
function finish(
  folder: ExportFolder,
  work: ExportWork,
  items: readonly LineageItem[],
  lineage: ReturnType<typeof writeLineage>,
): BlobId {
  const { spec, snapshot, bank, roots, plan } = work;
  for (const sub of foldersOf(plan.items)) syncFolder(join(folder.path, sub));
  for (const split of new Set(plan.items.map((item) => item.split))) syncFolder(join(folder.path, split));
  const manifest: ExportManifest = {
    format: 'contexture-export',
    formatVersion: 1,
    producer: thisProducer(),
    project: spec.projectId,
    dataset: { hash: datasetHash(snapshot), blob: spec.snapshotBlob },
    bank: { hash: bankHash(bank), blob: spec.bankBlob },
    recipe: spec.recipe,
    plan: work.planHash,
    roots: roots.map(({ kind, path }) => ({ kind, name: basename(path) })),
    classes: plan.classes.map((planned) => ({ ...planned, pictures: countSplits(items, planned.name) })),
    leftOut: plan.leftOut,
    pictures: items.length,
    bytes: bytesOf(items),
    ...lineage,
  };
  const hash = writeManifest(folder.path, manifest);
  folder.finish();
  return hash;
}

function countSplits(items: readonly LineageItem[], name: string): Record<Split, number> {
  const counts = { train: 0, val: 0, test: 0 };
  for (const item of items) if (item.class === name) counts[item.split]++;
  return counts;
}

function bytesOf(items: Iterable<LineageItem>): number {
  let sum = 0;
  for (const { bytes } of items) sum += bytes;
  return sum;
}

/** Equal where an export would give equal bytes. */
function hashPlan(plan: ExportPlan, recipe: ExportRecipe): BlobId {
  const hash = createHash('sha256').update(canonicalJson([thisProducer(), recipe, plan.leftOut]));
  for (const item of plan.items) hash.update(canonicalJson(item));
  return hash.digest('hex');
}

/** An export inside a folder that images come from would be imported with them at the next scan. */
function refuseSourceFolders({ spec, roots }: ExportWork): void {
  for (const { kind, path } of roots) {
    const inside = relative(path, resolve(spec.out));
    if (kind !== 'folder' || inside === '..' || inside.startsWith(`..${sep}`)) continue;
    throw new UserError(
      'usage',
      `${spec.out} lies in ${path}, where images are read from. Choose a folder outside it.`,
    );
  }
}

/** Sends items in batches. */
class ItemTeller {
  readonly #port: JobPort<ExportEvent>;
  #items: ExportedItems['items'] = [];

  constructor(port: JobPort<ExportEvent>) {
    this.#port = port;
  }

  /** Resolves when the next one may be told. */
  async tell({ file, source, context }: LineageItem): Promise<void> {
    this.#items.push({
      file,
      imageId: source.id,
      contextId: context?.id ?? null,
      maskId: context?.mask.kind === 'version' ? context.mask.id : null,
      backgroundId: context?.background ?? null,
      lambda: context?.lambda ?? null,
    });
    if (this.#items.length >= ITEMS_AT_ONCE) this.flush();
    await this.#port.drained();
  }

  flush(): void {
    if (this.#items.length > 0) this.#port.emit({ type: 'items', items: this.#items });
    this.#items = [];
  }
}
