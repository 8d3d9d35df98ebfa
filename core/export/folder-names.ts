/** Class names as folder names that every file system takes and keeps apart. */

/** Longest name in bytes: file systems allow 255, and zips and sync tools add to names. */
const LONGEST = 120;

/** Names that Windows keeps for devices, with or without an ending. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)/i;

/** Not allowed by some file system: controls, Windows' reserved characters, what was no valid Unicode. */
const FORBIDDEN = /[\p{Cc}<>:"/\\|?*\u2028\u2029\ufffd]/gu;

/** One name, made safe. Equal results for different names are possible. */
function safeName(name: string): string {
  const points = Array.from(name.normalize('NFC').toWellFormed().replaceAll(FORBIDDEN, '_'));
  while (Buffer.byteLength(points.join('')) > LONGEST) points.pop();
  const safe = points
    .join('')
    .replace(/^[\s.]+/, (start) => '_'.repeat(start.length))
    .replace(/[\s.]+$/, (end) => '_'.repeat(end.length));
  if (safe === '') return '_';
  return DEVICE.test(safe) ? `_${safe}` : safe;
}

/** Equal for names that some file system takes for one: case and Unicode form do not count. */
function sameName(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase();
}

/**
 * A folder name for each class. Safe names stay as they are. Of two that a file system could take for one (they differ by
 * case or Unicode form, or became equal) the later one gets a number: `Cat`, `cat-2`.
 */
export function folderNames(classes: readonly string[]): string[] {
  const taken = new Set<string>();
  const take = (name: string): boolean => {
    if (taken.has(sameName(name))) return false;
    taken.add(sameName(name));
    return true;
  };
  const kept = classes.map((name) => (safeName(name) === name && take(name) ? name : undefined));
  return classes.map((name, index) => {
    if (kept[index] !== undefined) return name;
    const base = safeName(name);
    if (take(base)) return base;
    let number = 2;
    while (!take(`${base}-${number}`)) number++;
    return `${base}-${number}`;
  });
}
