/** What a table shows; see Table. */

export interface Column<Row> {
  /** Name of the column, unique in the table. */
  key: string;
  title: string;
  /** A longer explanation of the title. */
  hint?: string;
  /** CSS length; "minmax(120px, 1fr)" and the like grow. */
  width: string;
  align?: 'start' | 'end';
  /** What the cell says; a `cell` snippet of the table may show it otherwise. */
  text: (row: Row) => string;
  /** What the column is sorted by; null comes last in either direction. Absent: not sortable. */
  value?: (row: Row) => number | string | null;
  /** The first click sorts the largest to the top. */
  descendingFirst?: boolean;
}

export interface Sort {
  key: string;
  descending: boolean;
}

const TEXT = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** The rows in order; those that are equal keep theirs. Makes a copy. */
export function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: Sort | null): Row[] {
  const column = columns.find(({ key }) => key === sort?.key);
  if (column?.value === undefined || sort === null) return [...rows];
  const { value } = column;
  const sign = sort.descending ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return sign * (typeof a === 'string' || typeof b === 'string' ? TEXT.compare(String(a), String(b)) : a - b);
  });
}
