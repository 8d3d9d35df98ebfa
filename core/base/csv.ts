/**
 * One line of CSV (RFC 4180), with its line end.
 * @param values null becomes an empty field
 */
export function csvLine(values: readonly (string | number | null)[]): string {
  return `${values.map((value) => csvField(value)).join(',')}\r\n`;
}

function csvField(value: string | number | null): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
