/** The lineage of an export as files: one JSON object a line for programs, a table for people. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { UserError } from '../base/errors.ts';
import { canonicalJson } from '../base/json.ts';
import { csvLine } from '../base/csv.ts';
import { LineageItem } from './item.ts';

/** `lineage.jsonl`. */
export function lineageLine(item: LineageItem): string {
  return `${canonicalJson(item)}\n`;
}

const COLUMNS: readonly [string, (item: LineageItem) => string | number | null][] = [
  ['file', ({ file }) => file],
  ['sha256', ({ sha256 }) => sha256],
  ['bytes', ({ bytes }) => bytes],
  ['split', ({ split }) => split],
  ['class', (item) => item.class],
  ['kind', ({ kind }) => kind],
  ['width', ({ width }) => width],
  ['height', ({ height }) => height],
  ['source_id', ({ source }) => source.id],
  ['source_root', ({ source }) => source.root],
  ['source_path', ({ source }) => source.path],
  ['source_sha256', ({ source }) => source.hash],
  ['context_id', ({ context }) => context?.id ?? null],
  ['context_image_id', ({ context }) => context?.image.id ?? null],
  ['context_root', ({ context }) => context?.image.root ?? null],
  ['context_path', ({ context }) => context?.image.path ?? null],
  ['context_sha256', ({ context }) => context?.image.hash ?? null],
  ['mask_id', ({ context }) => (context?.mask.kind === 'version' ? context.mask.id : null)],
  ['mask_sha256', ({ context }) => (context?.mask.kind === 'version' ? context.mask.blob : null)],
  ['mask_rectangle', ({ context }) => (context?.mask.kind === 'rectangle' ? rectangle(context.mask) : null)],
  ['lambda', ({ context }) => context?.lambda ?? null],
  ['context_width', ({ context }) => context?.crop.resized.width ?? null],
  ['context_height', ({ context }) => context?.crop.resized.height ?? null],
  ['crop_left', ({ context }) => context?.crop.left ?? null],
  ['crop_top', ({ context }) => context?.crop.top ?? null],
  ['background_id', ({ context }) => context?.background ?? null],
];

function rectangle({ x, y, width, height }: { x: number; y: number; width: number; height: number }): string {
  return `${x} ${y} ${width} ${height}`;
}

/** First line of `lineage.csv`. */
export function tableHead(): string {
  return csvLine(COLUMNS.map(([name]) => name));
}

/** `lineage.csv`. */
export function tableLine(item: LineageItem): string {
  return csvLine(COLUMNS.map(([, value]) => value(item)));
}

/**
 * Read `lineage.jsonl` line by line.
 * @throws UserError 'damaged' naming the line
 */
export async function* readLineage(path: string): AsyncGenerator<LineageItem> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number++;
    yield parseLine(line, `${path}, line ${number},`);
  }
}

function parseLine(line: string, where: string): LineageItem {
  try {
    return LineageItem.parse(JSON.parse(line));
  } catch (error) {
    throw new UserError('damaged', `${where} is not a lineage entry. Export again.`, { cause: error });
  }
}
