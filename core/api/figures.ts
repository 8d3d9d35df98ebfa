/** Figures of a run as the page shows them; see core/evaluation. All shares are between 0 and 1. */
import { z } from 'zod';

export const HEADS = ['uniform', 'balanced', 'mean'] as const;
/** "uniform": the head trained on the plain stream · "balanced": on the re-sampled one · "mean": mean of their logits. */
export const Head = z.enum(HEADS).meta({ id: 'Head' });
export type Head = z.infer<typeof Head>;

export const GROUP_NAMES = ['many', 'medium', 'few'] as const;
export const GroupName = z.enum(GROUP_NAMES);
export type GroupName = z.infer<typeof GroupName>;

/** A share with its 95 % interval. */
export const Estimate = z
  .object({
    value: z.number(),
    low: z.number(),
    high: z.number(),
    /** Test images that it rests on. */
    images: z.number(),
  })
  .meta({ id: 'Estimate' });
export type Estimate = z.infer<typeof Estimate>;

/** Something of each group of classes; null for a group without test images. */
const byGroup = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({ many: schema.nullable(), medium: schema.nullable(), few: schema.nullable() });

export const HeadSummary = z
  .object({
    top1: Estimate.nullable(),
    /** Mean of the classes' recalls (balanced accuracy). */
    macroRecall: Estimate.nullable(),
    /** Groups by the run's thresholds of training images. */
    groups: byGroup(Estimate),
    /** Groups by rank, as the paper divides them. */
    ranges: byGroup(Estimate),
  })
  .meta({ id: 'HeadSummary' });
export type HeadSummary = z.infer<typeof HeadSummary>;

export const Thresholds = z.object({ many: z.number(), few: z.number() });

export const VERDICTS = ['better', 'worse', 'no clear difference'] as const;

/** The second run's figure less the first's, paired on the same test images, with a 95 % interval by the bootstrap. */
export const Difference = z
  .object({
    a: z.number(),
    b: z.number(),
    value: z.number(),
    low: z.number(),
    high: z.number(),
    images: z.number(),
    /** Images that only the second run has right, and only the first. */
    gained: z.number(),
    lost: z.number(),
    verdict: z.enum(VERDICTS),
  })
  .meta({ id: 'Difference' });
export type Difference = z.infer<typeof Difference>;

export const DifferenceByGroup = byGroup(Difference);

/** The second method's figure less the first's over runs paired by their seed, with Student's 95 % interval. */
export const SeedDifference = z
  .object({
    seeds: z.number(),
    a: z.number(),
    b: z.number(),
    value: z.number(),
    /** Standard deviation of the differences; null from one seed. */
    deviation: z.number().nullable(),
    /** Null from one seed, and where all seeds differ by the same. */
    low: z.number().nullable(),
    high: z.number().nullable(),
    verdict: z.enum(VERDICTS),
  })
  .meta({ id: 'SeedDifference' });
export type SeedDifference = z.infer<typeof SeedDifference>;
