/** Read masks that another tool made: PNG files, white = context, or a COCO file, whose objects are the foregrounds. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { fileError, UserError } from '../base/errors.ts';
import { ProgressMeter } from '../base/progress.ts';
import { polygonRuns } from '../contexts/coco-polygon.ts';
import { areaOf, fillRuns, readRuns } from '../contexts/coco-rle.ts';
import { maskArea } from '../contexts/mask.ts';
import { effectiveClasses } from '../data/classes.ts';
import { decodeGrey, encodeGrey, type GreyImage } from '../data/decode.ts';
import { sha256 } from '../storage/blob-store.ts';
import type { Project } from '../storage/project.ts';
import type { ImageRecord } from '../storage/records.ts';
import type { Act } from './contexts.ts';
import type { MaskFormat } from './mask-export.ts';
import { addMasks, type NewMask } from './mask-versions.ts';
import type { Running } from './review-masks.ts';

/** What was not taken, and why. */
export interface MaskProblem {
  /** File, or image and annotation. */
  name: string;
  reason: string;
}

export interface MaskImport {
  /** Contexts that have a new mask, and of them those that were made for it. */
  imported: number;
  made: number;
  /** Masks that were in force already. */
  unchanged: number;
  problems: MaskProblem[];
}

/** Largest COCO file that is read, bytes: it becomes one text in memory. */
const LARGEST_COCO = 400 * 2 ** 20;

/** Masks that are kept by one transaction. */
const SHARE = 16;

/** A mask that was read, for an image by name. */
interface ReadMask {
  /** For sentences. */
  name: string;
  image: ImageRecord;
  mask: GreyImage;
}

/**
 * Read masks; each becomes a version of the context of the image that it fits, all are one step. A training image without a
 * context gets one, undecided, with p(true class) 1: no model has judged it; taking the step back removes it again. What does
 * not fit is listed.
 * @throws UserError 'not-found', 'unreadable', 'damaged' for the folder or file as a whole; 'empty' when there is no mask
 *   in it; 'cancelled': the masks read until then stay
 */
export async function importMasks(
  project: Project,
  path: string,
  format: MaskFormat,
  act: Act,
  { onEvent, signal }: Running = {},
): Promise<MaskImport> {
  const result: MaskImport = { imported: 0, made: 0, unchanged: 0, problems: [] };
  const problem = (name: string, reason: string): undefined => void result.problems.push({ name, reason });
  const { count, masks } =
    format === 'png-folder' ? await pngMasks(project, path, problem) : await cocoMasks(project, path, problem);
  const meter = new ProgressMeter(onEvent ?? (() => {}), { stage: 'Reading masks', unit: 'masks', total: count });
  const step = project.store.contexts.addStep({ kind: 'mask', ...act });
  let waiting: NewMask[] = [];
  const keep = async (): Promise<void> => {
    await addMasks(project, waiting, act, step);
    result.imported += waiting.length;
    waiting = [];
  };
  const seen = new Map<number, string>();
  for await (const read of masks) {
    if (signal?.aborted) {
      await keep();
      throw new UserError('cancelled', `${result.imported} masks were read.`);
    }
    meter.add();
    if (!read) continue;
    const twin = seen.get(read.image.id);
    if (twin !== undefined) {
      problem(read.name, `${read.image.path} has a mask from ${twin} already`);
      continue;
    }
    const taken = await take(project, read, basename(path), act, step);
    if (typeof taken === 'string') problem(read.name, taken);
    else {
      seen.set(read.image.id, read.name);
      if (taken.made) result.made++;
      if (taken.mask) waiting.push(taken.mask);
      else if (!taken.made) result.unchanged++;
      if (waiting.length >= SHARE) await keep();
    }
  }
  await keep();
  meter.finish();
  result.imported += result.made;
  return result;
}

