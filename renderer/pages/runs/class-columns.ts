/** The columns that every table of classes begins with: what the class is and how much there is of it. */
import type { GroupName } from '../../../core/api/figures.ts';
import type { Column } from '../../components/table.ts';
import { count } from '../../lib/format.ts';

/** What these columns show of a row. */
export interface ClassFacts {
  name: string;
  group: GroupName;
  trained: number;
  tested: number;
}

/** @param factsOf what a row of the table says of its class */
export function classColumns<Row>(factsOf: (row: Row) => ClassFacts): Column<Row>[] {
  const images = (key: 'trained' | 'tested', title: string, hint: string): Column<Row> => ({
    key,
    title,
    hint,
    width: '92px',
    align: 'end',
    text: (row) => count(factsOf(row)[key]),
    value: (row) => factsOf(row)[key],
    descendingFirst: true,
  });
  return [
    {
      key: 'name',
      title: 'Class',
      width: 'minmax(140px, 1fr)',
      text: (row) => factsOf(row).name,
      value: (row) => factsOf(row).name,
    },
    {
      key: 'group',
      title: 'Group',
      width: '92px',
      text: (row) => factsOf(row).group,
      value: (row) => factsOf(row).trained,
    },
    images('trained', 'Training', 'Training images'),
    images('tested', 'Test', 'Test images'),
  ];
}

/** The same as cells of a file. */
export const CLASS_CELLS = ['class', 'group', 'train_images', 'test_images'] as const;

export function classCells({ name, group, trained, tested }: ClassFacts): [string, GroupName, number, number] {
  return [name, group, trained, tested];
}
