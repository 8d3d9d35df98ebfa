/** What a person should know of a recipe before any picture is written. */
import { bankBackgrounds, NO_CLASS } from '../contexts/bank-backgrounds.ts';
import { isContext, type BankEntry } from '../contexts/bank.ts';
import type { DatasetSnapshot } from '../data/snapshot.ts';
import { Random } from '../base/random.ts';
import type { PlanItem } from './item.ts';
import type { ExportPlan } from './plan.ts';
import type { ExportRecipe } from './recipe.ts';

/** A class before and after. */
export interface PreviewClass {
  name: string;
  /** Usable training images. */
  images: number;
  originals: number;
  added: number;
}

/** How the accepted contexts are used. */
export interface ContextUse {
  accepted: number;
  /** Those whose image is a training image in use, of the classes that the recipe allows; with the plain backgrounds. */
  usable: number;
  /** Different contexts in the plan, and how often the most used one is. */
  used: number;
  mostUses: number;
}

/** Uses of a context on average from which new pictures are much alike. */
const MANY_USES = 20;
/** Pictures made of one image from which a class is little more than that image. */
const MANY_COPIES = 50;

/** Classes of the plan with their training images before. */
export function previewClasses(snapshot: DatasetSnapshot, plan: ExportPlan): PreviewClass[] {
  const images = snapshot.classes.map(() => 0);
  for (const { split, label } of snapshot.images) if (split === 'train') images[label]++;
  return plan.classes.map(({ name, originals, added }, label) => ({ name, images: images[label], originals, added }));
}

export function contextUse(
  snapshot: DatasetSnapshot,
  bank: readonly BankEntry[],
  plan: ExportPlan,
  { contextClasses }: ExportRecipe,
): ContextUse {
  const leftOut = new Set(plan.leftOut.map(({ id }) => id));
  const labels = new Map(
    snapshot.images.flatMap(({ id, split, label }) => (split === 'train' && !leftOut.has(id) ? [[id, label]] : [])),
  );
  const { backgrounds } = bankBackgrounds(snapshot, bank);
  const labelOf = (entry: BankEntry): number | undefined => {
    if (isContext(entry)) return labels.get(entry.imageId);
    return backgrounds.has(entry.backgroundId) ? NO_CLASS : undefined;
  };
  const isUsable = (entry: BankEntry): boolean => {
    const label = labelOf(entry);
    return label !== undefined && (contextClasses?.includes(snapshot.classes[label]) ?? true);
  };
  const uses = new Map<string, number>();
  for (const { context } of plan.items) {
    if (!context || (context.id === null && context.background === undefined)) continue;
    const key = context.background === undefined ? `context ${context.id}` : `background ${context.background}`;
    uses.set(key, (uses.get(key) ?? 0) + 1);
  }
  return {
    accepted: bank.length,
    usable: bank.filter((entry) => isUsable(entry)).length,
    used: uses.size,
    mostUses: [...uses.values()].reduce((most, count) => Math.max(most, count), 0),
  };
}

/** Sentences on what is allowed but hardly meant. */
export function previewWarnings(
  classes: readonly PreviewClass[],
  use: ContextUse,
  plan: ExportPlan,
  recipe: ExportRecipe,
): string[] {
  const warnings: string[] = [];
  const mixed = plan.items.filter(({ kind }) => kind === 'mixed').length;
  const pastes = recipe.arm === 'context' || recipe.arm === 'same-class';
  if (pastes && use.used > 0 && mixed / use.used >= MANY_USES) {
    warnings.push(
      `${plural(use.used, 'context is', 'contexts are')} laid over ${mixed} pictures, each about ${Math.round(mixed / use.used)} times: accept more contexts, or the new pictures share a few backgrounds.`,
    );
  }
  if (pastes && use.usable < use.accepted && recipe.contextClasses === null) {
    warnings.push(
      `${plural(use.accepted - use.usable, 'accepted context is', 'accepted contexts are')} not used, because the image is not a training image in use.`,
    );
  }
  if (mixed > 0 && recipe.lambda.max === 0) {
    warnings.push('With a largest lambda of 0 nothing is laid over: the new pictures are plain copies.');
  }
  const thin = classes.filter(({ images, added }) => images > 0 && added / images >= MANY_COPIES);
  if (thin.length > 0) {
    const named = thin.slice(0, 3).map(({ name, images, added }) => `${name} (${added} of ${images})`);
    const more = thin.length > 3 ? ` and ${thin.length - 3} more` : '';
    warnings.push(`Many new pictures are made from few images: ${named.join(', ')}${more}.`);
  }
  if (plan.leftOut.length > 0) {
    warnings.push(
      `${plural(plan.leftOut.length, 'training image is', 'training images are')} left out, because the same file is also in the test or validation split.`,
    );
  }
  return warnings;
}

/**
 * Some of the new pictures, of as many classes as there is room for; originals where nothing new is made.
 * @param seed another one shows others
 */
export function pickSamples(plan: ExportPlan, count: number, seed: number): PlanItem[] {
  const made = plan.items.filter(({ kind }) => kind !== 'original');
  const deck = Random.stream(seed, 'export preview').shuffle([...(made.length > 0 ? made : plan.items)]);
  const rounds = new Map<string, number>();
  const withRound = deck.map((item, place) => {
    const round = rounds.get(item.class) ?? 0;
    rounds.set(item.class, round + 1);
    return { item, round, place };
  });
  return withRound
    .toSorted((a, b) => a.round - b.round || a.place - b.place)
    .slice(0, count)
    .map(({ item }) => item);
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
