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
  const timer = setInterval(
    async () => {
      const done = Math.min(await measure(), total);
      const line = `  ${what}: ${size(done)} of ${size(total)}`;
      if (terminal) {
        process.stdout.write(`\r\u001B[2K${line}`);
        shown = true;
      } else {
        process.stdout.write(`${line}\n`);
      }
    },
    terminal ? 500 : 10_000,
  );
  try {
    return await work;
  } finally {
    clearInterval(timer);
    clearProgress();
  }
}
