/** How a picture lies in its frame: fitted, at its own size, or enlarged and moved. Pure; lengths are CSS pixels. */
import type { Point } from './bitmap.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface View {
  /** Pixels of the frame for each pixel of the picture. */
  readonly scale: number;
  /** Top left corner of the picture in the frame. */
  readonly left: number;
  readonly top: number;
  /** It follows the size of the frame. */
  readonly fitted: boolean;
}

/** Largest enlargement of a pixel of the picture. */
const LARGEST = 64;
/** So strongly enlarged, pixels are looked at one by one, as squares; below, a photograph is smoothed and fills its frame. */
export const SQUARES = 3;
/** Room round a fitted picture. */
const MARGIN = 12;
/** So much of the picture stays in the frame however it is moved. */
const KEPT = 40;

/** The whole picture; a small one is enlarged, from three times on by whole numbers, so that its pixels stay squares. */
export function fit(frame: Size, picture: Size): View {
  const scale = Math.min(
    Math.max(1, frame.width - 2 * MARGIN) / picture.width,
    Math.max(1, frame.height - 2 * MARGIN) / picture.height,
  );
  return centred(frame, picture, scale >= SQUARES ? Math.min(LARGEST, Math.floor(scale)) : scale, true);
}

/** Each pixel of the picture as one of the frame. */
export function actualSize(frame: Size, picture: Size): View {
  return centred(frame, picture, 1, false);
}

/** Enlarge by a factor; the point of the picture below `at` stays there. */
export function zoomAt(view: View, frame: Size, picture: Size, factor: number, at: Point): View {
  const smallest = Math.min(1, fit(frame, picture).scale) / 2;
  const scale = Math.min(LARGEST, Math.max(smallest, view.scale * factor));
  const { x, y } = toPicture(view, at);
  return kept({ scale, left: at.x - x * scale, top: at.y - y * scale, fitted: false }, frame, picture);
}

export function pan(view: View, frame: Size, picture: Size, dx: number, dy: number): View {
  return kept({ ...view, left: view.left + dx, top: view.top + dy, fitted: false }, frame, picture);
}

/** A place of the frame in the picture. */
export function toPicture({ scale, left, top }: View, { x, y }: Point): Point {
  return { x: (x - left) / scale, y: (y - top) / scale };
}

/** A place of the picture in the frame. */
export function toFrame({ scale, left, top }: View, { x, y }: Point): Point {
  return { x: left + x * scale, y: top + y * scale };
}

function centred(frame: Size, picture: Size, scale: number, fitted: boolean): View {
  return {
    scale,
    left: Math.round((frame.width - picture.width * scale) / 2),
    top: Math.round((frame.height - picture.height * scale) / 2),
    fitted,
  };
}

/** Not out of sight. */
function kept(view: View, frame: Size, picture: Size): View {
  return {
    ...view,
    left: within(view.left, picture.width * view.scale, frame.width),
    top: within(view.top, picture.height * view.scale, frame.height),
  };
}

/** Where a side may begin, so that some of it stays in the room. */
function within(start: number, side: number, room: number): number {
  return Math.min(room - KEPT, Math.max(KEPT - side, start));
}
