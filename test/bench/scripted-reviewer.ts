/**
 * What a scripted reviewer does next to a mask. It sees the mask as it stands and has the trimap as its intention; it knows
 * nothing of saliency, edges or how a mask came about. The policy:
 *
 * 1. Nothing is taken out yet: a polygon round the largest animal, along the middle of the border, to within 2 % of the
 *    picture's diagonal; a rough one, to within 6 %, where it will be snapped to edges.
 * 2. Else the largest connected region in which mask and truth disagree is painted by one stroke of the round brush. The
 *    brush may go over what is right already and over the border, never over what it would make wrong. Where it begins, the
 *    tip covers most that is wrong; from there it goes on to where it covers most of the rest. Of brushes of several sizes,
 *    from the largest that fits, the one is taken that mends most pixels for each second of `human-time.ts`.
 *
 * Regions, distances, outlines: OpenCV.
 */
import { cv } from '../../core/contexts/opencv.ts';
import type { Bitmap, Point } from '../../renderer/pages/review/canvas/bitmap.ts';
import { largestDiameter, nextDiameter } from '../../renderer/pages/review/canvas/brush.ts';
import { dragging, key, look } from './human-time.ts';
import { ANIMAL, BACKGROUND, type Trimap } from './trimaps.ts';

/** A stroke of the brush; points are pixels of the picture. */
export interface BrushStroke {
  /** It takes out foreground instead of adding context. */
  readonly erases: boolean;
  readonly diameter: number;
  /** Presses of the key for a smaller (negative) or larger brush. */
  readonly presses: number;
  readonly points: readonly Point[];
}

/** Tips that are tried, as shares of the largest that fits. */
const SHARES = [1, 0.7, 0.5, 0.35, 0.25, 0];
/** Of the polygon, as a share of the diagonal: by itself, and where it is snapped to edges afterwards. */
export const ROUGHNESS = { alone: 0.02, snapped: 0.06 };
/** A stroke goes on while the next step mends so much of what the tip covers. */
const WORTH = 0.05;

/**
 * A polygon round the largest animal.
 * @param roughness how far from the outline it may go, as a share of the picture's diagonal
 */
export function outlineOf({ width, height, labels }: Trimap, roughness: number): Point[] {
  const toAnimal = distances(width, height, (i) => labels[i] !== ANIMAL);
  const toBackground = distances(width, height, (i) => labels[i] !== BACKGROUND);
  const inside = matOf(width, height, (i) => toAnimal[i] < toBackground[i]);
  const outlines = new cv.MatVector();
  const hierarchy = new cv.Mat();
  const rough = new cv.Mat();
  cv.findContours(inside, outlines, hierarchy, cv.RETR_EXTERNAL, cv.CHAIN_APPROX_NONE);
  const all = Array.from({ length: outlines.size() }, (_, i) => outlines.get(i));
  const largest = all.toSorted((a, b) => cv.contourArea(b) - cv.contourArea(a)).at(0);
  if (largest === undefined) throw new Error('there is no animal in this picture');
  cv.approxPolyDP(largest, rough, roughness * Math.hypot(width, height), true);
  const corners = pointsOf(rough);
  for (const made of [inside, outlines, hierarchy, rough, ...all]) made.delete();
  return corners;
}

/**
 * The stroke that the reviewer makes next.
 * @param diameter the brush as it is set now
 * @param scale pixels of the screen for each pixel of the picture
 * @returns undefined where nothing disagrees
 */
