/** What a network is built from, and a stand-in that collects its parameters; knows nothing of TensorFlow. */
import type { ParameterSpec } from './parameters.ts';

/** The layers that backbones use. `T` is a tensor when running and a channel count when planning. */
export interface Layers<T> {
  /** Convolution without bias; `padding` zero pixels on each side. */
  convolution(name: string, x: T, options: { size: number; out: number; stride: number; padding: number }): T;
  /** Batch normalisation, the addition of `residual` where there is one, and a ReLU where asked. */
  batchNorm(name: string, x: T, after: { relu: boolean; residual?: T }): T;
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
