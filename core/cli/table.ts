/** Tables of text, aligned by the width that a terminal gives each character. */
import stringWidth from 'string-width';
import { oneLine } from './format.ts';

/**
 * Lay out rows under titles, two spaces between columns.
 * @param columns titles; a plain string is left-aligned, one that starts with ">" right-aligned
 */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const right = columns.map((title) => title.startsWith('>'));
  const cells = [columns.map((title) => title.replace(/^>/, '')), ...rows.map((row) => row.map(oneLine))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => stringWidth(row[index] ?? ''))));
  const line = (row: readonly string[]): string =>
    widths
      .map((width, index) => pad(row[index] ?? '', width, right[index] ?? false))
      .join('  ')
      .trimEnd();
  return cells.map(line).join('\n');
}

/** "name  value" lines with the values aligned. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => stringWidth(name)));
  return pairs.map(([name, value]) => `${pad(name, width, false)}  ${oneLine(value)}`.trimEnd()).join('\n');
}

function pad(text: string, width: number, right: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return right ? fill + text : text + fill;
}

/** Cut text to at most `width` columns of a terminal, between whole characters. */
export function fit(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let result = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    result += segment;
  }
  return result;
}
