/**
 * What the sample data set holds: ten shapes on ten scenes, long-tailed. The five larger classes stand in front of every
 * scene, the five smaller ones in training only in front of one or two scenes of their own, so that a model which
 * re-samples them can learn the scene instead of the shape. In the test set every class stands in every scene.
 */
import { z } from 'zod';
import { Random } from '../../base/random.ts';
import { exponentialProfile } from '../long-tail.ts';
import { SCENE_NAMES, type SceneName } from './scenes.ts';
import { SHAPE_NAMES, type ShapeName } from './shapes.ts';

export const SampleSettings = z.strictObject({
  seed: z.int().min(0),
  /** Side of the pictures, pixels. */
  size: z.int().min(16).max(256).default(32),
  /** Training images of the largest class. */
  largest: z.int().min(10).max(100_000).default(1130),
  /** Largest over smallest class. */
  ratio: z.number().min(1).max(1000).default(100),
  /** Test images of each class in each scene. */
  testPerScene: z.int().min(1).max(1000).default(12),
});
export type SampleSettings = z.infer<typeof SampleSettings>;

/** Scenes of the tail classes in training, largest first; the other classes have all scenes. */
const TAIL_SCENES: readonly number[] = [2, 2, 2, 1, 1];
const HEAD_CLASSES = SHAPE_NAMES.length - TAIL_SCENES.length;

export interface SampleClass {
  name: ShapeName;
  /** Training images. */
  images: number;
  /** Scenes that the class is seen in while training. */
  scenes: readonly SceneName[];
}

export interface SamplePicture {
  /** Path inside the data set, `train/arrow/arrow-0001.png`. */
  file: string;
  class: ShapeName;
  scene: SceneName;
  split: 'train' | 'test';
  /** Whether the class stands in this scene in training; always true of a training picture. */
  seen: boolean;
}

export interface SamplePlan {
  classes: SampleClass[];
  /** The tail class that each bound scene belongs to. */
  bound: Partial<Record<SceneName, ShapeName>>;
  pictures: SamplePicture[];
}

/** Lay out the data set. Scenes are dealt to the tail classes by the seed; within a class they take turns. */
export function planSample(settings: SampleSettings): SamplePlan {
  const { seed, largest, ratio, testPerScene } = settings;
  const counts = exponentialProfile(largest, ratio, SHAPE_NAMES.length);
  const dealt = Random.stream(seed, 'sample/scenes').shuffle([...SCENE_NAMES]);
  const bound: SamplePlan['bound'] = {};
  const classes = SHAPE_NAMES.map((name, k): SampleClass => {
    const scenes = k < HEAD_CLASSES ? SCENE_NAMES : dealt.splice(0, TAIL_SCENES[k - HEAD_CLASSES]).toSorted();
    if (k >= HEAD_CLASSES) for (const scene of scenes) bound[scene] = name;
    return { name, images: Math.max(1, counts[k]), scenes };
  });
  const pictures: SamplePicture[] = [];
  for (const { name, images, scenes } of classes) {
    for (let i = 0; i < images; i++) {
      pictures.push({
        file: fileOf('train', name, i),
        class: name,
        scene: scenes[i % scenes.length],
        split: 'train',
        seen: true,
      });
    }
  }
  for (const { name, scenes } of classes) {
    for (let i = 0; i < SCENE_NAMES.length * testPerScene; i++) {
      const scene = SCENE_NAMES[i % SCENE_NAMES.length];
      pictures.push({ file: fileOf('test', name, i), class: name, scene, split: 'test', seen: scenes.includes(scene) });
    }
  }
  return { classes, bound, pictures };
}

function fileOf(split: 'train' | 'test', name: ShapeName, index: number): string {
  return `${split}/${name}/${name}-${String(index + 1).padStart(4, '0')}.png`;
}
