/** Parsers of option values; what they refuse commander reports with the option's name. */
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { UserError } from '../base/errors.ts';
import type { GroupThresholds } from '../data/groups.ts';
import { readClassAmount, type ClassAmount } from '../export/class-amount.ts';

/** Most seeds that are named at once. */
const MOST_SEEDS = 20;

/** A whole number from `min` to `max`. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text.trim()) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number ${range(min, max)}.`);
  };
}

/** A number from `min` to `max`. */
export function number(min: number, max = Infinity): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (value >= min && value <= max && Number.isFinite(value)) return value;
    throw new InvalidArgumentError(`Expected a number ${range(min, max)}.`);
  };
}

/** Thresholds of the groups, that of "many" first: "100,20". */
export function thresholds(text: string): GroupThresholds {
  const [many, few, ...others] = text.split(',').map(Number);
  const valid = others.length === 0 && Number.isInteger(many) && Number.isInteger(few) && few >= 1 && many >= few;
  if (valid) return { many, few };
  throw new InvalidArgumentError('Expected two whole numbers, the larger first, such as 100,20.');
}

function range(min: number, max: number): string {
  return max === Infinity || max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
}

/** Two numbers from `min` to `max`, the smaller first: "0,1". */
export function numberPair(min: number, max: number): (text: string) => [number, number] {
  const one = number(min, max);
  return (text) => {
    const parts = text.split(',');
    if (parts.length !== 2) throw new InvalidArgumentError(`Expected two numbers ${range(min, max)}, such as 0,1.`);
    const [low, high] = parts.map(one);
    if (low > high) throw new InvalidArgumentError('Expected the smaller number first.');
    return [low, high];
  };
}

/** One number for all channels, or one for each of R, G, B: "0.5", "0.485,0.456,0.406". */
export function channels(min: number, max: number): (text: string) => number | [number, number, number] {
  const one = number(min, max);
  return (text) => {
    const [red, green, blue, ...others] = text.split(',').map(one);
    if (green === undefined) return red;
    if (blue !== undefined && others.length === 0) return [red, green, blue];
    throw new InvalidArgumentError('Expected one number, or three with commas between them: of red, green and blue.');
  };
}

/** Seeds: "4, 5" or "4-6". */
export function seedList(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const [, first, last = first] = /^\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*$/.exec(part) ?? [];
    const length = Number(last) - Number(first) + 1;
    if (!(length >= 1 && length <= MOST_SEEDS)) throw new InvalidArgumentError('Expected seeds, such as 4, 5 or 4-6.');
    return Array.from({ length }, (_, i) => Number(first) + i);
  });
  if (seeds.length <= MOST_SEEDS) return seeds;
  throw new InvalidArgumentError(`Expected at most ${MOST_SEEDS} seeds.`);
}

/** An amount of a class, after those that were given before. */
export function classAmounts(text: string, before: ClassAmount[] | undefined): ClassAmount[] {
  try {
    return [...(before ?? []), readClassAmount(text)];
  } catch (error) {
    if (error instanceof UserError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

/** Which head answers. @param meaning what it is for, and which one is taken without it */
export function headOption(meaning: string) {
  return new Option('--head <head>', meaning).choices(['uniform', 'balanced', 'mean'] as const);
}
