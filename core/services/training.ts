/** Training as the page asks for it: several methods and seeds at once, settings unchecked until they are planned. */
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { asJson, canonicalJson, type Json } from '../base/json.ts';
import type { Progress } from '../base/progress.ts';
import { hasBfloat16 } from '../engine/bfloat16.ts';
import { readEngineInstall } from '../engine/install.ts';
import type { RunJob } from '../jobs/protocol.ts';
import type { Project } from '../storage/project.ts';
import type { ProjectStore } from '../storage/project-store.ts';
import type { Run } from '../storage/records.ts';
import { METHODS, TrainConfig, type MethodName } from '../training/config.ts';
import { METHODS_BY_NAME } from '../training/methods/index.ts';
import {
  candidateConfig,
  PRESET_SETTINGS,
  PRESETS,
  type PresetName,
  type TrainOverrides,
} from '../training/presets.ts';
import type { SettingIssue } from '../training/setting-issues.ts';
import type { TrialResult, TrialSpec } from '../training/trial-job.ts';
import { UNEDITED_BANK } from '../training/warnings.ts';
import { listBackbones } from './backbones.ts';
import { trainingJobEnvironment } from './job-environment.ts';
import { freezeData, queueRun } from './runs.ts';
import { groupThresholds } from './stats.ts';
import { checkData, checkPlans, type TrainingCheck } from './training-checks.ts';
import { trainCommand } from './training-command.ts';
import { estimateRun, keepTrial, type TrainingEstimate } from './training-estimate.ts';
import { planSettings, proposePreset, trainingFacts, type RunPlan } from './training-plan.ts';

/** Runs that are asked for: one for each method and seed. */
export interface TrainingRequest {
  preset: PresetName;
  methods: readonly MethodName[];
  seeds: readonly number[];
  /** Settings that differ from the preset's, unchecked. */
  settings: Readonly<Record<string, Json>>;
  name?: string | undefined;
}

export interface SettingRange {
  /** Path such as "lambda.min". */
  setting: string;
  minimum: number | null;
  maximum: number | null;
  whole: boolean;
  choices: string[] | null;
}

/** What a person chooses from, and what of the data matters for it. */
export async function trainingSetup(store: ProjectStore) {
  const facts = trainingFacts(store);
  const proposed = proposePreset(facts);
  const accepted = store.contexts.countByClass().filter(({ state, count }) => state === 'accepted' && count > 0);
  return {
    presets: PRESETS.map((name) => {
      const { title, summary, epochs, batchSize, pretrained } = PRESET_SETTINGS[name];
      const backbone = pretrained?.backbone ?? null;
      return { name, title, summary, epochs, batchSize, backbone, proposed: name === proposed };
    }),
    backbones: (await listBackbones())
      .filter(({ state }) => state !== 'damaged')
      .map(({ name, title, state }) => ({ name, title, here: state === 'here' })),
    methods: METHODS.map((name) => {
      const { title, summary } = METHODS_BY_NAME[name];
      return { name, title, summary };
    }),
    ranges: settingRanges(),
    ...facts,
    bank: {
      contexts: accepted.reduce((sum, { count }) => sum + count, 0),
      classes: new Set(accepted.map(({ classId }) => classId)).size,
      backgrounds: store.backgrounds.counts().held,
    },
    bfloat16: hasBfloat16(),
  };
}

export interface TrainingPlan {
  issues: SettingIssue[];
  /** Of the first run; null where something is wrong. */
  config: TrainConfig | null;
  /** Of the first run without any own setting. */
  defaults: TrainConfig;
  stepsPerEpoch: number | null;
  cost: number | null;
  notes: string[];
  /** One for each method. */
  estimates: TrainingEstimate[];
  checks: TrainingCheck[];
  commands: string[];
}

/** What these runs would be and cost; starts nothing. */
export function planTraining(project: Project, request: TrainingRequest): TrainingPlan {
  const { store, file } = project;
  const facts = trainingFacts(store);
  const [method] = request.methods;
  const { preset, methods, seeds, name } = request;
  const settings = withGroups(store, request.settings);
  const planned = methods.map((each) => planSettings(facts, { method: each, preset, settings }));
  const bare = planSettings(facts, { method, preset, settings: withGroups(store, {}) });
  if (!('plan' in bare)) throw new Error(`the preset ${preset} is not valid: ${bare.issues[0].message}`);
  const plans = planned.flatMap((one) => ('plan' in one ? [one.plan] : []));
  const broken = planned.find(({ issues }) => issues.length > 0);
  const estimates = broken ? [] : plans.map((plan) => estimateRun(store, facts, plan, deviceHere()));
  const checks = checkData(store, facts);
  const first = broken ? undefined : plans[0];
  return {
    issues: broken?.issues ?? [],
    config: first?.config ?? null,
    defaults: bare.plan.config,
    stepsPerEpoch: first?.stepsPerEpoch ?? null,
    cost: first?.cost ?? null,
    notes: [...new Set(plans.flatMap(({ rules }) => rules.map(({ message }) => message)))],
    estimates,
    checks: broken ? checks : [...checks, ...checkPlans(project, plans, estimates)],
    commands: seeds.flatMap((seed) =>
      methods.map((each) => trainCommand({ method: each, preset, seed, name, settings: request.settings, file })),
    ),
  };
}

