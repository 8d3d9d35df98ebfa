/** Python wheels as archives: pip fetches them, Python's zip module unpacks them. Nothing is installed into Python. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { downloadArguments, pipSentence, pythonLack } from '../../core/base/pip.mjs';
import { SetupFailure } from './failure.mjs';
import { bytesBelow } from './folders.mjs';
import { runProgram } from './program.mjs';
import { say, showProgress, size } from './say.mjs';

/**
 * @typedef {object} Wheel
 * @property {string} title as in "TensorFlow 2.21.0"
 * @property {string} folder its name in the cache
 * @property {string} requirement as in "tensorflow-cpu==2.21.0"
 * @property {string} platform pip's name of the system
 * @property {string} sha256
 * @property {number} bytes of the download
 * @property {number} unpacked bytes of what we unpack
 * @property {string[]} members what to unpack: files, or folders ending in "/"
 */

/** Unpacks the members of a wheel: argv = wheel, target, members. A folder's name ends in "/". */
const UNPACK = `
import sys, zipfile
wheel, target, *members = sys.argv[1:]
folders = tuple(m for m in members if m.endswith('/'))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name in members or (folders and name.startswith(folders)):
            archive.extract(name, target)
`;

/**
 * Make sure of Python 3 with pip.
 * @param {AbortSignal} signal
 */
export async function requirePython(signal) {
  const { code, missing, output } = await runProgram('python3', ['-m', 'pip', '--version'], { signal });
  if (code === 0) return;
  throw new SetupFailure(
    `Set-up fetches TensorFlow with Python 3 and pip, but ${pythonLack({ missing, output })}: install python3 and python3-pip and start set-up again.`,
  );
}

/**
 * Fetch one wheel, verify its hash, unpack the wanted members into `folder` and delete the wheel.
 * @param {Wheel} wheel
 * @param {string} folder
 * @param {AbortSignal} signal
 */
export async function unpackWheel(wheel, folder, signal) {
  const workshop = join(folder, 'workshop');
  await mkdir(workshop);
  const file = await download(wheel, workshop, signal);
  if ((await sha256(file, signal)) !== wheel.sha256) {
    throw new SetupFailure(
      `What was fetched as ${wheel.title} does not have the expected hash and was deleted: start set-up again; if that does not help, the package index in use has another file under this name.`,
    );
  }
  say(`Unpacking ${wheel.title} (${size(wheel.unpacked)}).`);
  const { code, output } = await runProgram('python3', ['-c', UNPACK, file, folder, ...wheel.members], { signal });
  if (code !== 0) throw new SetupFailure(pythonSentence(wheel.title, output));
  await rm(workshop, { recursive: true });
}

/**
 * @param {Wheel} wheel
 * @param {string} workshop empty; pip's temporary files go there too, so that nothing is left anywhere else
 * @param {AbortSignal} signal
 * @returns {Promise<string>} path of the wheel
 */
async function download(wheel, workshop, signal) {
  say(`Getting ${wheel.title} (${size(wheel.bytes)}).`);
  const target = join(workshop, 'wheel');
  // Any Python's wheel has the same libraries: one is pinned, so that every Python finds it.
  const python = ['--implementation=cp', '--python-version=3.11', '--abi=cp311', '--abi=none'];
  const args = downloadArguments(wheel.requirement, target, [...python, `--platform=${wheel.platform}`]);
  const work = runProgram('python3', args, { signal, env: { TMPDIR: workshop } });
  const { code, output } = await showProgress(wheel.title, wheel.bytes, () => bytesBelow(workshop), work);
  if (code !== 0) throw new SetupFailure(pythonSentence(wheel.title, output));
  const [name] = await readdir(target);
  return join(target, name);
}

/**
 * Why pip or the unpacking failed, as a sentence.
 * @param {string} what
 * @param {string} output
 */
export function pythonSentence(what, output) {
  return pipSentence(what, output, 'start set-up again');
}

/**
 * @param {string} file
 * @param {AbortSignal} signal
 */
async function sha256(file, signal) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest('hex');
}
