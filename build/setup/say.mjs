/** What set-up says: plain lines, and on a terminal a progress line that is overwritten. */

/** @param {string} line */
export function say(line) {
  clearProgress();
  process.stdout.write(`${line}\n`);
}

let shown = false;

function clearProgress() {
  if (shown) process.stdout.write('\r\u001B[2K');
  shown = false;
}

/**
 * A size in words, decimal units as shops and package indexes use them.
 * @param {number} bytes
 */
export function size(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/**
 * Show how far a download is, twice a second on a terminal and every ten seconds elsewhere, until the work ends.
 * @template T
 * @param {string} what as in "TensorFlow 2.21.0"
 * @param {number} total bytes
 * @param {() => number | Promise<number>} measure bytes so far
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
export async function showProgress(what, total, measure, work) {
  const terminal = process.stdout.isTTY;
  const show = async () => {
    const line = `  ${what}: ${size(Math.min(await measure(), total))} of ${size(total)}`;
    process.stdout.write(terminal ? `\r\u001B[2K${line}` : `${line}\n`);
    shown = terminal;
  };
  const timer = setInterval(() => void show(), terminal ? 500 : 10_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    clearProgress();
  }
}
