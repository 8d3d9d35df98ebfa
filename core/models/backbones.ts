/** The backbones there are, and how many numbers each has; knows nothing of TensorFlow. */
import { sizeOf } from '../base/safetensors.ts';
import type { ModelConfig } from '../training/config.ts';
import { LayerPlan, type Layers } from './layer-plan.ts';
import type { ParameterSpec } from './parameters.ts';
import { resnetCifar } from './resnet-cifar.ts';
import { resnet18 } from './resnet18.ts';

/** A network without its heads. */
export interface Backbone {
  /** Name for people. */
  readonly title: string;
  /** The layer that saliency is taken from, for the record. */
  readonly lastLayer: string;
  /** image [N, S, S, 3] -> last feature map [N, h, w, C], after its ReLU. */
  features<T>(layers: Layers<T>, image: T): T;
}

/** The backbone of a configuration; a new one is a file and a line here. */
export function backboneOf(config: ModelConfig): Backbone {
  switch (config.kind) {
    case 'resnet-cifar':
      return resnetCifar(config.blocks);
    case 'resnet18':
      return resnet18();
  }
}

/** Sizes of a network's flat vectors, as `Network` lays them out. */
export interface NetworkSizes {
  /** Name for people. */
  title: string;
  /** Backbone and uniform head. */
  trunk: number;
  /** Balanced head. */
  balanced: number;
  /** Running mean and variance of each batch norm. */
  statistics: number;
}

export function networkSizes(config: ModelConfig, classes: number): NetworkSizes {
  const backbone = backboneOf(config);
  const plan = new LayerPlan();
  const head = (backbone.features(plan, 3) + 1) * classes;
  return {
    title: backbone.title,
    trunk: count(plan.weights) + head,
    balanced: head,
    statistics: count(plan.statistics),
  };
}

function count(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
