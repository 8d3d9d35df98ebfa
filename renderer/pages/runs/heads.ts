/** The heads in the order in which they are shown. */
import type { Head } from '../../../core/api/figures.ts';

export type { Head };
export const HEADS: readonly Head[] = ['uniform', 'balanced', 'mean'];
