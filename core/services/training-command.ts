/** The command line that starts a run with the same settings. */
import { commandLine } from '../base/command-line.ts';
import type { Json } from '../base/json.ts';
import type { MethodName } from '../training/config.ts';
import type { PresetName } from '../training/presets.ts';

/** Options that stand for one setting each. */
const OPTIONS: Readonly<Record<string, string>> = {
  epochs: '--epochs',
  batchSize: '--batch-size',
  learningRate: '--learning-rate',
  momentum: '--momentum',
  weightDecay: '--weight-decay',
  warmupEpochs: '--warmup-epochs',
  dropEpochs: '--drop-epochs',
  startBalanced: '--start-balanced',
  minSteps: '--min-steps',
  evaluateEvery: '--evaluate-every',
  inputSize: '--input-size',
  'weights.name': '--backbone',
  'tune.rate': '--backbone-rate',
  'tune.batchNorm': '--batch-norm',
  'model.kind': '--model',
  'model.blocks': '--blocks',
  'augment.crop': '--crop',
  'augment.leastArea': '--least-area',
  'augment.jitter': '--jitter',
  'augment.pad': '--pad',
  delta: '--delta',
  bankSize: '--bank-size',
  contextClasses: '--contexts',
  'lambda.per': '--lambda-per',
  mask: '--mask',
  curatedShare: '--curated',
  curatedUses: '--curated-uses',
  curatedUsesPer: '--curated-uses-per',
  threads: '--threads',
  precision: '--precision',
};

export interface RunCommand {
  method: MethodName;
  preset: PresetName;
  seed: number;
  name?: string | undefined;
  settings: Readonly<Record<string, Json>>;
  /** Absolute path of the project. */
  file: string;
}

/** @returns a line for a shell */
export function trainCommand({ method, preset, seed, name, settings, file }: RunCommand): string {
  const words = ['contexture', 'train', method, '--preset', preset, '--seed', String(seed)];
  const values = new Map(flatten(settings));
  for (const [path, value] of values) {
    const option = Object.hasOwn(OPTIONS, path) ? OPTIONS[path] : undefined;
    if (option !== undefined) words.push(option, text(value));
  }
  if (values.get('weights') === null) words.push('--backbone', 'none');
  const stages = values.get('tune.stages');
  if (stages !== undefined) words.push('--tune', tuneWord(stages));
  if (values.has('lambda.min') || values.has('lambda.max')) {
    words.push('--lambda', `${text(values.get('lambda.min') ?? 0)},${text(values.get('lambda.max') ?? 1)}`);
  }
  if (values.has('groups.many') && values.has('groups.few')) {
    words.push('--groups', `${text(values.get('groups.many'))},${text(values.get('groups.few'))}`);
  }
  if (values.has('keepBank')) words.push('--bank', values.get('keepBank') === true ? 'kept' : 'emptied');
  if (values.get('augment.flip') === false) words.push('--no-flip');
  if (name !== undefined) words.push('--name', name);
  return commandLine([...words, '--project', file]);
}

/** What `train --tune` calls a number of stages. */
function tuneWord(stages: Json): string {
  if (stages === 0) return 'heads';
  return stages === 'all' ? 'all' : `last:${text(stages)}`;
}

function text(value: Json | undefined): string {
  if (Array.isArray(value)) return value.map(text).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/** Values by path; a list is a value. */
function flatten(settings: Readonly<Record<string, Json>>, prefix = ''): [string, Json][] {
  return Object.entries(settings).flatMap(([name, value]): [string, Json][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, value]],
  );
}
