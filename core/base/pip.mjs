/**
 * Fetching wheels with pip, for set-up and for the service: what pip is told, and what its failures mean. Plain JavaScript
 * without packages, because set-up runs it before anything is installed.
 */

/**
 * Arguments for `python3` that fetch one wheel and nothing it depends on, and install nothing.
 * @param {string} requirement as in "tensorflow-cpu==2.21.0"
 * @param {string} folder where the wheel goes
 * @param {string[]} platform which systems' wheel, where that matters
 */
export function downloadArguments(requirement, folder, platform = []) {
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--progress-bar=off'];
  const alone = ['--no-deps', '--no-cache-dir', '--only-binary=:all:'];
  return ['-m', 'pip', 'download', ...quiet, ...alone, ...platform, `--dest=${folder}`, requirement];
}

/**
 * What Python lacks, from the output of `python3 -m pip --version`, as in "python3 has no pip".
 * @param {{ missing: boolean, output: string }} outcome `missing`: there is no such program
 */
export function pythonLack({ missing, output }) {
  if (missing) return 'there is no python3 on this machine';
  return /No module named pip/.test(output) ? 'python3 has no pip' : `pip does not start (${tellingLine(output)})`;
}

/**
 * Why pip failed, as a sentence.
 * @param {string} what it was to get
 * @param {string} output what it printed
 * @param {string} again what to do once the cause is gone, as in "start set-up again"
 */
export function pipSentence(what, output, again) {
  if (/No space left|Errno 28|Disk quota/i.test(output)) {
    return `The disk is full: ${what} could not be written. Free some space and ${again}.`;
  }
  if (
    /Retrying \(|ConnectionError|Connection refused|name resolution|timed out|Network is unreachable|ProxyError|SSLError/i.test(
      output,
    )
  ) {
    return `pip could not reach its package index to get ${what}: check the network and ${again}.`;
  }
  if (/No matching distribution|Could not find a version/i.test(output)) {
    return `pip finds no ${what} for this system: update pip to 21 or newer, check the package index it uses, and ${again}.`;
  }
  return `pip could not get ${what}: ${withoutAddresses(tellingLine(output))}.`;
}

/**
 * The line of a program's output that says most: the last that names an error, else the last that is not empty.
 * @param {string} output
 */
export function tellingLine(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.findLast((line) => /\berror\b/i.test(line)) ?? lines.at(-1) ?? 'it said nothing';
}

/** @param {string} line */
export function withoutAddresses(line) {
  return line.replace(/\b(https?|file):\/\/\S+/g, '(an address)').replace(/[.\s]+$/, '');
}
