/**
 * The small ResNet of He et al. 2016 (arXiv 1512.03385, section 4.2): 3x3 stem, three stages of 16, 32 and 64 channels,
 * n basic blocks each, shortcuts without parameters (option A). n = 5 is ResNet-32: 463,504 weights, 64-d features.
 */
import { fromStages, type Backbone, type Stage } from './backbone.ts';
import type { Layers } from './layer-plan.ts';

const STAGES = [
  { channels: 16, stride: 1 },
  { channels: 32, stride: 2 },
  { channels: 64, stride: 2 },
] as const;

function block<T>(layers: Layers<T>, name: string, x: T, out: number, stride: number, widen: boolean): T {
  let y = layers.convolution(`${name}.conv1`, x, { size: 3, out, stride, padding: 1 });
  y = layers.batchNorm(`${name}.bn1`, y, { activation: 'relu' });
  y = layers.convolution(`${name}.conv2`, y, { size: 3, out, stride: 1, padding: 1 });
  const residual = widen ? layers.shortcutA(x, out, stride) : x;
  return layers.batchNorm(`${name}.bn2`, y, { residual, activation: 'relu' });
}

const stem: Stage = {
  name: 'stem',
  run<T>(layers: Layers<T>, image: T): T {
    const x = layers.convolution('stem.conv', image, { size: 3, out: 16, stride: 1, padding: 1 });
    return layers.batchNorm('stem.bn', x, { activation: 'relu' });
  },
};

/** @param blocks basic blocks a stage, 1 to 9 */
export function resnetCifar(blocks: number): Backbone {
  const stages = STAGES.map(({ channels, stride }, stage): Stage => {
    const name = `stage${stage + 1}`;
    return {
      name,
      run<T>(layers: Layers<T>, image: T): T {
        let x = image;
        for (let index = 0; index < blocks; index++) {
          const first = index === 0;
          x = block(layers, `${name}.block${index + 1}`, x, channels, first ? stride : 1, first && stage > 0);
        }
        return x;
      },
    };
  });
  return fromStages({
    title: `ResNet-${6 * blocks + 2} (CIFAR form)`,
    lastLayer: 'stage3',
    stages: [stem, ...stages],
    batchNormEpsilon: 1e-5,
    inputSize: null,
    normalisation: null,
  });
}