/** A run that has been made, and the command line that does the same. */
export interface QueuedRun {
  run: Run;
  command: string;
}

/**
 * Make runs, seed by seed, so that those to be compared follow each other. All or none.
 * @throws UserError as `queueRun`
 */
export function queueRuns(project: Project, request: TrainingRequest): QueuedRun[] {
  const { preset, methods, seeds, name } = request;
  const settings = withGroups(project.store, request.settings);
  const facts = trainingFacts(project.store);
  // Before anything is made: a sentence for what is wrong with a setting.
  for (const method of methods) requirePlan(planSettings(facts, { method, preset, settings }));
  const data = freezeData(project);
  return project.store.transaction(() =>
    seeds.flatMap((seed) =>
      methods.map((method): QueuedRun => {
        // Checked above.
        const overrides: TrainOverrides = { ...settings, seed };
        const shown = name === undefined ? {} : { name: runName(name, method, seed, request) };
        return {
          run: queueRun(project, { method, preset, overrides, ...shown }, data),
          command: trainCommand({ method, preset, seed, name, settings: request.settings, file: project.file }),
        };
      }),
    ),
  );
}

/**
 * What settings from outside come to, before anything is made with them.
 * @returns the configuration, and the settings with what the project adds to them
 * @throws UserError as `planRun`
 */
export function checkedSettings(
  store: ProjectStore,
  { method, preset, settings }: { method: MethodName; preset: PresetName; settings: Readonly<Record<string, Json>> },
): { config: TrainConfig; overrides: TrainOverrides } {
  const overrides = withGroups(store, settings);
  const { config } = requirePlan(planSettings(trainingFacts(store), { method, preset, settings: overrides }));
  return { config, overrides };
}

/** How long a trial measures each method, seconds. */
const TRIAL_SECONDS = 4;

/**
 * Measure some steps of these methods, for the estimates to come.
 * @throws UserError 'usage' for a setting out of range, 'empty' without training images, 'engine', 'cancelled'
 */
export async function tryTraining(
  project: Project,
  request: TrainingRequest,
  runJob: RunJob,
  running: { onEvent: (event: Progress) => void; signal: AbortSignal },
): Promise<TrialResult> {
  const { store, blobs, cacheFolder } = project;
  const facts = trainingFacts(store);
  if (facts.trainImages === 0) {
    throw new UserError('empty', 'There is nothing to measure with: the data set has no training images.');
  }
  const settings = withGroups(store, request.settings);
  // The cheapest first: the memory of a process is that of the most expensive method so far.
  const methods = METHODS.filter((method) => request.methods.includes(method));
  const configs = methods.map(
    (method) => requirePlan(planSettings(facts, { method, preset: request.preset, settings })).config,
  );
  const spec: TrialSpec = {
    configs,
    snapshotBlob: freezeData(project).blob,
    blobFolder: blobs.folder,
    cacheFolder,
    seconds: TRIAL_SECONDS,
  };
  const result = await runJob<TrialSpec, Progress, TrialResult>('trial', spec, {
    ...running,
    // The last has two streams if any has.
    env: trainingJobEnvironment(configs.at(-1)!),
  });
  keepTrial(store, configs, facts.trainImages, result);
  return result;
}

/**
 * What to ask for to get a run like this one: the preset that it differs from in the fewest settings, and those.
 * @throws UserError 'usage' for a run that a study trained on the bank without edits, forgotten since or not
 */
export function requestOf(store: ProjectStore, run: Run): TrainingRequest {
  const study = store.studies.ofRun(run.id);
  const unedited = store.runs.warnings(run.id).some(({ name }) => name === UNEDITED_BANK.name);
  if (unedited || study?.runs.find(({ runId }) => runId === run.id)?.arm === 'without') {
    const made = study ? `for study ${study.id} ` : '';
    const instead = study ? 'add seeds to the study' : 'ask anew whether your edits help';
    throw new UserError(
      'usage',
      `Run ${run.id} was trained ${made}on the bank without your edits, and a new run would have the bank with them: ${instead} instead.`,
    );
  }
  const config = TrainConfig.parse(run.config);
  const size = trainingFacts(store).proposedInputSize;
  const usual = { groups: groupThresholds(store), precision: hasBfloat16() ? 'bfloat16' : 'float32' } as const;
  const candidates = PRESETS.map((preset) => ({ preset, settings: differences(config, preset, size, usual) }));
  const { preset, settings } = candidates.reduce((best, next) =>
    Object.keys(next.settings).length < Object.keys(best.settings).length ? next : best,
  );
  return { preset, methods: [config.method], seeds: [config.seed], settings };
}

