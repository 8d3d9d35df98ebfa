/**
 * ResNet-18 (He et al. 2016, arXiv 1512.03385, table 1; torchvision's `resnet18`): 7x7 stem of stride 2, 3x3 max pool of
 * stride 2, four stages of 64 to 512 channels with two basic blocks each, 1x1 projections (option B). 11.2 million
 * weights, 512-d features, total stride 32. For pictures of 64 px and more.
 */
import type { Backbone } from './backbones.ts';
import type { Layers } from './layer-plan.ts';

const STAGES = [
  { channels: 64, stride: 1 },
  { channels: 128, stride: 2 },
  { channels: 256, stride: 2 },
  { channels: 512, stride: 2 },
] as const;

function block<T>(layers: Layers<T>, name: string, x: T, out: number, stride: number, project: boolean): T {
  let y = layers.convolution(`${name}.conv1`, x, { size: 3, out, stride, padding: 1 });
  y = layers.batchNorm(`${name}.bn1`, y, { relu: true });
  y = layers.convolution(`${name}.conv2`, y, { size: 3, out, stride: 1, padding: 1 });
  let residual = x;
  if (project) {
    residual = layers.convolution(`${name}.shortcut.conv`, x, { size: 1, out, stride, padding: 0 });
    residual = layers.batchNorm(`${name}.shortcut.bn`, residual, { relu: false });
  }
  return layers.batchNorm(`${name}.bn2`, y, { residual, relu: true });
}

export function resnet18(): Backbone {
  return {
    title: 'ResNet-18',
    lastLayer: 'stage4',
    features<T>(layers: Layers<T>, image: T): T {
      let x = layers.convolution('stem.conv', image, { size: 7, out: 64, stride: 2, padding: 3 });
      x = layers.batchNorm('stem.bn', x, { relu: true });
      x = layers.maxPool(x, { size: 3, stride: 2, padding: 1 });
      for (const [stage, { channels, stride }] of STAGES.entries()) {
        for (let index = 0; index < 2; index++) {
          const first = index === 0;
          const name = `stage${stage + 1}.block${index + 1}`;
          x = block(layers, name, x, channels, first ? stride : 1, first && stage > 0);
        }
      }
      return x;
    },
  };
}
