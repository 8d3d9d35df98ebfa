/** Predictions as text: a CSV table or one JSON document, row by row, so that any number of pictures can be written. */
import { csvLine } from '../base/csv.ts';
import type { ModelUsed, Prediction, Unreadable } from './predict-job.ts';

export const TABLE_FORMATS = ['csv', 'json'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** Turns what a prediction tells into text, piece by piece. */
export interface TableWriter {
  begin(model: ModelUsed): string;
  rows(rows: readonly (Prediction | Unreadable)[]): string;
  end(): string;
}

/**
 * @param top classes told for each picture: columns of the CSV table
 */
export function tableWriter(format: TableFormat, top: number): TableWriter {
  return format === 'csv' ? new CsvTable(top) : new JsonTable();
}

/** `file,class_1,probability_1,class_2,…,problem`; a picture that cannot be read has its problem only. */
class CsvTable implements TableWriter {
  readonly #top: number;
  #columns = 0;

  constructor(top: number) {
    this.#top = top;
  }

  begin({ classes }: ModelUsed): string {
    this.#columns = Math.min(this.#top, classes.length);
    const numbers = Array.from({ length: this.#columns }, (_, index) => index + 1);
    return csvLine(['file', ...numbers.flatMap((number) => [`class_${number}`, `probability_${number}`]), 'problem']);
  }

  rows(rows: readonly (Prediction | Unreadable)[]): string {
    return rows.map((row) => this.#line(row)).join('');
  }

  end(): string {
    return '';
  }

  #line(row: Prediction | Unreadable): string {
    if ('reason' in row)
      return csvLine([row.file, ...Array.from({ length: 2 * this.#columns }, () => null), row.reason]);
    return csvLine([
      row.file,
      ...row.classes.flatMap(({ class: name, probability }) => [name, digits(probability)]),
      null,
    ]);
  }
}

/** `{"model": …, "pictures": [{"file", "classes": [{"class", "probability"}]} or {"file", "problem"}]}`, one picture a line. */
class JsonTable implements TableWriter {
  #first = true;

  begin(model: ModelUsed): string {
    return `{"model":${JSON.stringify(model)},\n"pictures":[`;
  }

  rows(rows: readonly (Prediction | Unreadable)[]): string {
    return rows.map((row) => this.#line(row)).join('');
  }

  end(): string {
    return '\n]}\n';
  }

  #line(row: Prediction | Unreadable): string {
    const value =
      'reason' in row
        ? { file: row.file, problem: row.reason }
        : {
            file: row.file,
            classes: row.classes.map(({ class: name, probability }) => ({
              class: name,
              probability: digits(probability),
            })),
          };
    const comma = this.#first ? '' : ',';
    this.#first = false;
    return `${comma}\n${JSON.stringify(value)}`;
  }
}

/** What a float32 knows, and no more. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}
