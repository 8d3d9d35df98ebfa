/** What a run is asked for, and what that comes to on a project's data, before anything is started. */
import { UserError } from '../base/errors.ts';
import { canonicalJson, type Json } from '../base/json.ts';
import type { DatasetSnapshot } from '../data/snapshot.ts';
import { hasBfloat16 } from '../engine/bfloat16.ts';
import { resolveThreads } from '../engine/fingerprint.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import { StartingWeights, type MethodName, type TrainConfig } from '../training/config.ts';
import { findPack } from '../models/backbone-pack.ts';
import { backboneOf } from '../models/backbones.ts';
import {
  applySmallSetRules,
  candidateConfig,
  medianSide,
  PRESET_SETTINGS,
  proposeInputSize,
  sizeCost,
  type PresetName,
  type SmallSetRule,
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
  /** Settings that were changed because the set is small, or do not count. */
  rules: SmallSetRule[];
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
  /** Images of val beside test, which a run answers once, at its end: for what is chosen after training. */
  besideTest: number;
  /** Classes with usable images. */
  classes: number;
  /** Training images of the class in the middle, of those that have any. */
  medianClass: number;
  /** Shorter side of the training image in the middle, pixels. */
  medianSide: number;
  proposedInputSize: number;
}

/** Up to so many training images the preset for small sets is proposed. */
const SMALL_SET = 5000;
/** From this shorter side on pictures are photographs, which pretrained weights are for. */
const PHOTOGRAPH = 128;
/** Images a class up to which a preset for photographs is proposed: half-way between 20, 200 and 2,000 by ratio. */
const MOST_A_CLASS = { 'photos-20': 63, 'photos-200': 632 } as const;

/** The preset to begin with. */
export function proposePreset({
  trainImages,
  medianClass,
  medianSide: side,
}: Pick<TrainingFacts, 'trainImages' | 'medianClass' | 'medianSide'>): PresetName {
  if (side < PHOTOGRAPH) return trainImages <= SMALL_SET ? 'small' : 'quick';
  if (medianClass <= MOST_A_CLASS['photos-20']) return 'photos-20';
  return medianClass <= MOST_A_CLASS['photos-200'] ? 'photos-200' : 'photos-2000';
}

/** Facts of a frozen data set. */
export function factsOf({ images, classes, evaluation }: DatasetSnapshot): TrainingFacts {
  const train = images.filter(({ split }) => split === 'train');
  const sides = train.map(({ width, height }) => ({ side: Math.min(width, height), count: 1 }));
  const sizes = [...Map.groupBy(train, ({ label }) => label).values()].map(({ length }) => length);
  return {
    trainImages: train.length,
    evaluation: evaluation && {
      split: evaluation.split,
      images: images.filter(({ split }) => split === evaluation.split).length,
    },
    besideTest: evaluation?.split === 'test' ? images.filter(({ split }) => split === 'val').length : 0,
    classes: classes.length,
    medianClass: median(sizes),
    medianSide: medianSide(sides),
    proposedInputSize: proposeInputSize(sides),
  };
}

/** The upper one in the middle; 0 without any. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The same of the view in force, by counting in the database: fast however many images there are. */
export function trainingFacts(store: ProjectStore): TrainingFacts {
  const classes = new Map<number, number>();
  const splits = { train: 0, val: 0, test: 0 };
  for (const { classId, split, excluded, state, count } of store.images.counts()) {
    if (state !== 'ok' || excluded || count === 0) continue;
    const inSplit = split ?? 'train';
    splits[inSplit] += count;
    classes.set(classId, (classes.get(classId) ?? 0) + (inSplit === 'train' ? count : 0));
  }
  const sides = store.images.trainSides();
  // As `evaluationSplit` chooses.
  const split = splits.test > 0 ? 'test' : 'val';
  return {
    trainImages: splits.train,
    evaluation: splits[split] > 0 ? { split, images: splits[split] } : null,
    besideTest: split === 'test' ? splits.val : 0,
    classes: classes.size,
    medianClass: median([...classes.values()].filter((count) => count > 0)),
    medianSide: medianSide(sides),
    proposedInputSize: proposeInputSize(sides),
  };
}

/**
 * Work out a run's configuration.
 * @throws UserError 'usage' for a setting out of range, 'empty' without training images, 'not-found' for a backbone whose
 *   weights are not here
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
  if (!('plan' in planned)) throw new UserError('usage', planned.issues[0].message);
  const missing = missingBackbone(planned.plan);
  if (missing !== null) {
    throw new UserError(
      'not-found',
      `The backbone ${missing} is not here: get it with \`contexture backbone get ${missing}\`, or choose another preset, such as --preset small.`,
    );
  }
  return planned.plan;
}

/** Name of the backbone that a run would begin with and that is not here; null where nothing is missing. */
export function missingBackbone({ config: { weights } }: RunPlan): string | null {
  return weights !== null && weights.hash === null ? weights.name : null;
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

function presetWeights(preset: PresetName): { name: string } | null {
  const { pretrained } = PRESET_SETTINGS[preset];
  return pretrained && { name: pretrained.backbone };
}

function tryPlan(
  { trainImages, proposedInputSize }: TrainingFacts,
  { method, preset, overrides = {} }: RunRequest,
): { plan: RunPlan } | { issues: SettingIssue[] } {
  const precision = overrides.precision ?? (hasBfloat16() ? 'bfloat16' : 'float32');
  const weights = overrides.weights === undefined ? presetWeights(preset) : overrides.weights;
  const pack = findPack(StartingWeights.shape.name.safeParse(weights?.name).data);
  const started = pack && {
    model: overrides.model ?? pack.model,
    weights: { ...weights, name: pack.name, hash: pack.hash, normalisation: pack.normalisation },
  };
  const candidate = candidateConfig(method, preset, proposedInputSize, { ...overrides, ...started, precision });
  const checked = checkConfig(candidate);
  if (!('config' in checked)) return checked;
  if (pack && canonicalJson(checked.config.model) !== canonicalJson(pack.model)) {
    const message = `The backbone ${pack.name} is ${backboneOf(pack.model).title}: leave the network to it, or choose no backbone.`;
    return { issues: [{ setting: 'model.kind', message }] };
  }
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
      rules,
      proposedInputSize,
      cost: sizeCost(config.inputSize),
      trainImages,
      stepsPerEpoch: stepsPerEpoch(config, trainImages),
    },
  };
}
