/** What a run is asked for, and what that comes to on a project's data, before anything is started. */
import { UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { DatasetSnapshot } from '../data/snapshot.ts';
import { hasBfloat16 } from '../engine/bfloat16.ts';
import { resolveThreads } from '../engine/fingerprint.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { MethodName, TrainConfig } from '../training/config.ts';
import {
  applySmallSetRules,
  candidateConfig,
  proposeFromSides,
  sizeCost,
  type PresetName,
  type TrainOverrides,
} from '../training/presets.ts';
import { stepsPerEpoch } from '../training/schedule.ts';
import { checkConfig, type SettingIssue } from '../training/setting-issues.ts';

/** What a run is asked for. */
export interface RunRequest {
  method: MethodName;
  preset: PresetName;
  /** Settings that differ from the preset's. */
  overrides?: TrainOverrides;
  /** Shown name; made from method and seed when absent. */
  name?: string;
  /** Seconds between checkpoints. */
  checkpointSeconds?: number;
}

/** What a request comes to. */
export interface RunPlan {
  config: TrainConfig;
  /** Sentences about settings that were changed because the set is small. */
  rules: string[];
  /** Input size that fits the pictures, and how much more a step costs at the chosen size than at 32 pixels. */
  proposedInputSize: number;
  cost: number;
  trainImages: number;
  stepsPerEpoch: number;
}

/** What of the data a plan depends on. */
export interface TrainingFacts {
  trainImages: number;
  /** The split that a run is judged on; null without any. */
  evaluation: { split: 'val' | 'test'; images: number } | null;
  /** Classes with usable images. */
  classes: number;
  proposedInputSize: number;
}

/** Up to so many training images the preset for small sets is proposed. */
const SMALL_SET = 5000;

/** The preset to begin with. */
export function proposePreset(trainImages: number): PresetName {
  return trainImages <= SMALL_SET ? 'small' : 'quick';
}

/** Facts of a frozen data set. */
export function factsOf({ images, classes, evaluation }: DatasetSnapshot): TrainingFacts {
  const train = images.filter(({ split }) => split === 'train');
  return {
    trainImages: train.length,
    evaluation: evaluation && {
      split: evaluation.split,
      images: images.filter(({ split }) => split === evaluation.split).length,
    },
    classes: classes.length,
    proposedInputSize: proposeFromSides(
      train.map(({ width, height }) => ({ side: Math.min(width, height), count: 1 })),
    ),
  };
}

/** The same of the view in force, by counting in the database: fast however many images there are. */
export function trainingFacts(store: ProjectStore): TrainingFacts {
  const classes = new Set<number>();
  const splits = { train: 0, val: 0, test: 0 };
  for (const { classId, split, excluded, state, count } of store.images.counts()) {
    if (state !== 'ok' || excluded || count === 0) continue;
    classes.add(classId);
    splits[split ?? 'train'] += count;
  }
  // As `evaluationSplit` chooses.
  const split = splits.test > 0 ? 'test' : 'val';
  return {
    trainImages: splits.train,
    evaluation: splits[split] > 0 ? { split, images: splits[split] } : null,
    classes: classes.size,
    proposedInputSize: proposeFromSides(store.images.trainSides()),
  };
}

/**
 * Work out a run's configuration.
 * @throws UserError 'usage' for a setting out of range, 'empty' without training images
 */
export function planRun(data: DatasetSnapshot | TrainingFacts, request: RunRequest): RunPlan {
  const facts = 'images' in data ? factsOf(data) : data;
  if (facts.trainImages === 0) {
    throw new UserError(
      'empty',
      'The data set has no training images. Import some, or undo the edit that took them out.',
    );
  }
  const planned = tryPlan(facts, request);
  if ('plan' in planned) return planned.plan;
  throw new UserError('usage', planned.issues[0].message);
}

/**
 * The same for settings from outside: what is wrong with them is told, not thrown.
 * @param settings by name, unchecked; as `TrainOverrides` where they are right
 */
export function planSettings(
  facts: TrainingFacts,
  { method, preset, settings }: { method: MethodName; preset: PresetName; settings: Readonly<Record<string, Json>> },
): { plan: RunPlan; issues: [] } | { issues: SettingIssue[] } {
  const apart = ['method', 'seed'].filter((name) => Object.hasOwn(settings, name));
  if (apart.length > 0) {
    return {
      issues: apart.map((setting) => ({
        setting,
        message: `${setting} is asked for beside the settings, not in them.`,
      })),
    };
  }
  // Every value is checked against the schema of settings, which knows no others.
  const planned = tryPlan(facts, { method, preset, overrides: settings });
  if ('plan' in planned) return { ...planned, issues: [] };
  // A wrong number of epochs makes the schedule that follows from it wrong too; only the former can be mended.
  const given = planned.issues.filter(({ setting }) => Object.hasOwn(settings, setting.split('.')[0]));
  return { issues: given.length > 0 ? given : planned.issues };
}

function tryPlan(
  { trainImages, proposedInputSize }: TrainingFacts,
  { method, preset, overrides = {} }: RunRequest,
): { plan: RunPlan } | { issues: SettingIssue[] } {
  const precision = overrides.precision ?? (hasBfloat16() ? 'bfloat16' : 'float32');
  const checked = checkConfig(candidateConfig(method, preset, proposedInputSize, { ...overrides, precision }));
  if (!('config' in checked)) return checked;
  if (precision === 'bfloat16' && !hasBfloat16()) {
    const message =
      'Neither this processor (AVX512_BF16, AMX_BF16) nor a GPU in use (compute capability 8.0) has bfloat16; it would be emulated, many times slower: choose precision float32.';
    return { issues: [{ setting: 'precision', message }] };
  }
  const threads = resolveThreads(checked.config.threads);
  const { config, rules } = applySmallSetRules({ ...checked.config, threads }, trainImages);
  return {
    plan: {
      config,
      rules: rules.map(({ message }) => message),
      proposedInputSize,
      cost: sizeCost(config.inputSize),
      trainImages,
      stepsPerEpoch: stepsPerEpoch(config, trainImages),
    },
  };
}