export function nextStroke(mask: Bitmap, truth: Trimap, diameter: number, scale: number): BrushStroke | undefined {
  const { width, height, labels } = truth;
  const wrong = (erases: boolean): Uint8Array =>
    labels.map((label, i) => (label === (erases ? ANIMAL : BACKGROUND) && mask.data[i] >= 128 === erases ? 1 : 0));
  const regions = [true, false].flatMap((erases) => {
    const pixels = wrong(erases);
    const region = largestRegion(width, height, pixels);
    return region === undefined ? [] : [{ erases, pixels, region }];
  });
  const [first] = regions.toSorted((a, b) => b.region.length - a.region.length);
  if (first === undefined) return undefined;
  const { erases, pixels, region } = first;
  // How far it is to what must not be painted: from there the size of the brush follows.
  const room = distances(width, height, (i) => labels[i] !== (erases ? BACKGROUND : ANIMAL));
  const fits = Math.max(...region.map((i) => room[i]));
  const strokes = SHARES.map((share) => {
    const set = setBrush(diameter, Math.min(largestDiameter(mask), 2 * (fits * share - 1)), largestDiameter(mask));
    const sweep = new Sweep(width, height, pixels, room, set.diameter);
    const points = sweep.run(region);
    const seconds =
      look() + key(Math.abs(set.presses)) + dragging(points.map(scaled(scale)), Math.max(1, set.diameter * scale));
    return { stroke: { erases, ...set, points }, rate: sweep.mended / seconds };
  });
  return strokes.toSorted((a, b) => b.rate - a.rate)[0].stroke;
}

/** The size of the brush that the keys lead to: the largest of at most `wanted`, and 1 at least. */
function setBrush(from: number, wanted: number, largest: number): { diameter: number; presses: number } {
  let diameter = from;
  let presses = 0;
  while (diameter > Math.max(1, wanted)) {
    diameter = nextDiameter(diameter, -1, largest);
    presses--;
  }
  while (diameter < largest && nextDiameter(diameter, 1, largest) <= wanted) {
    diameter = nextDiameter(diameter, 1, largest);
    presses++;
  }
  return { diameter, presses };
}

/** The way of one stroke over what is wrong, and how much of it that mends. */
class Sweep {
  readonly #width: number;
  readonly #height: number;
  readonly #left: Uint8Array;
  readonly #room: Float32Array;
  readonly #radius: number;
  /** Distance of the places that are tried. */
  readonly #step: number;
  /** Room that the tip needs; that of one pixel is exact. */
  readonly #need: number;
  mended = 0;

  constructor(width: number, height: number, wrong: Uint8Array, room: Float32Array, diameter: number) {
    this.#width = width;
    this.#height = height;
    this.#left = wrong.slice();
    this.#room = room;
    this.#radius = diameter / 2;
    this.#step = Math.max(1, Math.round(diameter / 4));
    this.#need = diameter === 1 ? 1 : diameter / 2 + 1;
  }

