/**
 * Painting on the masks of contexts. A stroke is stored, with the values before and after it, before it is answered; what
 * is painted becomes a mask version when it is settled. Whoever paints says which revision of the mask he has seen, so two
 * windows never paint over each other unseen.
 */
import { promisify } from 'node:util';
import { deflate, inflate, inflateSync } from 'node:zlib';
import { StrokeTool, UNDO_DEPTH, type Draft, type DraftChange, type DraftState, type Region } from '../api/review.ts';
import { UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { maskArea } from '../contexts/mask.ts';
import { cutRegion, putRegion, tileRegion, tilesTouched, tileWith } from '../contexts/mask-tiles.ts';
import { decodeGrey, encodeGrey, type GreyImage } from '../data/decode.ts';
import type { Project } from '../storage/project.ts';
import type { StrokeSummary } from '../storage/project-store.ts';
import type { Context, Stroke } from '../storage/records.ts';
import type { Act } from './contexts.ts';
import { requireContext } from './require.ts';

/** Strokes are kept up to `UNDO_DEPTH` and this many bytes a picture, the newest whatever its size. */
const BYTES_A_PICTURE = 64 * 2 ** 20;

/** The strokes of settled drafts are kept for the pictures that were painted last, within both bounds. */
const KEPT_HISTORIES = { contexts: 200, most: 512 * 2 ** 20 };

/** Bytes of masks that are held ready; the newest is held whatever its size. */
const HELD_BYTES = 64 * 2 ** 20;

const compress = promisify<Uint8Array, { level: number }, Buffer>(deflate);
const expand = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate);

/** Larger ones gain little on masks and take twice the time. */
const LEVEL = { level: 3 };

/** A mask as it is painted, at one revision. */
interface Canvas extends GreyImage {
  revision: number;
}

/** Masks held ready, those used last at the end; one map for each open project. */
const held = new WeakMap<Project, Map<number, Canvas>>();

/** Where painting on a context stands. @throws UserError 'not-found' */
export function draftOf({ store }: Project, id: number): Draft {
  const { maskId, revision } = requireContext(store, id);
  const { width, height } = store.masks.get(maskId)!;
  const strokes = store.drafts.strokes(id);
  return {
    context: id,
    baseMask: maskId,
    width,
    height,
    strokes: strokes.map(({ id: stroke, tool, author, at, undone }) => ({
      id: stroke,
      tool: StrokeTool.parse(tool),
      author,
      at,
      undone,
    })),
    settledMask: store.drafts.isPending(id) ? null : maskId,
    ...stateOf(revision, strokes),
  };
}

/** The mask of a context as it is painted: 8-bit values by rows, as a zlib stream. @throws UserError 'not-found', 'damaged' */
export async function draftValues(
  project: Project,
  id: number,
): Promise<{ revision: number; width: number; height: number; pixels: Uint8Array }> {
  const { revision, width, height, data } = await canvasOf(project, id);
  return { revision, width, height, pixels: await compress(data.slice(), LEVEL) };
}

export interface Painted {
  /** The revision that was seen. */
  revision: number;
  tool: StrokeTool;
  params: Json;
  region: Region;
}

/**
 * Paint a stroke and store it.
 * @param pixels 8-bit values of the region by rows, as a zlib stream
 * @throws UserError 'not-found'; 'conflict' when the revision is not the newest; 'usage' for a region that is not inside
 *   the picture, or values that do not fill it; 'damaged' for what is no zlib stream
 */
export async function paint(
  project: Project,
  id: number,
  painted: Painted,
  pixels: Uint8Array,
  act: Act,
): Promise<DraftState> {
  const canvas = await canvasAt(project, id, painted.revision);
  requireInside(painted.region, canvas);
  const values = await expandTo(pixels, painted.region.width * painted.region.height);
  return paintValues(project, id, canvas, painted, values, act);
}

/** `paint` with the values at hand, on the mask that they were made from. */
export async function paintValues(
  project: Project,
  id: number,
  canvas: Canvas,
  { revision, tool, params, region }: Painted,
  values: Uint8Array,
  { author, at }: Act,
): Promise<DraftState> {
  const { store } = project;
  const [pixelsBefore, pixelsAfter, tiles] = await Promise.all([
    compress(cutRegion(canvas, region), LEVEL),
    compress(values, LEVEL),
    changedTiles(canvas, region, values),
  ]);
  requireRevision(requireContext(store, id), revision);
  const stroke = { contextId: id, tool, params, ...region, pixelsBefore, pixelsAfter, author, at };
  canvas.revision = store.drafts.paint(stroke, tiles, { depth: UNDO_DEPTH, most: BYTES_A_PICTURE });
  putRegion(canvas, region, values);
  return stateOf(canvas.revision, store.drafts.strokes(id));
}