/** Settings that are nobody's choice, or are asked for apart. */
const NO_SETTINGS = ['method', 'seed', 'threads'];

/** Settings that others follow from. */
const LEADING = ['inputSize', 'epochs', 'batchSize'] as const;

/** What of `config` has to be set beside a preset. */
function differences(
  config: TrainConfig,
  preset: PresetName,
  size: number,
  usual: TrainOverrides,
): Readonly<Record<string, Json>> {
  const { model, inputSize, epochs, batchSize } = config;
  // A backbone is asked for by its name; its network, and much else, follows.
  const weights = config.weights && { name: config.weights.name };
  const begun: TrainOverrides = { ...usual, weights, ...(weights ? { model } : {}) };
  const settingsOf = (overrides: TrainOverrides): Map<string, unknown> =>
    new Map(Object.entries(candidateConfig(config.method, preset, size, overrides)));
  const [bare, leading, led] = [usual, begun, { ...begun, inputSize, epochs, batchSize }].map(settingsOf);
  const own = Object.entries({ ...config, weights }).filter(([name, value]) => {
    const follows = LEADING.some((one) => one === name) ? leading : led;
    const expected = name === 'weights' ? bare : follows;
    return !NO_SETTINGS.includes(name) && canonicalJson(value) !== canonicalJson(expected.get(name));
  });
  return Object.fromEntries(
    own.map(([name, value]) => [name, typeof value === 'object' && value !== null ? asJson(value) : value]),
  );
}

function withGroups(store: ProjectStore, settings: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  return { groups: asJson(groupThresholds(store)), ...settings };
}

function requirePlan(planned: ReturnType<typeof planSettings>): RunPlan {
  if ('plan' in planned) return planned.plan;
  throw new UserError('usage', planned.issues[0].message);
}

/** A name of a person's own for several runs says which one each is. */
function runName(name: string, method: MethodName, seed: number, { methods, seeds }: TrainingRequest): string {
  const parts = [name];
  if (methods.length > 1) parts.push(METHODS_BY_NAME[method].title);
  if (seeds.length > 1) parts.push(`seed ${seed}`);
  return parts.join(', ');
}

/** What runs compute on here, as far as can be said without starting the engine. */
function deviceHere(): 'cpu' | 'gpu' {
  try {
    return readEngineInstall().pack;
  } catch {
    return 'cpu';
  }
}

const JsonRange = z.looseObject({
  type: z.string().optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  enum: z.array(z.string()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  prefixItems: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
});

/** The ranges of all settings, from the schema that they are checked by. */
export function settingRanges(): SettingRange[] {
  const ranges = (schema: unknown, setting: string): SettingRange[] => {
    const { type, minimum, exclusiveMinimum, maximum, properties, oneOf, ...rest } = JsonRange.parse(schema);
    const inside = (name: string): string => (setting === '' ? name : `${setting}.${name}`);
    if (properties) return Object.entries(properties).flatMap(([name, value]) => ranges(value, inside(name)));
    if (rest.prefixItems) return rest.prefixItems.flatMap((item, index) => ranges(item, inside(String(index))));
    if (oneOf) {
      const found = oneOf
        .flatMap((option) => ranges(option, setting))
        .filter(({ setting: path }) => path !== 'model.kind');
      const kinds = TrainConfig.shape.model.options.map(({ shape }) => shape.kind.value);
      return [{ setting: 'model.kind', minimum: null, maximum: null, whole: false, choices: kinds }, ...found];
    }
    if (rest.anyOf) {
      // A setting of several types, or one that may be null.
      const found = rest.anyOf.flatMap((option) => ranges(option, setting));
      const [inner, outer] = [true, false].map((is) => found.filter((range) => (range.setting !== setting) === is));
      if (inner.length > 0) return inner;
      const choices = rest.anyOf.flatMap((option) => JsonRange.parse(option).const ?? []);
      return [{ ...outer[0], choices: choices.length > 0 ? choices.map(String) : outer[0].choices }];
    }
    const largest = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? null : maximum;
    return [
      {
        setting,
        minimum: minimum ?? exclusiveMinimum ?? null,
        maximum: largest,
        whole: type === 'integer',
        choices: rest.enum ?? null,
      },
    ];
  };
  return ranges(z.toJSONSchema(TrainConfig), '');
}
