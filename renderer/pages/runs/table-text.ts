/** Tables as text, and names for files. Pure, so that tests need no browser. */

/** A table as it is written: the first row is its heading. */
export type Cells = readonly (readonly (string | number | boolean | null)[])[];

/** CSV after RFC 4180. A text that a spreadsheet would take for a formula is kept from it by an apostrophe. */
export function csvText(rows: Cells): string {
  return rows.map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

function csvField(value: string | number | boolean | null): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The same as one JSON object a row, by the names of the heading. */
export function jsonText(rows: Cells): string {
  const [head = [], ...body] = rows;
  const objects = body.map((row) => Object.fromEntries(head.map((name, i) => [String(name), row[i] ?? null])));
  return `${JSON.stringify(objects, null, 2)}\n`;
}

/** A name that every file system takes. */
export function fileNameFor(title: string, ending: string): string {
  const base = title
    .normalize('NFKC')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 80);
  return `${base === '' ? 'table' : base}.${ending}`;
}