/** Take the newest stroke in force back. @throws UserError 'not-found', 'conflict'; 'empty' when there is none */
export function undoStroke(project: Project, id: number, revision: number): Promise<DraftChange> {
  const stroke = project.store.drafts.strokes(id).findLast(({ undone }) => !undone);
  return change(project, id, revision, stroke, true);
}

/** Redo the stroke that was taken back last. @throws UserError as `undoStroke` */
export function redoStroke(project: Project, id: number, revision: number): Promise<DraftChange> {
  const stroke = project.store.drafts.strokes(id).find(({ undone }) => undone);
  return change(project, id, revision, stroke, false);
}

async function change(
  project: Project,
  id: number,
  revision: number,
  summary: StrokeSummary | undefined,
  undone: boolean,
): Promise<DraftChange> {
  const { store } = project;
  const canvas = await canvasAt(project, id, revision);
  if (!summary) throw new UserError('empty', `There is no stroke to ${undone ? 'take back' : 'redo'} on this mask.`);
  const stroke = store.drafts.stroke(summary.id);
  const region = regionOf(stroke);
  const pixels = undone ? stroke.pixelsBefore : stroke.pixelsAfter;
  const values = await expandTo(pixels, region.width * region.height);
  const tiles = await changedTiles(canvas, region, values);
  requireRevision(requireContext(store, id), revision);
  canvas.revision = store.drafts.setUndone(stroke.id, undone, tiles);
  putRegion(canvas, region, values);
  const state = stateOf(canvas.revision, store.drafts.strokes(id));
  return { ...state, ...region, tool: StrokeTool.parse(stroke.tool), values: Buffer.from(pixels).toString('base64') };
}

/** What a stroke that the service painted is told by. */
export async function strokeChange(
  state: DraftState,
  { tool, region }: Pick<Painted, 'tool' | 'region'>,
  values: Uint8Array,
): Promise<DraftChange> {
  return { ...state, ...region, tool, values: (await compress(values, LEVEL)).toString('base64') };
}

/**
 * Make mask versions of what is painted, each one step; the strokes stay. Nothing happens where a version shows it.
 * @param ids contexts; all that have something painted when absent
 * @returns those that have another mask version now
 * @throws UserError 'no-space', 'damaged', …: those before it are settled
 */
export async function settleDrafts(
  project: Project,
  ids: readonly number[] = project.store.drafts.pending(),
  at: string = new Date().toISOString(),
): Promise<number[]> {
  const settled: number[] = [];
  for (const id of ids) if (await settle(project, id, at)) settled.push(id);
  return settled;
}

/** The same for one context, of which a revision was seen. @throws UserError 'not-found', 'conflict' */
export async function settleDraft(project: Project, id: number, revision: number): Promise<boolean> {
  requireRevision(requireContext(project.store, id), revision);
  return (await settleDrafts(project, [id])).length > 0;
}

async function settle(project: Project, id: number, at: string): Promise<boolean> {
  const { store, blobs } = project;
  while (store.drafts.isPending(id)) {
    const canvas = await canvasOf(project, id);
    const { revision, width, height } = canvas;
    const area = maskArea(canvas);
    const blob = blobs.put(await encodeGrey(canvas));
    // Painted on meanwhile: once more.
    if (requireContext(store, id).revision !== revision) continue;
    return store.transaction(() => {
      const { imageId, maskId } = requireContext(store, id);
      const same = store.masks.get(maskId)!.blob === blob;
      const strokes = store.drafts.unsettled(id);
      const author = (strokes.at(-1) ?? store.drafts.strokes(id).at(-1))?.author ?? 'contexture';
      const params = { tools: [...new Set(strokes.map(({ tool }) => tool))], strokes: strokes.length };
      const made = { origin: 'edit', saliencyId: null, params, blob, width, height, area } as const;
      const shown = same ? maskId : store.masks.add({ imageId, parentId: maskId, ...made, author, createdAt: at }).id;
      if (!same) store.contexts.settle(id, shown, author, at, store.contexts.addStep({ kind: 'mask', author, at }));
      store.drafts.settled(id, shown);
      store.drafts.prune(KEPT_HISTORIES);
      return !same;
    });
  }
  return false;
}

