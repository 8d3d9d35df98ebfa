/** A context that is open on the canvas, or will be next: its picture, its mask, what is painted on it. */
import type { ContextDetail } from '../../../core/api/contexts.ts';
import { ApiError, call } from '../../lib/api.ts';
import type { Bitmap, Rect } from './canvas/bitmap.ts';
import type { Pixels } from './canvas/flood.ts';
import { Surface } from './canvas/surface.ts';
import { DraftQueue } from './draft-queue.ts';
import { draftGateway, failureOf, loadDraft, type LoadedDraft } from './gateway.ts';
import { KeptStrokes } from './kept-strokes.ts';

/** Who is told of changes; set by whoever shows the context. */
export interface Watcher {
  /** The mask is to be painted anew there. */
  repaint(rect: Rect): void;
  /** The draft stands elsewhere. @param refused what the service did not do, in a sentence */
  moved(refused?: string): void;
}

export class OpenedContext {
  readonly id: number;
  readonly image: number;
  readonly width: number;
  readonly height: number;
  readonly picture: ImageBitmap;
  readonly surface: Surface;
  readonly queue: DraftQueue;
  /** The newest saliency map behind a mask, on its own grid; undefined where there is none. */
  readonly saliency: Bitmap | undefined;
  watcher: Watcher | undefined;
  #pixels: Pixels | undefined;

  constructor(
    project: string,
    detail: ContextDetail,
    picture: ImageBitmap,
    { width, height, values, ...start }: LoadedDraft,
    saliency: Bitmap | undefined,
    kept: KeptStrokes,
  ) {
    this.id = detail.id;
    this.image = detail.image;
    this.width = width;
    this.height = height;
    this.picture = picture;
    this.saliency = saliency;
    this.surface = new Surface({ width, height, data: values }, (rect) => this.watcher?.repaint(rect));
    this.queue = new DraftQueue(this.surface, draftGateway(project, detail.id), failureOf, start, kept, (refused) =>
      this.watcher?.moved(refused),
    );
    this.queue.resume(kept.revision, kept.strokes);
  }

  /** Colours of the picture; read once, when a tool first asks for them. */
  pixels(): Pixels {
    this.#pixels ??= pixelsOf(this.picture);
    return this.#pixels;
  }

  close(): void {
    this.picture.close();
  }
}

/** @throws ApiError with the sentence why it cannot be shown */
export async function openContext(project: string, context: number, signal: AbortSignal): Promise<OpenedContext> {
  const params = { project, context };
  const [detail, draft] = await Promise.all([
    call('GET /api/projects/{project}/contexts/{context}', { params, signal }),
    loadDraft(project, context, signal),
  ]);
  const version = detail.masks.filter(({ saliency }) => saliency).at(-1)?.id;
  const [picture, saliency] = await Promise.all([
    loadPicture(project, detail.image, signal),
    version === undefined ? undefined : loadSaliency(project, context, version, signal),
  ]);
  if (picture.width !== draft.width || picture.height !== draft.height) {
    const sizes = `${picture.width} x ${picture.height} pixels, its mask ${draft.width} x ${draft.height}`;
    throw new ApiError('damaged', 0, `${detail.path} has ${sizes}: import it again, then find its context anew.`);
  }
  // Last of all: from here on this page answers for them.
  const kept = await KeptStrokes.take(project, context);
  return new OpenedContext(project, detail, picture, draft, saliency, kept);
}

async function loadPicture(project: string, image: number, signal: AbortSignal): Promise<ImageBitmap> {
  const response = await call('GET /api/projects/{project}/images/{image}/picture', {
    params: { project, image },
    signal,
  });
  try {
    return await createImageBitmap(await response.blob());
  } catch {
    throw new ApiError('damaged', 0, 'This picture cannot be decoded by the browser.');
  }
}

async function loadSaliency(project: string, context: number, version: number, signal: AbortSignal): Promise<Bitmap> {
  const response = await call('GET /api/projects/{project}/contexts/{context}/saliency', {
    params: { project, context },
    query: { version },
    signal,
  });
  const picture = await createImageBitmap(await response.blob(), { colorSpaceConversion: 'none' });
  const { width, height, data } = pixelsOf(picture);
  picture.close();
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]) };
}

/** @throws Error when the browser has no memory for it */
function pixelsOf(picture: ImageBitmap): Pixels {
  const { width, height } = picture;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error(`No memory for the ${width} x ${height} pixels of this picture.`);
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, width, height);
}