/** The mask as a version to be kept, the context that was made for it, or why it does not fit. */
async function take(
  { store, blobs }: Project,
  { name, image, mask }: ReadMask,
  from: string,
  { author, at }: Act,
  step: number,
): Promise<{ mask: NewMask | null; made: boolean } | string> {
  const { width, height } = mask;
  if (width !== image.width || height !== image.height) {
    return `it is ${width} x ${height}, and ${image.path} is ${image.width} x ${image.height}`;
  }
  const png = await encodeGrey(mask);
  const made = { origin: 'import', saliencyId: null, params: { file: name, from } } as const;
  const context = store.contexts.ofImage(image.id);
  if (context) {
    if (store.masks.get(context.maskId)!.blob === sha256(png)) return { mask: null, made: false };
    return { mask: { contextId: context.id, png, width, height, area: maskArea(mask), made }, made: false };
  }
  if (image.split !== null && image.split !== 'train') {
    return `${image.path} is in the ${image.split} split, and contexts come from training images only`;
  }
  const blob = blobs.put(png);
  const rest = { ...made, blob, width, height, area: maskArea(mask), author, createdAt: at };
  store.transaction(() => {
    const version = store.masks.add({ imageId: image.id, parentId: null, ...rest });
    store.contexts.add({ imageId: image.id, maskId: version.id, probability: 1, createdAt: at }, author, step);
  });
  return { mask: null, made: true };
}

type Masks = AsyncGenerator<ReadMask | undefined>;

/** Files of a folder and those below it. */
async function pngMasks(
  project: Project,
  folder: string,
  problem: (name: string, reason: string) => undefined,
): Promise<{ count: number; masks: Masks }> {
  const files = await pngFiles(folder, '', problem);
  if (files.length === 0) throw new UserError('empty', `There is no PNG file in ${folder}.`);
  const images = new ImageNames(project);
  async function* read(): Masks {
    for (const name of files) {
      const image = images.find(name.slice(0, -'.png'.length));
      if (typeof image === 'string') {
        yield problem(name, image);
        continue;
      }
      try {
        yield { name, image, mask: await decodeGrey(await readFile(join(folder, name))) };
      } catch (error) {
        const why = error instanceof UserError ? error.message : 'it cannot be read';
        yield problem(name, why);
      }
    }
  }
  return { count: files.length, masks: read() };
}

/** @returns paths below the folder, with "/", in order */
async function pngFiles(
  root: string,
  below: string,
  problem: (name: string, reason: string) => undefined,
): Promise<string[]> {
  const folder = join(root, below);
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw fileError(error, 'read masks', folder);
  }
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) files.push(...(await pngFiles(root, name, problem)));
    else if (entry.isFile() && extname(name).toLowerCase() === '.png') files.push(name);
    else problem(name, entry.isSymbolicLink() ? 'it is a link, which is not followed' : 'it is no PNG file');
  }
  return files;
}

const Size = z.tuple([z.int().positive(), z.int().positive()]);
const Coco = z.object({
  images: z.array(
    z.object({ id: z.number(), file_name: z.string(), width: z.int().positive(), height: z.int().positive() }),
  ),
  annotations: z.array(
    z.object({
      id: z.union([z.number(), z.string()]).optional(),
      image_id: z.number(),
      category_id: z.number().optional(),
      segmentation: z.unknown(),
      area: z.number().optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.number(), name: z.string() })).default([]),
});
type Coco = z.infer<typeof Coco>;
/** Each is x and y of its corners by turns; together they are one object. */
const Polygons = z.array(z.array(z.number())).min(1);
const Segmentation = z.object({
  size: Size,
  counts: z.union([z.string(), z.array(z.int().nonnegative())]),
});

async function cocoMasks(
  project: Project,
  path: string,
  problem: (name: string, reason: string) => undefined,
): Promise<{ count: number; masks: Masks }> {
  const coco = await readCoco(path);
  if (coco.annotations.length === 0) throw new UserError('empty', `There is no annotation in ${path}.`);
  const { store } = project;
  const names = new ImageNames(project);
  const classes = effectiveClasses(store);
  const categories = new Map(coco.categories.map(({ id, name }) => [id, name.normalize('NFC')]));
  const byImage = Map.groupBy(coco.annotations, ({ image_id }) => image_id);
  const known = new Set(coco.images.map(({ id }) => id));
  for (const [id, annotations] of byImage) {
    if (!known.has(id))
      problem(`image ${id}`, `${annotations.length} annotations name it, and the file has none of it`);
  }
  async function* read(): Masks {
    for (const { id, file_name: name, width, height } of coco.images) {
      const image = names.find(name.slice(0, name.length - extname(name).length), name);
      const annotations = byImage.get(id) ?? [];
      if (typeof image === 'string') yield problem(name, image);
      else if (annotations.length === 0) yield problem(name, 'it has no annotation');
      else if (width !== image.width || height !== image.height) {
        yield problem(name, `it is ${width} x ${height}, and ${image.path} is ${image.width} x ${image.height}`);
      } else {
        const className = classes.get(image.classId)!.name;
        const mask = { width, height, data: new Uint8Array(width * height).fill(255) };
        let used = 0;
        for (const annotation of annotations) {
          const label = `${name}, annotation ${annotation.id ?? '?'}`;
          const category = annotation.category_id === undefined ? undefined : categories.get(annotation.category_id);
          if (category !== undefined && category !== className) {
            problem(label, `its category is ${category}, and the image is of class ${className}`);
            continue;
          }
          const why = cut(mask, annotation);
          if (why === undefined) used++;
          else problem(label, why);
        }
        if (used > 0) yield { name, image, mask };
        else yield undefined;
      }
    }
  }
  return { count: coco.images.length, masks: read() };
}

