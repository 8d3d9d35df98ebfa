/**
 * ResNet-18 (He et al. 2016, arXiv 1512.03385, table 1; torchvision's `resnet18`): 7x7 stem of stride 2, 3x3 max pool of
 * stride 2, four stages of 64 to 512 channels with two basic blocks each, 1x1 projections (option B). 11.2 million
 * weights, 512-d features, total stride 32. For pictures of 64 px and more.
 */
import { fromStages, type Backbone, type Stage } from './backbone.ts';
import type { Layers } from './layer-plan.ts';

const STAGES = [
  { channels: 64, stride: 1 },
  { channels: 128, stride: 2 },
  { channels: 256, stride: 2 },
  { channels: 512, stride: 2 },
] as const;

function block<T>(layers: Layers<T>, name: string, x: T, out: number, stride: number, project: boolean): T {
  let y = layers.convolution(`${name}.conv1`, x, { size: 3, out, stride, padding: 1 });
  y = layers.batchNorm(`${name}.bn1`, y, { activation: 'relu' });
  y = layers.convolution(`${name}.conv2`, y, { size: 3, out, stride: 1, padding: 1 });
  let residual = x;
  if (project) {
    residual = layers.convolution(`${name}.shortcut.conv`, x, { size: 1, out, stride, padding: 0 });
    residual = layers.batchNorm(`${name}.shortcut.bn`, residual, { activation: 'none' });
  }
  return layers.batchNorm(`${name}.bn2`, y, { residual, activation: 'relu' });
}

const stem: Stage = {
  name: 'stem',
  run<T>(layers: Layers<T>, image: T): T {
    let x = layers.convolution('stem.conv', image, { size: 7, out: 64, stride: 2, padding: 3 });
    x = layers.batchNorm('stem.bn', x, { activation: 'relu' });
    return layers.maxPool(x, { size: 3, stride: 2, padding: 1 });
  },
};

const stages = STAGES.map(({ channels, stride }, index): Stage => {
  const name = `stage${index + 1}`;
  return {
    name,
    run<T>(layers: Layers<T>, image: T): T {
      const x = block(layers, `${name}.block1`, image, channels, stride, index > 0);
      return block(layers, `${name}.block2`, x, channels, 1, false);
    },
  };
});

export function resnet18(): Backbone {
  return fromStages({
    title: 'ResNet-18',
    lastLayer: 'stage4',
    stages: [stem, ...stages],
    batchNormEpsilon: 1e-5,
    inputSize: null,
    normalisation: null,
  });
}