  /** @param region pixels that it has to begin in, or beside */
  run(region: readonly number[]): Point[] {
    const centres = region.map((i): Point => ({ x: i % this.#width, y: Math.floor(i / this.#width) }));
    let at = this.#best(centres.filter(({ x, y }) => x % this.#step === 0 && y % this.#step === 0));
    at = at.gain > 0 ? at : this.#best(centres);
    const places: Point[] = [];
    const least = Math.max(1, WORTH * 4 * this.#radius * this.#radius);
    while (at.gain > 0 && (places.length === 0 || at.gain >= least)) {
      places.push(at.point);
      this.mended += this.#mend(at.point);
      at = this.#best(this.#around(at.point));
    }
    return simplified(places.map(({ x, y }) => ({ x: x + 0.5, y: y + 0.5 })));
  }

  /** Places that the tip can go to in a straight line, about half a tip away. */
  #around({ x, y }: Point): Point[] {
    const reach = Math.max(1, Math.round(this.#radius / this.#step));
    const places: Point[] = [];
    for (let v = -reach; v <= reach; v++) {
      for (let u = -reach; u <= reach; u++) {
        const half = { x: Math.round(x + (u * this.#step) / 2), y: Math.round(y + (v * this.#step) / 2) };
        if (this.#fits(half)) places.push({ x: x + u * this.#step, y: y + v * this.#step });
      }
    }
    return places;
  }

  #best(places: readonly Point[]): { point: Point; gain: number } {
    let best = { point: { x: 0, y: 0 }, gain: 0 };
    for (const point of places) {
      if (!this.#fits(point)) continue;
      const gain = this.#covered(point).length;
      if (gain > best.gain) best = { point, gain };
    }
    return best;
  }

  #fits({ x, y }: Point): boolean {
    if (x < 0 || y < 0 || x >= this.#width || y >= this.#height) return false;
    return this.#room[y * this.#width + x] >= this.#need;
  }

  #mend(place: Point): number {
    const covered = this.#covered(place);
    for (const i of covered) this.#left[i] = 0;
    return covered.length;
  }

  /** Wrong pixels under the tip. */
  #covered({ x, y }: Point): number[] {
    const reach = Math.floor(this.#radius);
    const square = this.#radius * this.#radius;
    const found: number[] = [];
    for (let v = Math.max(-reach, -y); v <= Math.min(reach, this.#height - 1 - y); v++) {
      for (let u = Math.max(-reach, -x); u <= Math.min(reach, this.#width - 1 - x); u++) {
        const i = (y + v) * this.#width + x + u;
        if (u * u + v * v <= square && this.#left[i] === 1) found.push(i);
      }
    }
    return found;
  }
}

/** A line without the points that it hardly needs. */
function simplified(points: readonly Point[]): Point[] {
  if (points.length < 3) return [...points];
  const line = cv.matFromArray(points.length, 1, cv.CV_32SC2, points.flatMap(({ x, y }) => [x - 0.5, y - 0.5])); // prettier-ignore
  const rough = new cv.Mat();
  cv.approxPolyDP(line, rough, 1, false);
  const kept = pointsOf(rough);
  line.delete();
  rough.delete();
  return kept;
}

/** Distance of each pixel for which `free` holds to the nearest one for which it does not; those have 0. */
function distances(width: number, height: number, free: (i: number) => boolean): Float32Array {
  const mat = matOf(width, height, free);
  const result = new cv.Mat();
  cv.distanceTransform(mat, result, cv.DIST_L2, cv.DIST_MASK_PRECISE);
  const values = result.data32F.slice();
  mat.delete();
  result.delete();
  return values;
}

/** Pixels of the largest connected region of ones. */
function largestRegion(width: number, height: number, pixels: Uint8Array): number[] | undefined {
  const mat = matOf(width, height, (i) => pixels[i] === 1);
  const [labels, stats, centroids] = [new cv.Mat(), new cv.Mat(), new cv.Mat()];
  const count = cv.connectedComponentsWithStats(mat, labels, stats, centroids, 8, cv.CV_32S);
  const areaOf = (label: number): number => stats.data32S[5 * label + cv.CC_STAT_AREA];
  const [largest] = Array.from({ length: count - 1 }, (_, i) => i + 1).toSorted((a, b) => areaOf(b) - areaOf(a));
  const found = largest === undefined ? undefined : [...labels.data32S.keys()].filter((i) => labels.data32S[i] === largest); // prettier-ignore
  for (const made of [mat, labels, stats, centroids]) made.delete();
  return found;
}

function matOf(width: number, height: number, isSet: (i: number) => boolean): InstanceType<typeof cv.Mat> {
  const mat = new cv.Mat(height, width, cv.CV_8UC1);
  const { data } = mat;
  for (let i = 0; i < data.length; i++) data[i] = isSet(i) ? 255 : 0;
  return mat;
}

/** Centres of the pixels that OpenCV lists. */
function pointsOf({ data32S }: { data32S: Int32Array }): Point[] {
  return Array.from({ length: data32S.length / 2 }, (_, i) => ({
    x: data32S[2 * i] + 0.5,
    y: data32S[2 * i + 1] + 0.5,
  }));
}

const scaled =
  (scale: number) =>
  ({ x, y }: Point): Point => ({ x: scale * x, y: scale * y });
