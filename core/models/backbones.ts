/** The backbones there are, and how many numbers each has; knows nothing of TensorFlow. */
import { sizeOf } from '../base/safetensors.ts';
import type { ModelConfig, Tuning } from '../training/config.ts';
import type { Backbone } from './backbone.ts';
import { efficientNetLite } from './efficientnet-lite.ts';
import { LayerPlan } from './layer-plan.ts';
import { MapPlan, type MapShape } from './map-plan.ts';
import type { ParameterSpec } from './parameters.ts';
import { resnetCifar } from './resnet-cifar.ts';
import { resnet18 } from './resnet18.ts';

export type { Backbone, Stage } from './backbone.ts';

/** The backbone of a configuration; a new one is a file and a line here. */
export function backboneOf(config: ModelConfig): Backbone {
  switch (config.kind) {
    case 'resnet-cifar':
      return resnetCifar(config.blocks);
    case 'resnet18':
      return resnet18();
    case 'efficientnet-lite0':
    case 'efficientnet-lite2':
      return efficientNetLite(config.kind);
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
  /** Numbers of the trunk that are trained. */
  tuned: number;
}

/** @param trained stages, counted from the last one */
export function networkSizes(config: ModelConfig, classes: number, trained: Tuning['stages'] = 'all'): NetworkSizes {
  const { title, stages } = backboneOf(config);
  const plan = new LayerPlan();
  const kept = trained === 'all' ? 0 : Math.max(0, stages.length - trained);
  const before = stages.slice(0, kept).reduce((channels, stage) => stage.run(plan, channels), 3);
  const frozen = count(plan.weights);
  const features = stages.slice(kept).reduce((channels, stage) => stage.run(plan, channels), before);
  const head = (features + 1) * classes;
  const trunk = count(plan.weights) + head;
  return { title, trunk, balanced: head, statistics: count(plan.statistics), tuned: trunk - frozen };
}

/** The map that the last stage begins with, of a picture of `size` pixels on a side. */
export function mapBeforeLast(config: ModelConfig, size: number): MapShape {
  const plan = new MapPlan();
  const image: MapShape = { height: size, width: size, channels: 3 };
  return backboneOf(config)
    .stages.slice(0, -1)
    .reduce((map, stage) => stage.run(plan, map), image);
}

function count(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
