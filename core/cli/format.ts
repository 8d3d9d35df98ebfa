/** Numbers, times and sizes as people read them. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 12345 -> "12,345" */
export function count(value: number): string {
  return grouped.format(value);
}

/** "1 image", "2,800 images" */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A rate with two to three digits: "0.45", "4.5", "450". */
export function rate(value: number): string {
  if (value >= 99.95) return count(Math.round(value));
  return value >= 9.995 ? value.toFixed(0) : value >= 0.995 ? value.toFixed(1) : value.toFixed(2);
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Seconds as "8 s", "2 min 05 s", "3 h 20 min", "4 d 2 h". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(whole / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Bytes as "812 B", "3.4 MB" (powers of 1000, as disks are sold). */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 || rest >= 99.95 ? rest.toFixed(0) : rest.toFixed(1)} ${units[unit]}`;
}

/** "2026-03-01T12:34:56.789Z" -> "2026-03-01 12:34" in local time. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Control characters, which a terminal obeys, and the marks that turn the direction of text. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text that may hold anything, such as a file name, on one line and harmless to a terminal. */
export function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(UNSAFE, '\ufffd');
}
