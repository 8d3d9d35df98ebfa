/**
 * Export of mixed pictures: our job against NumPy and Pillow in two processes, on photographs and trimaps of the pets
 * pack. Both read the same source files and masks, mix by the same plan and write the same format at the same level. Ours
 * also hashes, syncs, and writes lineage and manifest. Times are of whole processes, their start included. Afterwards the
 * pictures of both are compared.
 */
import { execFileSync, spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { cacheFolder } from '../../core/base/cache-folder.ts';
import { putBank, readBank, takeBank } from '../../core/contexts/bank.ts';
import { decodeUpright } from '../../core/data/decode.ts';
import { putSnapshot, readSnapshot, takeSnapshot, type SnapshotImage } from '../../core/data/snapshot.ts';
import type { ExportEvent, ExportResult, ExportSpec } from '../../core/export/export-job.ts';
import { planExport } from '../../core/export/plan.ts';
import { DEFAULT_RECIPE, type ExportRecipe } from '../../core/export/recipe.ts';
import type { VerifySpec } from '../../core/export/verify-job.ts';
import type { VerifyReport } from '../../core/export/verify-report.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { pictureEnvironment } from '../../core/services/job-environment.ts';
import type { Project } from '../../core/storage/project.ts';
import { acceptMask } from '../fixtures/accept-mask.ts';
import { unpack } from './packs.ts';
import { runPairs } from './pairs.ts';
import { python } from './programs.ts';
import { withProject } from './project.ts';

const PEER = join(import.meta.dirname, 'export_numpy.py');
const PEER_PROCESSES = 2;
/** Compiled modules are kept, as the command line keeps them and Python does. */
const ENVIRONMENT = { ...pictureEnvironment(), NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled') };
/** As the export writes it. */
const PNG_LEVEL = 6;
/** Labels of a trimap, and how much of such a pixel is context. */
const CONTEXT_OF_LABEL: Readonly<Record<number, number>> = { 1: 0, 2: 255, 3: 128 };

/**
 * @param options.pictures new pictures for each of the three classes
 * @param options.size side of a picture
 * @param options.source side of the PNG files that the pack's photographs are made into before; 0 takes the photographs
 *   as they are, JPEG files of 256 pixels, which the two libraries do not resize to the same pixels; then, and
 *   with every `source` other than `size`, the difference is told and not judged
 * @param options.jpeg quality; 0 writes PNG
 */
export async function exportPictures({
  pairs = 5,
  pictures = 3000,
  size = 64,
  source = 64,
  jpeg = 0,
}): Promise<object> {
  const work = mkdtempSync(join(tmpdir(), 'contexture-export-'));
  try {
    const { images, trimaps } = await prepareSources(join(work, 'sources'), source);
    return await withProject(images, async (project) => {
      await acceptTrimaps(project, trimaps);
      const recipe: ExportRecipe = {
        ...DEFAULT_RECIPE,
        amount: { kind: 'add', images: pictures },
        size,
        format: jpeg > 0 ? { kind: 'jpeg', quality: jpeg } : { kind: 'png' },
      };
      const spec = specOf(project, recipe);
      const tasks = join(work, 'tasks.jsonl');
      const files = writeTasks(tasks, project, spec);
      // A folder for each run: ext4 takes its time to give the inodes of deleted files out again.
      let runs = 0;
      let [ours, peer] = ['', ''];
      const result = await runPairs({
        name: 'export',
        unit: 'images/s',
        greaterIsBetter: true,
        versions: { node: process.version, sharp: sharp.versions.vips, ...peerVersions() },
        pairs,
        ours: () => rate(files.length, () => runOurs({ ...spec, out: (ours = join(work, `ours-${++runs}`)) })),
        peer: () => rate(files.length, () => runPeer(tasks, (peer = join(work, `peer-${runs}`)))),
      });
      const verify = await rate(files.length, () => runVerify(ours));
      const difference = await compare(files, ours, peer);
      const rounding = jpeg === 0 ? { mean: 1, most: 1 } : { mean: 2, most: 255 };
      if (source === size && (difference.mean > rounding.mean || difference.most > rounding.most)) {
        throw new Error(`the two sides wrote other pictures: ${JSON.stringify(difference)}`);
      }
      return { ...result, verify, difference };
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @returns folders of photographs and of trimaps with equal relative paths but for the ending */
async function prepareSources(folder: string, side: number): Promise<{ images: string; trimaps: string }> {
  const pack = unpack('pets-trimaps');
  const given = { images: join(pack, 'images'), trimaps: join(pack, 'trimaps') };
  if (side === 0) return given;
  const made = { images: join(folder, 'images'), trimaps: join(folder, 'trimaps') };
  for (const kind of ['images', 'trimaps'] as const) {
    for (const file of globSync('*/*.{jpg,png}', { cwd: given[kind] })) {
      const path = join(made[kind], dirname(file), `${basename(file).split('.')[0]}.png`);
      mkdirSync(dirname(path), { recursive: true });
      await sharp(join(given[kind], file))
        .resize(side, side, { fit: 'cover', kernel: kind === 'images' ? 'lanczos3' : 'nearest' })
        .toFile(path);
    }
  }
  return made;
}

/** An accepted context for every picture, its mask made of the trimap. */
async function acceptTrimaps(project: Project, trimaps: string): Promise<void> {
  const act = { author: 'bench', at: new Date().toISOString() };
  for (const { id, path, width, height } of takeSnapshot(project.store).images) {
    const trimap = await sharp(join(trimaps, path.replace(/\.\w+$/, '.png')))
      .extractChannel(0)
      .raw()
      .toBuffer();
    const data = trimap.map((label) => CONTEXT_OF_LABEL[label]);
    await acceptMask(project, { imageId: id, mask: { width, height, data }, probability: 1, act });
  }
}

function specOf({ store, blobs }: Project, recipe: ExportRecipe): ExportSpec {
  return {
    out: '',
    dryRun: false,
    recipe,
    projectId: store.info.id,
    blobFolder: blobs.folder,
    snapshotBlob: putSnapshot(blobs, takeSnapshot(store)),
    bankBlob: putBank(blobs, takeBank(store)),
  };
}

/** Put the plan down for the peer. @returns the files that both write */
function writeTasks(path: string, { blobs }: Project, { snapshotBlob, bankBlob, recipe }: ExportSpec): string[] {
  const snapshot = readSnapshot(blobs, snapshotBlob);
  const images = new Map(snapshot.images.map((image) => [image.id, image]));
  const fileOf = (id: number): string => {
    const image: SnapshotImage = images.get(id)!;
    return join(snapshot.roots[image.root].path, image.path);
  };
  const { items } = planExport(snapshot, readBank(blobs, bankBlob), recipe);
  const lines = items.map(({ file, width, height, source, crop, context }) => ({
    file,
    width,
    height,
    source: fileOf(source.id),
    crop,
    context: context && {
      source: fileOf(context.image.id!),
      mask: context.mask.kind === 'version' ? blobs.path(context.mask.blob) : null,
      crop: context.crop,
      lambda: context.lambda,
    },
  }));
  const { format } = recipe;
  const settings = format.kind === 'png' ? { png: PNG_LEVEL } : { jpeg: format.quality };
  writeFileSync(path, [settings, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return items.map(({ file }) => file);
}

/** Pictures a second. */
async function rate(pictures: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (1000 * pictures) / (performance.now() - start);
}

async function runOurs(spec: ExportSpec): Promise<void> {
  const { state } = await runJob<ExportSpec, ExportEvent, ExportResult>('export', spec, { env: ENVIRONMENT });
  if (state !== 'finished') throw new Error(`the export is ${state}`);
}

async function runVerify(out: string): Promise<void> {
  const spec: VerifySpec = { out, project: null, rebuild: false };
  const { ok } = await runJob<VerifySpec, ExportEvent, VerifyReport>('verify', spec, { env: ENVIRONMENT });
  if (!ok) throw new Error('the export is not what its manifest says');
}

async function runPeer(tasks: string, out: string): Promise<void> {
  const shards = Array.from({ length: PEER_PROCESSES }, (_, shard) => [tasks, out, shard, PEER_PROCESSES].map(String));
  await Promise.all(
    shards.map(async (parameters) => {
      const child = spawn(python(), [PEER, ...parameters], { stdio: 'inherit' });
      const code = await new Promise<number | null>((resolve, reject) =>
        child.on('close', resolve).on('error', reject),
      );
      if (code !== 0) throw new Error(`the peer ended with ${code}`);
    }),
  );
}

function peerVersions(): Record<string, string> {
  const program = 'import json, numpy, PIL; print(json.dumps({"numpy": numpy.__version__, "pillow": PIL.__version__}))';
  return JSON.parse(execFileSync(python(), ['-c', program]).toString()) as Record<string, string>;
}

/** How far the pictures of both are apart, in steps of 8 bits, over all of them, and mean sizes of their files. */
interface Comparison {
  mean: number;
  most: number;
  bytes: { ours: number; peer: number };
}

async function compare(files: readonly string[], ours: string, peer: string): Promise<Comparison> {
  const bytes = { ours: 0, peer: 0 };
  let sum = 0;
  let count = 0;
  let most = 0;
  for (const file of files) {
    const [own, other] = [ours, peer].map((out) => readFileSync(join(out, file)));
    bytes.ours += own.length / files.length;
    bytes.peer += other.length / files.length;
    const [a, b] = await Promise.all([decodeUpright(own), decodeUpright(other)]);
    if (a.width !== b.width || a.height !== b.height) throw new Error(`${file} has two sizes`);
    for (const [i, value] of a.data.entries()) {
      const difference = Math.abs(value - b.data[i]);
      sum += difference;
      most = Math.max(most, difference);
    }
    count += a.data.length;
  }
  return { mean: sum / count, most, bytes };
}
