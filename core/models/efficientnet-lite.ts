/**
 * EfficientNet-Lite (Liu 2020, the "lite" models of tensorflow/tpu; Tan and Le 2019, arXiv 1905.11946, table 1): inverted
 * residual blocks with depthwise kernels, ReLU6, no squeeze-and-excitation. Stem and last layer are not widened, the first
 * and the last stage not deepened. 1280-d features, total stride 32; 3.4 and 4.8 million weights. TensorFlow's SAME padding.
 */
import { fromStages, type Backbone, type Stage } from './backbone.ts';
import type { Layers } from './layer-plan.ts';

/** Of Lite0; `expand` is how many times wider than its input a block is inside. */
const STAGES = [
  { blocks: 1, size: 3, stride: 1, expand: 1, channels: 16 },
  { blocks: 2, size: 3, stride: 2, expand: 6, channels: 24 },
  { blocks: 2, size: 5, stride: 2, expand: 6, channels: 40 },
  { blocks: 3, size: 3, stride: 2, expand: 6, channels: 80 },
  { blocks: 3, size: 5, stride: 1, expand: 6, channels: 112 },
  { blocks: 4, size: 5, stride: 2, expand: 6, channels: 192 },
  { blocks: 1, size: 3, stride: 1, expand: 6, channels: 320 },
] as const;

const MODELS = {
  'efficientnet-lite0': { title: 'EfficientNet-Lite0', width: 1, depth: 1, inputSize: 224 },
  'efficientnet-lite2': { title: 'EfficientNet-Lite2', width: 1.1, depth: 1.2, inputSize: 260 },
} as const;
export type EfficientNetLite = keyof typeof MODELS;

/** Pixels are seen as (value - 127) / 128. */
const NORMALISATION = {
  mean: [127 / 255, 127 / 255, 127 / 255],
  deviation: [128 / 255, 128 / 255, 128 / 255],
} as const;

/** The nearest multiple of 8 to `channels * width`, but not less than 90 % of it. */
function widened(channels: number, width: number): number {
  const wanted = channels * width;
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

interface BlockForm {
  /** Side of the depthwise kernel. */
  size: number;
  stride: number;
  expand: number;
  /** Channels of the input and of the result. */
  channels: number;
  out: number;
  /** Whether the input is added to the result: where both have one shape and the block is not its stage's first. */
  add: boolean;
}

function block<T>(layers: Layers<T>, name: string, x: T, form: BlockForm): T {
  const { size, stride, expand, channels, out, add } = form;
  let y = x;
  if (expand > 1) {
    y = layers.convolution(`${name}.expand.conv`, y, { size: 1, out: expand * channels, stride: 1, padding: 0 });
    y = layers.batchNorm(`${name}.expand.bn`, y, { activation: 'relu6' });
  }
  y = layers.depthwise(`${name}.depthwise.conv`, y, { size, stride, padding: 'same' });
  y = layers.batchNorm(`${name}.depthwise.bn`, y, { activation: 'relu6' });
  y = layers.convolution(`${name}.project.conv`, y, { size: 1, out, stride: 1, padding: 0 });
  return layers.batchNorm(`${name}.project.bn`, y, { activation: 'none', residual: add ? x : undefined });
}

const STEM_CHANNELS = 32;

const stem: Stage = {
  name: 'stem',
  run<T>(layers: Layers<T>, image: T): T {
    const x = layers.convolution('stem.conv', image, { size: 3, out: STEM_CHANNELS, stride: 2, padding: 'same' });
    return layers.batchNorm('stem.bn', x, { activation: 'relu6' });
  },
};

const last: Stage = {
  name: 'last',
  run<T>(layers: Layers<T>, image: T): T {
    const x = layers.convolution('last.conv', image, { size: 1, out: 1280, stride: 1, padding: 0 });
    return layers.batchNorm('last.bn', x, { activation: 'relu6' });
  },
};

export function efficientNetLite(kind: EfficientNetLite): Backbone {
  const { title, width, depth, inputSize } = MODELS[kind];
  const stages = STAGES.map(({ blocks, size, stride, expand, channels }, index): Stage => {
    const name = `stage${index + 1}`;
    const fixed = index === 0 || index === STAGES.length - 1;
    const count = fixed ? blocks : Math.ceil(blocks * depth);
    const before = index === 0 ? STEM_CHANNELS : widened(STAGES[index - 1].channels, width);
    const out = widened(channels, width);
    return {
      name,
      run<T>(layers: Layers<T>, image: T): T {
        let x = block(layers, `${name}.block1`, image, { size, stride, expand, channels: before, out, add: false });
        for (let at = 2; at <= count; at++) {
          x = block(layers, `${name}.block${at}`, x, { size, stride: 1, expand, channels: out, out, add: true });
        }
        return x;
      },
    };
  });
  return fromStages({
    title,
    lastLayer: 'last',
    stages: [stem, ...stages, last],
    batchNormEpsilon: 1e-3,
    inputSize,
    normalisation: NORMALISATION,
  });
}