/** The mask as it is painted, at the revision that was seen. @throws UserError 'conflict', 'changed', 'not-found' */
export async function canvasAt(project: Project, id: number, revision: number): Promise<Canvas> {
  const { store } = project;
  const context = requireContext(store, id);
  requireRevision(context, revision);
  const canvas = await canvasOf(project, id);
  requireRevision(requireContext(store, id), revision);
  const { width, height, path } = store.images.get(context.imageId)!;
  if (canvas.width !== width || canvas.height !== height) {
    throw new UserError(
      'changed',
      `${path} is ${width} x ${height} now, and its mask ${canvas.width} x ${canvas.height}: find its context again.`,
    );
  }
  return canvas;
}

/** The mask as it is painted, held ready. Whoever changes it stores the change in the same turn. */
async function canvasOf(project: Project, id: number): Promise<Canvas> {
  const { store, blobs } = project;
  const canvases = held.get(project) ?? new Map<number, Canvas>();
  held.set(project, canvases);
  for (;;) {
    const { maskId, revision } = requireContext(store, id);
    const known = canvases.get(id);
    canvases.delete(id);
    if (known?.revision === revision) {
      canvases.set(id, known);
      return known;
    }
    const { width, height, data } = await decodeGrey(blobs.get(store.masks.get(maskId)!.blob));
    const now = requireContext(store, id);
    if (now.revision !== revision || now.maskId !== maskId) continue;
    const canvas: Canvas = { width, height, data: new Uint8Array(data), revision };
    for (const [tile, pixels] of store.drafts.tiles(id)) {
      const region = tileRegion(tile, canvas);
      putRegion(canvas, region, inflateSync(pixels, { maxOutputLength: region.width * region.height }));
    }
    // Another call may have been faster, and its canvas may be at work.
    const faster = canvases.get(id);
    if (faster?.revision === revision) return faster;
    canvases.set(id, canvas);
    let bytes = 0;
    for (const [other, { data: kept }] of [...canvases].toReversed()) {
      bytes += kept.length;
      if (bytes > HELD_BYTES && other !== id) canvases.delete(other);
    }
    return canvas;
  }
}

/** The tiles that a region touches, deflated, as they are with other values in it. */
async function changedTiles(canvas: Canvas, region: Region, values: Uint8Array): Promise<Map<number, Uint8Array>> {
  const touched = tilesTouched(region, canvas);
  // All are cut in this turn, before anything else can be painted.
  const cut = touched.map((tile) => compress(tileWith(canvas, tile, region, values), LEVEL));
  const pixels = await Promise.all(cut);
  return new Map(touched.map((tile, i) => [tile, pixels[i]]));
}

/** @throws UserError 'damaged', or 'usage' when it is not `size` bytes */
async function expandTo(pixels: Uint8Array, size: number): Promise<Uint8Array> {
  let values: Uint8Array;
  try {
    values = await expand(pixels, { maxOutputLength: size });
  } catch (error) {
    if (error instanceof RangeError) throw wrongSize(size);
    throw new UserError('damaged', 'The values of the stroke are no zlib stream: send it again.', { cause: error });
  }
  if (values.length !== size) throw wrongSize(size);
  return values;
}

function wrongSize(size: number): UserError {
  return new UserError('usage', `The values of the stroke do not fill its rectangle of ${size} pixels.`);
}

/** @throws UserError 'usage' */
export function requireInside({ x, y, width, height }: Region, canvas: Canvas): void {
  if (x + width > canvas.width || y + height > canvas.height) {
    throw new UserError(
      'usage',
      `The rectangle at ${x}, ${y} of ${width} x ${height} pixels is not inside the mask of ${canvas.width} x ${canvas.height}.`,
    );
  }
}

function requireRevision({ revision }: Context, seen: number): void {
  if (revision === seen) return;
  throw new UserError(
    'conflict',
    `This mask has been changed elsewhere since it was read (revision ${seen}, now ${revision}): read it again.`,
  );
}

function stateOf(revision: number, strokes: readonly StrokeSummary[]): DraftState {
  const redo = strokes.filter(({ undone }) => undone).length;
  return { revision, undo: strokes.length - redo, redo };
}

function regionOf({ x, y, width, height }: Stroke): Region {
  return { x, y, width, height };
}
