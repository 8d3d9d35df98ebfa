/** Numbers and times as text, everywhere the same. One locale: the page's words are English. */

const LOCALE = 'en-GB';
const COUNT = new Intl.NumberFormat(LOCALE);
const COMPACT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });
const DATE = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const TIME = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });

/** "12,345" */
export function count(value: number): string {
  return COUNT.format(value);
}

/** "12.3K", for narrow places. */
export function compact(value: number): string {
  return COMPACT.format(value);
}

/** "1 image", "2,000 images". @param plural where it is not the singular with an "s" */
export function plural(value: number, singular: string, pluralForm = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : pluralForm}`;
}

/** A share of 0 to 1 as "81.3 %". */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A share of 0 to 1 without idle digits, for axes: "81 %", "0.5 %". */
export function shortPercent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

/** Bytes in powers of 1024: "512 bytes", "1.4 MB", "12 GB". */
export function bytes(value: number): string {
  if (value < 1024) return plural(value, 'byte');
  const units = ['KB', 'MB', 'GB', 'TB'];
  let size = value / 1024;
  let unit = 0;
  while (size >= 1023.5 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size < 9.95 ? size.toFixed(1) : size.toFixed(0)} ${units[unit]}`;
}

/** Seconds as "less than a second", "42 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function duration(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return parts(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(seconds / 3600);
  return parts(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** So many of a unit as "320 images", or as bytes are read: "1.4 MB". */
export function amount(value: number, unit: string): string {
  return unit === 'bytes' ? bytes(value) : plural(value, unit.replace(/s$/, ''), unit);
}

/** Units a second as "320 images/s", "0.4 images/s" or "1.4 MB/s"; what takes over five seconds as "12 s each". */
export function rate(perSecond: number, unit: string): string {
  if (unit === 'bytes') return `${bytes(Math.round(perSecond))}/s`;
  if (perSecond < 0.2) return `${duration(1 / perSecond)} each`;
  return `${perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))} ${unit}/s`;
}

/** An ISO time as "14:05", "yesterday 14:05" or "3 Nov 2026". */
export function when(iso: string, now: Date = new Date()): string {
  const time = new Date(iso);
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  if (time.getTime() >= midnight) return TIME.format(time);
  if (time.getTime() >= midnight - 86_400_000) return `yesterday ${TIME.format(time)}`;
  return DATE.format(time);
}

/** The last part of a path, with either kind of slash. */
export function fileName(path: string): string {
  return (
    path
      .split(/[/\\]/)
      .filter((part) => part !== '')
      .at(-1) ?? path
  );
}

/** A long path for a narrow place: "/home/ada/…/birds/train". The whole one belongs into the title. */
export function shortPath(path: string, limit = 56): string {
  if (path.length <= limit) return path;
  const slash = path.includes('\\') ? '\\' : '/';
  const pieces = path.split(slash);
  let tail = pieces.at(-1) ?? '';
  for (let i = pieces.length - 2; i > 1; i--) {
    const longer = pieces[i] + slash + tail;
    if (longer.length > limit - pieces.slice(0, 2).join(slash).length - 2) break;
    tail = longer;
  }
  const head = pieces.slice(0, 2).join(slash);
  const text = `${head}${slash}…${slash}${tail}`;
  return text.length <= limit ? text : `…${path.slice(1 - limit)}`;
}

function parts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
