/**
 * Pictures listed by a CSV file: path, label and perhaps split.
 *
 * With a header line the columns go by name (path, file, filename or image; label or class; split, set or subset);
 * without one they are path, label, split in this order. Paths are absolute or relative to the CSV file. Fields may be
 * separated by comma, semicolon or tab.
 */
import { isUtf8 } from 'node:buffer';
import { createReadStream, type ReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { parse, type CsvError } from 'csv-parse';
import { fileError, systemCode, UserError } from '../../base/errors.ts';
import type { NewProblem } from '../../storage/records.ts';
import { splitOfName } from '../layout.ts';
import { diskName } from '../names.ts';
import { FileReader, readStart } from './file-reader.ts';
import type { FileRef, FileStat, ImageSource, SourceItem } from './source.ts';

/** Characters of one line that are read before it is taken for damaged. */
const LONGEST_LINE = 65_536;

const COLUMNS = {
  path: ['path', 'file', 'filepath', 'file_path', 'filename', 'file_name', 'image', 'image_path'],
  label: ['label', 'class', 'category', 'class_name'],
  split: ['split', 'set', 'subset', 'fold'],
} as const;

/** Index of each column in a record; -1 where there is none. */
interface Columns {
  path: number;
  label: number;
  split: number;
}

export class CsvSource implements ImageSource {
  readonly kind = 'csv';
  readonly path: string;
  readonly #files: FileReader;

  constructor(path: string) {
    this.path = path;
    this.#files = new FileReader({ kind: 'csv', path });
  }

  async *list(signal?: AbortSignal): AsyncGenerator<SourceItem> {
    const skipped: NewProblem[] = [];
    let columns: Columns | undefined;
    /** Label of each path, to find rows that contradict each other. */
    const labels = new Map<string, string>();
    for await (const { record, line } of this.#records(skipped)) {
      if (signal?.aborted) return;
      if (!columns) {
        columns = headerColumns(record);
        if (columns) continue;
        columns = { path: 0, label: 1, split: 2 };
      }
      yield this.#item(record, line, columns, labels);
    }
    for (const problem of skipped) yield { type: 'problem', problem };
  }

  stat(file: FileRef): Promise<FileStat> {
    return this.#files.stat(file);
  }

  read(file: FileRef, limit?: number): Promise<Buffer> {
    return this.#files.read(file, limit);
  }

  realPath(file: FileRef): Promise<string> {
    return this.#files.realPath(file);
  }

  async close(): Promise<void> {}

  /** @param skipped is given the lines that cannot be parsed */
  async *#records(skipped: NewProblem[]): AsyncGenerator<{ record: Buffer[]; line: number }> {
    const onSkip = (error: CsvError | undefined): undefined => {
      const line = error && 'lines' in error ? ` ${String(error.lines)}` : '';
      const reason =
        error?.code === 'CSV_QUOTE_NOT_CLOSED'
          ? 'A quote in the CSV file is opened and never closed; the lines after it cannot be read.'
          : `Line${line} of the CSV file cannot be read: ${error?.message ?? 'it is malformed'}.`;
      skipped.push({ path: '', kind: 'csv-row', severity: 'error', reason });
      return undefined;
    };
    let input: ReadStream | undefined;
    try {
      const { delimiter, encoding, start } = describeText(await readStart(fs, this.path, LONGEST_LINE), this.path);
      const parser = parse({
        delimiter,
        encoding,
        info: true,
        max_record_size: LONGEST_LINE,
        on_skip: onSkip,
        relax_column_count: true,
        relax_quotes: true,
        skip_empty_lines: true,
        skip_records_with_error: true,
        trim: true,
      });
      input = createReadStream(this.path, { start });
      input.on('error', (error) => parser.destroy(error)).pipe(parser);
      for await (const { record, info } of parser) {
        const fields: string[] = record;
        yield { record: fields.map((field) => Buffer.from(field, encoding)), line: info.lines };
      }
    } catch (error) {
      if (systemCode(error)?.startsWith('CSV_')) {
        const why = error instanceof Error ? error.message : String(error);
        throw new UserError('damaged', `${this.path} cannot be read as CSV: ${why}. Correct the file.`, {
          cause: error,
        });
      }
      throw fileError(error, 'read the CSV file', this.path);
    } finally {
      input?.destroy();
    }
  }

  #item(record: Buffer[], line: number, columns: Columns, labels: Map<string, string>): SourceItem {
    const cell = (index: number): Buffer => record[index] ?? Buffer.alloc(0);
    const name = diskName(tidyPath(cell(columns.path)));
    const label = diskName(cell(columns.label)).text.normalize('NFC');
    const splitText = diskName(cell(columns.split)).text;
    const split = splitText === '' ? null : splitOfName(splitText);
    const refuse = (kind: string, severity: NewProblem['severity'], reason: string): SourceItem => ({
      type: 'problem',
      problem: { path: name.text, kind, severity, reason: `Line ${line} of the CSV file: ${reason}` },
    });
    if (name.text === '') return refuse('csv-row', 'error', 'there is no path.');
    if (label === '') return refuse('no-class', 'error', 'there is no label.');
    if (split === undefined) {
      return refuse('no-split', 'error', `"${splitText}" is no split. Use train, val or test, or leave it empty.`);
    }
    const before = labels.get(name.text);
    if (before !== undefined && before !== label) {
      return refuse(
        'label-conflict',
        'error',
        `an earlier line says "${before}", this one "${label}". The first counts.`,
      );
    }
    if (before !== undefined) return refuse('repeated-name', 'note', 'the same picture is listed before.');
    labels.set(name.text, label);
    return {
      type: 'file',
      file: { path: name.text, ...(name.bytes ? { pathBytes: name.bytes } : {}) },
      given: { className: label, split },
    };
  }
}

/** Which columns a header line names, or undefined when the line is not a header. */
function headerColumns(record: Buffer[]): Columns | undefined {
  const names = record.map((cell) => cell.toString('utf8').trim().toLowerCase());
  const find = (known: readonly string[]): number => names.findIndex((name) => known.includes(name));
  const columns = { path: find(COLUMNS.path), label: find(COLUMNS.label), split: find(COLUMNS.split) };
  return columns.path >= 0 && columns.label >= 0 ? columns : undefined;
}

interface TextForm {
  delimiter: string;
  /** Latin-1 stands for bytes as they are, where they are not UTF-8: they may be names on disk all the same. */
  encoding: 'utf8' | 'latin1';
  /** Where the text begins, after a mark that says it is UTF-8. */
  start: number;
}

/** How a CSV file is written, from its first bytes: separated by what its first line has most of. */
function describeText(bytes: Buffer, path: string): TextForm {
  const mark = bytes.toString('latin1', 0, 3);
  if (mark.startsWith('\xff\xfe') || mark.startsWith('\xfe\xff')) {
    throw new UserError('damaged', `${path} is written in UTF-16. Save it as UTF-8.`);
  }
  const whole = bytes.length < LONGEST_LINE ? bytes : bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
  const line = bytes.toString('latin1').split(/[\r\n]/, 1)[0];
  const counts = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: line.split(delimiter).length }));
  return {
    delimiter: counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter,
    encoding: isUtf8(whole) ? 'utf8' : 'latin1',
    start: mark === '\xef\xbb\xbf' ? 3 : 0,
  };
}

/** A path as this system writes it: Windows separators where there are no others, no leading "./". */
function tidyPath(path: Buffer): Buffer {
  const text = path.toString('latin1');
  const slashed = text.includes('/') ? text : text.replaceAll('\\', '/');
  return Buffer.from(slashed.replace(/^(\.\/)+/, ''), 'latin1');
}
