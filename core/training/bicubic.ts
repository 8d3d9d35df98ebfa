/** Bicubic interpolation as a matrix, on the host. */

/** Keys' cubic kernel with a = -0.75, as PyTorch's bicubic interpolation has it (TensorFlow's uses -0.5). */
function cubic(distance: number): number {
  const a = -0.75;
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/**
 * Interpolation weights of a bicubic resize of one axis, align_corners off, borders repeated.
 * @returns [to, from] row by row
 */
export function bicubicMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = ((i + 0.5) * from) / to - 0.5;
    const base = Math.floor(position);
    for (let tap = base - 1; tap <= base + 2; tap++) {
      const source = Math.min(Math.max(tap, 0), from - 1);
      matrix[i * from + source] += cubic(position - tap);
    }
  }
  return matrix;
}
