/**
 * Figures of the sample data set, where the scene behind each test picture is known: how well a model does in scenes that
 * a class was never seen in, and how far it goes by the scene alone.
 */
import { weightedMean, wilson, type Estimate } from './intervals.ts';

export interface SceneFigures {
  /** Mean recall over classes, in pictures whose scene the class had in training, and in the others. */
  seen: Estimate | null;
  unseen: Estimate | null;
  /** The same over the classes that have both kinds of pictures, so that the two can be compared. */
  bothSeen: Estimate | null;
  bothUnseen: Estimate | null;
}

/**
 * @param predictions class index of each test picture, as `labels`
 * @param seen whether the picture's class stood in its scene in training
 */
export function sceneFigures(
  predictions: Int32Array,
  labels: Int32Array,
  seen: readonly boolean[],
  classes: number,
): SceneFigures {
  if (predictions.length !== labels.length || seen.length !== labels.length) {
    throw new RangeError(`${predictions.length} predictions and ${seen.length} scenes for ${labels.length} labels`);
  }
  const recall = (label: number, wanted: boolean): Estimate | null => {
    let images = 0;
    let hits = 0;
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] !== label || seen[i] !== wanted) continue;
      images++;
      if (predictions[i] === label) hits++;
    }
    return wilson(hits, images);
  };
  const recalls = Array.from({ length: classes }, (_, label) => ({
    seen: recall(label, true),
    unseen: recall(label, false),
  }));
  const both = recalls.filter((pair) => pair.seen !== null && pair.unseen !== null);
  return {
    seen: weightedMean(recalls.map((pair) => pair.seen)),
    unseen: weightedMean(recalls.map((pair) => pair.unseen)),
    bothSeen: weightedMean(both.map((pair) => pair.seen)),
    bothUnseen: weightedMean(both.map((pair) => pair.unseen)),
  };
}

/** Each a mean over the bound classes: those trained in front of scenes of their own alone. */
export interface FalseLink {
  /** Share of the bare backgrounds of a class's own scenes that are named as the class: 1 for a model that sees only those. */
  bound: Estimate | null;
  /** Share of all other bare backgrounds that are named as the class. */
  elsewhere: Estimate | null;
}

/**
 * @param predictions class index named for each bare background
 * @param scenes the scene that each background is of
 * @param boundClass the index of the class that a scene belongs to, for the scenes that belong to one
 */
export function falseLink(
  predictions: Int32Array,
  scenes: readonly string[],
  boundClass: ReadonlyMap<string, number>,
): FalseLink {
  if (predictions.length !== scenes.length) {
    throw new RangeError(`${predictions.length} predictions for ${scenes.length} scenes`);
  }
  const share = (label: number, own: boolean): Estimate | null => {
    const named = predictions.filter((_, i) => (boundClass.get(scenes[i]) === label) === own);
    return wilson(named.filter((prediction) => prediction === label).length, named.length);
  };
  const labels = [...new Set(boundClass.values())];
  return {
    bound: weightedMean(labels.map((label) => share(label, true))),
    elsewhere: weightedMean(labels.map((label) => share(label, false))),
  };
}