/** Take an annotation's object out of a mask. @returns why it cannot be */
function cut(mask: GreyImage, { segmentation, area }: Coco['annotations'][number]): string | undefined {
  try {
    const polygons = Polygons.safeParse(segmentation);
    const objects = polygons.success
      ? polygons.data.map((corners) => polygonRuns(corners, mask))
      : [rleOf(segmentation, area, mask)];
    for (const runs of objects) {
      for (const [at, set] of fillRuns(runs, mask).entries()) if (set === 1) mask.data[at] = 0;
    }
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** Runs of an RLE of the image's size. @throws RangeError, as half a sentence, for what is none */
function rleOf(segmentation: unknown, area: number | undefined, mask: GreyImage): readonly number[] {
  const parsed = Segmentation.safeParse(segmentation);
  if (!parsed.success) throw new RangeError('its segmentation is neither polygons nor RLE');
  const [height, width] = parsed.data.size;
  if (width !== mask.width || height !== mask.height) {
    throw new RangeError(`its RLE is ${width} x ${height}, and the image ${mask.width} x ${mask.height}`);
  }
  const runs = readRuns(parsed.data);
  const pixels = areaOf(runs);
  // Tools give the area of polygons by their corners, which is not a count of pixels; that of an RLE is one.
  if (area !== undefined && Math.abs(area - pixels) > 0.5) {
    throw new RangeError(`its area is ${area}, and its RLE sets ${pixels}`);
  }
  return runs;
}

/** @throws UserError 'not-found', 'damaged' naming what is wrong; 'memory' for a file that is too large */
async function readCoco(path: string): Promise<Coco> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > LARGEST_COCO) {
      throw new UserError(
        'memory',
        `${path} is larger than ${LARGEST_COCO / 2 ** 20} MiB: split it into several files.`,
      );
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'read masks', path);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError('damaged', `${path} is not JSON, so no COCO file.`, { cause: error });
  }
  const parsed = Coco.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path: where, message }] = parsed.error.issues;
  throw new UserError('damaged', `${path} is no COCO file: “${where.join('.')}” is not valid (${message}).`);
}

/** Images of the project by the names that other tools give them. */
class ImageNames {
  readonly #byPath = new Map<string, ImageRecord[]>();
  readonly #byStem = new Map<string, ImageRecord[]>();

  constructor({ store }: Project) {
    for (const image of store.images.iterate({ state: 'ok', excluded: false })) {
      const bare = image.path.slice(0, image.path.length - extname(image.path).length);
      for (const name of new Set([image.path, bare])) add(this.#byPath, name, image);
      for (const name of new Set([basename(image.path), basename(bare)])) add(this.#byStem, name, image);
    }
  }

  /** The one image that a name fits, by path or else by file name; each name is tried as it is given. Or why there is none. */
  find(...names: string[]): ImageRecord | string {
    const clean = names.map((name) =>
      name
        .replaceAll('\\', '/')
        .replace(/^(?:\.\/)+/, '')
        .normalize('NFC'),
    );
    const found =
      clean.map((name) => this.#byPath.get(name)).find((images) => images !== undefined) ??
      clean.map((name) => this.#byStem.get(basename(name))).find((images) => images !== undefined);
    if (!found) return 'no image of the project has this name';
    const [first, second] = new Set(found);
    return second ? `several images have this name: ${first.path}, ${second.path}` : first;
  }
}

function add(map: Map<string, ImageRecord[]>, name: string, image: ImageRecord): void {
  const key = name.normalize('NFC');
  const images = map.get(key);
  if (images) images.push(image);
  else map.set(key, [image]);
}
