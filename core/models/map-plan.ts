/** Which shapes the maps between a backbone's layers have, without computing one; knows nothing of TensorFlow. */
import type { Layers, Padding } from './layer-plan.ts';

/** A map of one picture. */
export interface MapShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

interface Window {
  size: number;
  stride: number;
  padding: Padding;
}

/** Follows shapes through the layers. */
export class MapPlan implements Layers<MapShape> {
  convolution(_name: string, x: MapShape, { out, ...window }: Window & { out: number }): MapShape {
    return { ...sized(x, window), channels: out };
  }

  depthwise(_name: string, x: MapShape, window: Window): MapShape {
    return { ...sized(x, window), channels: x.channels };
  }

  batchNorm(_name: string, x: MapShape): MapShape {
    return x;
  }

  shortcutA({ height, width }: MapShape, out: number, stride: number): MapShape {
    return { height: Math.ceil(height / stride), width: Math.ceil(width / stride), channels: out };
  }

  maxPool(x: MapShape, window: Window): MapShape {
    return { ...sized(x, window), channels: x.channels };
  }
}

function sized(x: MapShape, { size, stride, padding }: Window): Pick<MapShape, 'height' | 'width'> {
  const { height, width } = placed(x, size, stride, padding);
  return { height, width };
}

/** Zero pixels round a map (top, left, bottom, right), and the size of what a window of `size` gives on it. */
export function placed(
  x: Pick<MapShape, 'height' | 'width'>,
  size: number,
  stride: number,
  padding: Padding,
): { pads: number[]; height: number; width: number } {
  const [top, bottom] = sides(x.height, size, stride, padding);
  const [left, right] = sides(x.width, size, stride, padding);
  const along = (side: number, zeros: number): number => Math.floor((side + zeros - size) / stride) + 1;
  return {
    pads: [top, left, bottom, right],
    height: along(x.height, top + bottom),
    width: along(x.width, left + right),
  };
}

/** Zero pixels before and after; of TensorFlow's SAME the odd one lies after. */
function sides(side: number, size: number, stride: number, padding: Padding): [before: number, after: number] {
  if (padding !== 'same') return [padding, padding];
  const zeros = Math.max(0, (Math.ceil(side / stride) - 1) * stride + size - side);
  const before = Math.floor(zeros / 2);
  return [before, zeros - before];
}
