/**
 * The layers of a network as ONNX operations: a third reading of the backbone, beside that which declares its parameters
 * and that which computes. Maps are [N, C, H, W] here, kernels [out, in, h, w], paddings explicit for one input size.
 */
import type { Activation, Layers, Padding } from '../models/layer-plan.ts';
import { placed } from '../models/map-plan.ts';
import type { Graph } from './graph.ts';

/** A map in the graph. */
export interface OnnxMap {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Where it is what a convolution gives and is not in the graph yet, since its batch norm may be folded into it. */
  readonly pending?: PendingConvolution;
}

interface PendingConvolution {
  readonly input: string;
  readonly kernel: Kernel;
  readonly group: number;
  readonly stride: number;
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
}

/** [out, in, h, w] */
interface Kernel {
  readonly name: string;
  readonly shape: readonly [number, number, number, number];
  readonly values: Float32Array;
}

export interface OnnxLayersOptions {
  /** Weights and running statistics by name, in TensorFlow's layout. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Added to the variance in batch normalisation. */
  readonly epsilon: number;
  /** Put each batch normalisation into the convolution before it. */
  readonly fold: boolean;
}

export class OnnxLayers implements Layers<OnnxMap> {
  readonly #graph: Graph;
  readonly #options: OnnxLayersOptions;

  constructor(graph: Graph, options: OnnxLayersOptions) {
    this.#graph = graph;
    this.#options = options;
  }

  convolution(
    name: string,
    x: OnnxMap,
    { size, out, stride, padding }: { size: number; out: number; stride: number; padding: Padding },
  ): OnnxMap {
    const values = this.#weight(`${name}.weight`);
    const kernel = kernelOf(`${name}.weight`, values, [size, size, x.channels, out]);
    return convolve(name, x, { kernel, group: 1, size, out, stride, padding });
  }

  depthwise(
    name: string,
    x: OnnxMap,
    { size, stride, padding }: { size: number; stride: number; padding: Padding },
  ): OnnxMap {
    const { channels: out } = x;
    // [h, w, C, 1] lies in memory as [h, w, 1, C] does.
    const kernel = kernelOf(`${name}.weight`, this.#weight(`${name}.weight`), [size, size, 1, out]);
    return convolve(name, x, { kernel, group: out, size, out, stride, padding });
  }

  batchNorm(name: string, x: OnnxMap, after: { activation: Activation; residual?: OnnxMap }): OnnxMap {
    if (x.pending === undefined) throw new Error(`${name} does not follow a convolution`);
    const { epsilon, fold } = this.#options;
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      this.#weight(`${name}.${part}`),
    );
    let y: string;
    if (fold) {
      const scale = gamma.map((value, c) => value / Math.sqrt(variance[c] + epsilon));
      const bias = beta.map((value, c) => value - mean[c] * scale[c]);
      y = this.#convolution(x.name, x.pending, { scale, bias });
    } else {
      const parts = [gamma, beta, mean, variance].map((values, part) =>
        this.#graph.floats(`${name}.${NORM_INPUTS[part]}`, [x.channels], values),
      );
      const convolved = this.#convolution(x.name, x.pending);
      y = this.#graph.add('BatchNormalization', name, [convolved, ...parts], { epsilon: { float: epsilon } });
    }
    if (after.residual) y = this.#graph.add('Add', `${name}.sum`, [y, after.residual.name]);
    return map(this.#activate(`${name}.${after.activation}`, y, after.activation), x);
  }

  shortcutA(x: OnnxMap, out: number, stride: number): OnnxMap {
    const { name, height, width, channels } = x;
    const side = (out - channels) / 2;
    const thinned =
      stride === 1
        ? name
        : this.#graph.add('Slice', `${name}.every_${stride}`, [
            name,
            this.#graph.integers('slice.from_0_0', [0, 0]),
            this.#graph.integers(`slice.to_${height}_${width}`, [height, width]),
            this.#graph.integers('slice.of_height_width', [2, 3]),
            this.#graph.integers(`slice.every_${stride}`, [stride, stride]),
          ]);
    const pads = this.#graph.integers(`pads.channels_${side}`, [0, side, 0, 0, 0, side, 0, 0]);
    return {
      name: this.#graph.add('Pad', `${name}.widened`, [thinned, pads]),
      channels: out,
      height: Math.ceil(height / stride),
      width: Math.ceil(width / stride),
    };
  }

  maxPool(x: OnnxMap, { size, stride, padding }: { size: number; stride: number; padding: number }): OnnxMap {
    const name = this.#graph.add('MaxPool', `${x.name}.pooled`, [x.name], {
      kernel_shape: [size, size],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    });
    const { height, width } = placed(x, size, stride, padding);
    return { name, channels: x.channels, height, width };
  }

  #convolution(
    name: string,
    { input, kernel, group, stride, pads }: PendingConvolution,
    folded?: { scale: Float32Array; bias: Float32Array },
  ): string {
    const [out, , height, width] = kernel.shape;
    const each = kernel.values.length / out;
    const values = folded ? kernel.values.map((value, i) => value * folded.scale[Math.floor(i / each)]) : kernel.values;
    const inputs = [input, this.#graph.floats(kernel.name, kernel.shape, values)];
    if (folded) inputs.push(this.#graph.floats(`${name}.bias`, [out], folded.bias));
    return this.#graph.add('Conv', name, inputs, {
      kernel_shape: [height, width],
      strides: [stride, stride],
      pads,
      group,
    });
  }

  #activate(name: string, x: string, activation: Activation): string {
    switch (activation) {
      case 'none':
        return x;
      case 'relu':
        return this.#graph.add('Relu', name, [x]);
      case 'relu6': {
        const limits = [0, 6].map((limit) => this.#graph.floats(`clip.${limit}`, [], Float32Array.of(limit)));
        return this.#graph.add('Clip', name, [x, ...limits]);
      }
    }
  }

  #weight(name: string): Float32Array {
    const values = this.#options.weights.get(name);
    if (!values) throw new Error(`the model has no tensor ${name}`);
    return values;
  }
}

/** What a batch normalisation takes beside its map, as PyTorch calls it. */
const NORM_INPUTS = ['weight', 'bias', 'running_mean', 'running_var'] as const;

const map = (name: string, { channels, height, width }: OnnxMap): OnnxMap => ({ name, channels, height, width });

function convolve(
  name: string,
  x: OnnxMap,
  options: { kernel: Kernel; group: number; size: number; out: number; stride: number; padding: Padding },
): OnnxMap {
  const { kernel, group, size, out, stride, padding } = options;
  const { pads, height, width } = placed(x, size, stride, padding);
  return { name, channels: out, height, width, pending: { input: x.name, kernel, group, stride, pads } };
}

/** [h, w, in, out] -> [out, in, h, w] */
function kernelOf(
  name: string,
  values: Float32Array,
  [height, width, channels, out]: readonly [number, number, number, number],
): Kernel {
  const area = height * width;
  const turned = new Float32Array(values.length);
  for (let at = 0; at < area; at++) {
    for (let c = 0; c < channels; c++) {
      const row = (at * channels + c) * out;
      for (let o = 0; o < out; o++) turned[(o * channels + c) * area + at] = values[row + o];
    }
  }
  return { name, shape: [out, channels, height, width], values: turned };
}
