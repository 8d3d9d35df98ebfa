/** What a network is built from, and a stand-in that collects its parameters; knows nothing of TensorFlow. */
import type { ParameterSpec } from './parameters.ts';

/** What is done last to normalised values: nothing, max(0, x), or min(max(0, x), 6). */
export type Activation = 'none' | 'relu' | 'relu6';

/** Zero pixels on each side, or TensorFlow's SAME: ceil(side / stride) results, the odd zero pixel on the far side. */
export type Padding = number | 'same';

/** The layers that backbones use. `T` is a tensor when running and a channel count when planning. */
export interface Layers<T> {
  /** Convolution without bias; its kernel is `${name}.weight` [size, size, in, out]. */
  convolution(name: string, x: T, options: { size: number; out: number; stride: number; padding: Padding }): T;
  /** Convolution of each channel by itself, without bias; its kernel is `${name}.weight` [size, size, C, 1]. */
  depthwise(name: string, x: T, options: { size: number; stride: number; padding: Padding }): T;
  /** Batch normalisation, the addition of `residual` where there is one, and the activation. */
  batchNorm(name: string, x: T, after: { activation: Activation; residual?: T }): T;
  /** Every second pixel, and zero channels on both sides up to `out` (He et al. 2016, option A). */
  shortcutA(x: T, out: number, stride: number): T;
  maxPool(x: T, options: { size: number; stride: number; padding: number }): T;
}

/** Collects the parameters of a network: tensors are stood for by their channel count. */
export class LayerPlan implements Layers<number> {
  readonly weights: ParameterSpec[] = [];
  readonly statistics: ParameterSpec[] = [];

  convolution(name: string, channels: number, { size, out }: { size: number; out: number }): number {
    this.weights.push({
      name: `${name}.weight`,
      shape: [size, size, channels, out],
      initializer: { kind: 'kaiming-normal', fanIn: size * size * channels },
    });
    return out;
  }

  depthwise(name: string, channels: number, { size }: { size: number }): number {
    this.weights.push({
      name: `${name}.weight`,
      shape: [size, size, channels, 1],
      initializer: { kind: 'kaiming-normal', fanIn: size * size },
    });
    return channels;
  }

  batchNorm(name: string, channels: number, { residual }: { residual?: number }): number {
    if (residual !== undefined && residual !== channels)
      throw new Error(`cannot add ${residual} to ${channels} channels`);
    this.weights.push({ name: `${name}.weight`, shape: [channels], initializer: { kind: 'ones' } });
    this.weights.push({ name: `${name}.bias`, shape: [channels], initializer: { kind: 'zeros' } });
    this.statistics.push({ name: `${name}.running_mean`, shape: [channels], initializer: { kind: 'zeros' } });
    this.statistics.push({ name: `${name}.running_var`, shape: [channels], initializer: { kind: 'ones' } });
    return channels;
  }

  shortcutA(_channels: number, out: number): number {
    return out;
  }

  maxPool(channels: number): number {
    return channels;
  }
}
