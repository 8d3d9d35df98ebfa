import type { Json } from '../base/json.ts';
import type { Figures } from '../evaluation/figures.ts';
import type { EpochFigures } from './epoch-figures.ts';

/** The figures of an epoch as the train job sent them, from `Run.figures` or `RunEpoch.figures`; null before there are any. */
export function storedFigures(figures: Json): EpochFigures | null {
  // The run service stores what the job sent, unchanged.
  return figures as unknown as EpochFigures | null;
}

type WithoutClasses<Part> = Part extends object ? Omit<Part, 'classes'> : Part;
type SummaryHeads = { [Head in keyof Figures['heads']]: WithoutClasses<Figures['heads'][Head]> };

/** The figures of an epoch less those of each class. */
export type EpochSummary = Omit<EpochFigures, 'bank' | 'evaluation'> & {
  bank: WithoutClasses<EpochFigures['bank']>;
  evaluation: (Omit<Figures, 'heads'> & { heads: SummaryHeads }) | null;
};

/** The same from `ListedRun.summary` or `RunTable.epochSummaries`; figures with their classes will do as well. */
export function storedSummary(summary: Json): EpochSummary | null {
  // As above, less what the store leaves out.
  return summary as unknown as EpochSummary | null;
}
