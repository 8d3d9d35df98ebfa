/** What a backbone is, and how one is put together from its stages; knows nothing of TensorFlow. */
import type { Normalisation } from '../training/preprocessing.ts';
import type { Layers } from './layer-plan.ts';

/** A part of a backbone that is trained or frozen as a whole. */
export interface Stage {
  readonly name: string;
  /** [N, h, w, C] -> [N, h', w', C']. The parameters of a stage lie together in the flat trunk vector, stages in order. */
  run<T>(layers: Layers<T>, x: T): T;
}

/** A network without its heads. */
export interface Backbone {
  /** Name for people. */
  readonly title: string;
  /** The layer that saliency is taken from, for the record. */
  readonly lastLayer: string;
  /** From the image to the last feature map, after its activation. */
  readonly stages: readonly Stage[];
  /** Added to the variance in batch normalisation. */
  readonly batchNormEpsilon: number;
  /** Side of the pictures that its published weights were trained on, pixels; null: there are none. */
  readonly inputSize: number | null;
  /** How its published weights expect pixels; null: by input size. */
  readonly normalisation: Normalisation | null;
  /** image [N, S, S, 3] -> last feature map [N, h, w, C], after its activation. */
  features<T>(layers: Layers<T>, image: T): T;
}

/** A backbone whose features are what its stages make, one after the other. */
export function fromStages(parts: Omit<Backbone, 'features'>): Backbone {
  return {
    ...parts,
    features: <T>(layers: Layers<T>, image: T) => parts.stages.reduce((x, stage) => stage.run(layers, x), image),
  };
}
