/** Write masks for other tools: PNG files, white = context, or one COCO file, whose objects are the foregrounds. */
import { mkdir, open, readdir, rename, type FileHandle } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { systemCode, fileError, UserError } from '../base/errors.ts';
import { ProgressMeter } from '../base/progress.ts';
import { removeQuietly, TEMPORARY_SUFFIX, writeDurably } from '../base/durable-file.ts';
import { CODE_VERSION } from '../base/version.ts';
import { areaOf, fillRuns, packRuns, runsOf, unpackRuns } from '../contexts/coco-rle.ts';
import { effectiveClasses } from '../data/classes.ts';
import { decodeGrey, type GreyImage } from '../data/decode.ts';
import type { Project } from '../storage/project.ts';
import type { Context, ImageRecord, Mask } from '../storage/records.ts';
import { settleDrafts } from './drafts.ts';
import { requireContext } from './require.ts';
import type { Running } from './review-masks.ts';

/** Name of the COCO file. */
export const COCO_FILE = 'masks.json';

export type MaskFormat = 'png-folder' | 'coco-rle';

export interface MaskExport {
  /** Masks written. */
  written: number;
  folder: string;
}

interface Line {
  context: Context;
  image: ImageRecord;
  mask: Mask;
}

/**
 * Write the masks in force of contexts. What is painted becomes a version first.
 * @param folder new, or empty
 * @throws UserError 'exists' for a folder that is not empty; 'not-found'; 'no-space', 'no-permission'; 'cancelled': a
 *   half-written COCO file is removed, PNG files that are written stay
 */
export async function exportMasks(
  project: Project,
  ids: readonly number[],
  { folder, format }: { folder: string; format: MaskFormat },
  { onEvent, signal }: Running = {},
): Promise<MaskExport> {
  const { store, blobs } = project;
  await requireEmpty(folder);
  await settleDrafts(project, ids);
  const lines = ids.map((id): Line => {
    const context = requireContext(store, id);
    return { context, image: store.images.get(context.imageId)!, mask: store.masks.get(context.maskId)! };
  });
  const meter = new ProgressMeter(onEvent ?? (() => {}), { stage: 'Writing masks', unit: 'masks', total: ids.length });
  const stopped = (): UserError => new UserError('cancelled', `${meter.done} of ${ids.length} masks were written.`);
  if (format === 'png-folder') {
    const names = fileNames(lines.map(({ image }) => image));
    for (const { image, mask } of lines) {
      if (signal?.aborted) throw stopped();
      writeDurably(join(folder, names.get(image.id)!), [blobs.get(mask.blob)]);
      meter.add();
      // Lets what else the service has to do through.
      await Promise.resolve();
    }
  } else {
    await writeWhole(join(folder, COCO_FILE), async (file) => {
      for await (const text of cocoParts(project, lines, () => meter.add())) {
        if (signal?.aborted) throw stopped();
        await file.writeFile(text);
      }
    });
  }
  meter.finish();
  return { written: lines.length, folder };
}

/**
 * A file's name for each image: its path with ".png" for its ending; where that is taken, after its ending; where two
 * sources share a path, with the image's number.
 */
export function fileNames(images: readonly Pick<ImageRecord, 'id' | 'path'>[]): Map<number, string> {
  const taken = new Set<string>();
  const names = new Map<number, string>();
  for (const { id, path } of images) {
    // Steps upwards, which a path in a zip file may hold, would lead out of the folder.
    const safe = path
      .split(/[/\\]/)
      .filter((step) => !['', '.', '..'].includes(step))
      .join('/');
    const bare = safe.slice(0, safe.length - extname(safe).length);
    const name = [`${bare}.png`, `${safe}.png`, `${safe}~${id}.png`].find((wish) => !taken.has(wish.toLowerCase()))!;
    taken.add(name.toLowerCase());
    names.set(id, name);
  }
  return names;
}

/** The COCO file in pieces. Each mask is read back from what is written of it. */
async function* cocoParts(
  { store, blobs }: Project,
  lines: readonly Line[],
  wrote: () => void,
): AsyncGenerator<string> {
  const classes = effectiveClasses(store);
  const categories = [...new Map([...classes.values()].map(({ id, name }) => [id, { id, name }])).values()];
  const info = { description: `Masks of ${store.info.name}: objects are foregrounds`, contributor: CODE_VERSION };
  yield `{"info":${JSON.stringify(info)},"categories":${JSON.stringify(categories)},"images":[`;
  for (const [i, { image, mask }] of lines.entries()) {
    const { width, height } = mask;
    yield `${i > 0 ? ',' : ''}\n${JSON.stringify({ id: image.id, file_name: image.path, width, height })}`;
  }
  yield '],"annotations":[';
  for (const [i, { context, image, mask }] of lines.entries()) {
    const grey = await decodeGrey(blobs.get(mask.blob));
    const runs = runsOf(grey, (at) => grey.data[at] < 128);
    const counts = packRuns(runs);
    requireSame(grey, counts, mask);
    const annotation = {
      id: i + 1,
      image_id: image.id,
      category_id: classes.get(image.classId)!.id,
      segmentation: { size: [grey.height, grey.width], counts },
      area: areaOf(runs),
      bbox: boxOf(grey),
      iscrowd: 0,
      attributes: { context: context.id, mask: mask.id, state: context.state },
    };
    yield `${i > 0 ? ',' : ''}\n${JSON.stringify(annotation)}`;
    wrote();
  }
  yield ']}\n';
}

/** @throws Error when what would be written is not the mask */
function requireSame(grey: GreyImage, counts: string, mask: Mask): void {
  const read = fillRuns(unpackRuns(counts), grey);
  if (read.some((set, at) => (set === 1) !== grey.data[at] < 128))
    throw new Error(`mask ${mask.id} was packed wrongly`);
}

/** Left, top, width and height of the foreground; zeros when there is none. */
function boxOf({ width, height, data }: GreyImage): [number, number, number, number] {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] >= 128) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

async function requireEmpty(folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length === 0) return;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw fileError(error, 'write masks', folder);
  }
  throw new UserError('exists', `${folder} is not empty: choose a new folder for the masks.`);
}

/** Write a file piece by piece; it appears under its name when it is whole. */
async function writeWhole(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${path}${TEMPORARY_SUFFIX}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw fileError(error, 'write the masks', path);
  }
}
