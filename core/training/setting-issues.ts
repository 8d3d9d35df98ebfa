/** What is wrong with settings of a run, each in a sentence that names the setting. */
import type { z } from 'zod';
import { backboneOf } from '../models/backbones.ts';
import { TrainConfig } from './config.ts';

export interface SettingIssue {
  /** Path of the setting, such as "lambda.min". */
  setting: string;
  /** One sentence. */
  message: string;
}

/** Check a whole configuration: every setting by its range, then those that depend on each other. */
export function checkConfig(candidate: unknown): { config: TrainConfig; issues: [] } | { issues: SettingIssue[] } {
  const parsed = TrainConfig.safeParse(candidate);
  if (!parsed.success) return { issues: parsed.error.issues.flatMap(issuesOf) };
  const config = parsed.data;
  const issues: SettingIssue[] = [];
  if (config.bankSize < config.batchSize) {
    issues.push({
      setting: 'bankSize',
      message: `The setting bankSize (${config.bankSize}) is below batchSize (${config.batchSize}): a batch of contexts could never be drawn. Raise bankSize.`,
    });
  }
  if (config.lambda.min > config.lambda.max) {
    issues.push({
      setting: 'lambda.min',
      message: `The setting lambda.min (${config.lambda.min}) is above lambda.max (${config.lambda.max}). Exchange them.`,
    });
  }
  const { stages, title } = backboneOf(config.model);
  if (config.tune.stages !== 'all' && config.tune.stages > stages.length) {
    issues.push({
      setting: 'tune.stages',
      message: `The setting tune.stages (${config.tune.stages}) is above the ${stages.length} stages of ${title}. Choose fewer, or all.`,
    });
  }
  if (config.groups.many < config.groups.few) {
    issues.push({
      setting: 'groups.many',
      message: `The setting groups.many (${config.groups.many}) is below groups.few (${config.groups.few}): raise it.`,
    });
  }
  return issues.length > 0 ? { issues } : { config, issues: [] };
}

function issuesOf(issue: z.core.$ZodIssue): SettingIssue[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const setting = path === '' ? key : `${path}.${key}`;
      return { setting, message: `There is no setting ${setting}.` };
    });
  }
  return [{ setting: path, message: `The setting ${path} is out of its range: it must be ${wanted(issue)}.` }];
}

/** What the value must be, in words. */
function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      return issue.inclusive === false ? `above ${String(issue.minimum)}` : `at least ${String(issue.minimum)}`;
    case 'too_big':
      return issue.inclusive === false ? `below ${String(issue.maximum)}` : `at most ${String(issue.maximum)}`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`;
    default:
      return `valid (${issue.message})`;
  }
}
