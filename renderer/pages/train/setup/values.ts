/** Settings by path, and seeds from text. Pure, so that tests need no browser. */
import type { TrainingRequest } from '../../../../core/api/training.ts';
import { WHOLE } from './fields.ts';

export type Setting = TrainingRequest['settings'][string];
export type Settings = Readonly<Record<string, Setting>>;

function isRecord(value: Setting | undefined): value is Record<string, Setting> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path such as "lambda.min" or "dropEpochs.0"; undefined where there is none. */
export function valueAt(settings: Settings | null | undefined, path: string): unknown {
  let value: unknown = settings;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === name)?.[1];
  }
  return value;
}

/**
 * Settings with another value at a path.
 * @param present the configuration in force, for settings that are set as a whole
 */
export function withValue(settings: Settings, path: string, value: Setting, present: Settings): Settings {
  const [top, inner] = path.split('.', 2);
  if (inner === undefined) return { ...settings, [top]: value };
  const own = settings[top];
  const base = own ?? (WHOLE.includes(top) ? present[top] : {});
  if (top === 'model' && inner === 'kind') {
    const now = valueAt(present, 'model.blocks');
    const blocks = typeof now === 'number' ? now : 5;
    return { ...settings, model: value === 'resnet-cifar' ? { kind: value, blocks } : { kind: value } };
  }
  if (Array.isArray(base)) return { ...settings, [top]: base.map((old, i) => (i === Number(inner) ? value : old)) };
  return { ...settings, [top]: { ...(isRecord(base) ? base : {}), [inner]: value } };
}

/** Settings without a value of a person's own at a path. */
export function withoutValue(settings: Settings, path: string): Settings {
  const [top, inner] = path.split('.', 2);
  const { [top]: own, ...rest } = settings;
  if (inner === undefined || WHOLE.includes(top) || !isRecord(own)) return rest;
  const left = Object.fromEntries(Object.entries(own).filter(([name]) => name !== inner));
  return Object.keys(left).length === 0 ? rest : { ...rest, [top]: left };
}

/** Whether a person has set it: for settings that are set as a whole, whether it is another than the default. */
export function isModified(settings: Settings, path: string, defaults: Settings | undefined): boolean {
  const own = valueAt(settings, path);
  if (own === undefined) return false;
  return !WHOLE.includes(path.split('.', 1)[0]) || own !== valueAt(defaults, path);
}

/** How many settings differ. */
export function modifiedCount(settings: Settings): number {
  return Object.values(settings).reduce<number>((sum, value) => {
    const parts = isRecord(value) ? Object.keys(value).length : 1;
    return sum + Math.max(1, parts);
  }, 0);
}

/** Most seeds of one start. */
const MOST_SEEDS = 20;

/** "1, 2, 5-8" as seeds, or what is wrong with it. */
export function parseSeeds(text: string): { seeds: number[] } | { problem: string } {
  const seeds: number[] = [];
  const parts = text.split(',').map((part) => part.trim());
  for (const part of parts.filter((each) => each !== '')) {
    const range = /^(\d{1,9})(?:\s*[-–]\s*(\d{1,9}))?$/.exec(part);
    if (range === null) return { problem: `“${part}” is no seed: write whole numbers, such as 1, 2 or 1-5.` };
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    if (last < first) return { problem: `“${part}” runs backwards: write the smaller seed first.` };
    if (last - first >= MOST_SEEDS) return { problem: `At most ${MOST_SEEDS} seeds can be started at once.` };
    for (let seed = first; seed <= last; seed++) if (!seeds.includes(seed)) seeds.push(seed);
  }
  if (seeds.length === 0) return { problem: 'Write at least one seed, such as 1.' };
  return seeds.length > MOST_SEEDS ? { problem: `At most ${MOST_SEEDS} seeds can be started at once.` } : { seeds };
}
