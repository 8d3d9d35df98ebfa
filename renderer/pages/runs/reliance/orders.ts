/** Orders of the cases, as they are chosen from. */
import type { CompositionName } from '../../../../core/api/reliance.ts';

export const RELIANCE_ORDERS: readonly {
  value: 'swap' | 'background';
  label: string;
  note: string;
  /** Compositions that the order goes by. */
  by: readonly CompositionName[];
}[] = [
  {
    value: 'swap',
    label: 'Hurt by another background',
    note: 'How much the true class loses in front of another class’s background',
    by: ['original', 'mixed-rand'],
  },
  {
    value: 'background',
    label: 'Surest of the background alone',
    note: 'How sure the run is of the true class where no object is',
    by: ['no-fg'],
  },
];
