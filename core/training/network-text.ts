/** What network a run trains, and what of it, as people read it. */
import { backboneOf } from '../models/backbones.ts';
import type { TrainConfig } from './config.ts';

/** As in "EfficientNet-Lite0 with the weights efficientnet-lite0". */
export function networkText({ model, weights }: Pick<TrainConfig, 'model' | 'weights'>): string {
  const { title } = backboneOf(model);
  const form =
    model.kind === 'resnet-cifar'
      ? `${title}, ${model.blocks} ${model.blocks === 1 ? 'block' : 'blocks'} a stage`
      : title;
  return weights === null ? `${form}, from scratch` : `${form} with the weights ${weights.name}`;
}

/** As in "the last 3 of 9 stages and the heads, the backbone at 0.1 of the rate, batch-norm statistics frozen". */
export function tuningText({ model, tune }: Pick<TrainConfig, 'model' | 'tune'>): string {
  const { length } = backboneOf(model).stages;
  if (tune.stages === 0) return 'the heads alone, on features of the frozen backbone';
  const parts = [tune.stages === 'all' ? 'everything' : `the last ${tune.stages} of ${length} stages and the heads`];
  if (tune.rate !== 1) parts.push(`the backbone at ${tune.rate} of the rate`);
  if (tune.batchNorm === 'frozen') parts.push('batch-norm statistics frozen');
  return parts.join(', ');
}
