/**
 * The objects of the sample data set: ten plain shapes, in alphabetical order, which is also the order of their class
 * sizes. Each is a test "is this point inside?" in a frame of its own: x to the right, y down, all of it within the unit
 * circle.
 */

export const SHAPE_NAMES = [
  'arrow',
  'circle',
  'crescent',
  'cross',
  'heart',
  'hourglass',
  'ring',
  'square',
  'star',
  'triangle',
] as const;
export type ShapeName = (typeof SHAPE_NAMES)[number];

type Inside = (x: number, y: number) => boolean;

/** Point in polygon by counting crossings; `corners` are x, y pairs in order. */
function polygon(corners: readonly (readonly [number, number])[]): Inside {
  return (x, y) => {
    let inside = false;
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      const [xi, yi] = corners[i];
      const [xj, yj] = corners[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  };
}

/** Corners of a star with `points` points that touches the unit circle; a regular polygon when `inner` is null. */
function starCorners(points: number, inner: number | null): [number, number][] {
  const count = inner === null ? points : 2 * points;
  return Array.from({ length: count }, (_, i) => {
    const radius = inner !== null && i % 2 === 1 ? inner : 0.98;
    const angle = (2 * Math.PI * i) / count;
    return [radius * Math.sin(angle), -radius * Math.cos(angle)];
  });
}

function heart(x: number, y: number): boolean {
  // The classic sextic curve (X² + Y² - 1)³ = X² Y³, with Y upwards, moved and scaled into the unit circle.
  const u = x * 1.3;
  const v = 0.18 - y * 1.22;
  const s = u * u + v * v - 1;
  return s * s * s <= u * u * v * v * v;
}

const ARROW = polygon([
  [0, -0.98],
  [0.75, -0.1],
  [0.28, -0.1],
  [0.28, 0.92],
  [-0.28, 0.92],
  [-0.28, -0.1],
  [-0.75, -0.1],
]);

export const SHAPES: Readonly<Record<ShapeName, Inside>> = {
  arrow: ARROW,
  circle: (x, y) => x * x + y * y <= 0.85 * 0.85,
  crescent: (x, y) => x * x + y * y <= 0.95 * 0.95 && (x - 0.45) ** 2 + y * y > 0.72 * 0.72,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.27 && Math.max(Math.abs(x), Math.abs(y)) <= 0.93,
  heart,
  hourglass: (x, y) => Math.abs(y) <= 0.85 && Math.abs(x) <= 0.1 + 0.62 * Math.abs(y),
  ring: (x, y) => x * x + y * y <= 0.95 * 0.95 && x * x + y * y >= 0.55 * 0.55,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.7,
  star: polygon(starCorners(5, 0.42)),
  triangle: polygon(starCorners(3, null)),
};
