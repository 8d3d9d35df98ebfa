/** The native libraries: two files and some headers out of TensorFlow's wheel. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { makeFolder, requireSpace } from './folders.mjs';
import { cacheFolder, systemName } from './places.mjs';
import { requirePython, unpackWheel } from './python.mjs';
import { say, size } from './say.mjs';

export const TENSORFLOW = '2.21.0';

/** What the compiler reads of 287 MB of headers, whole folders for safety. */
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/', 'xla/tsl/'].map(
  (path) => `tensorflow/include/${path}`,
);

/**
 * The two libraries to link, main one first.
 * @param {string} platform
 */
export function libraryNames(platform = process.platform) {
  return platform === 'darwin'
    ? ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib']
    : ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
}

/** Members of any TensorFlow wheel that the engine needs. `tensorflow.libs` holds what some builds bring along. */
export const MEMBERS = [...libraryNames('linux'), ...libraryNames('darwin')]
  .map((name) => `tensorflow/${name}`)
  .concat(HEADERS, 'tensorflow.libs/');

/**
 * Wheels for the processor, by system.
 * @type {Record<string, import('./python.mjs').Wheel>}
 */
const CPU_WHEELS = {
  'linux-x64': {
    title: `TensorFlow ${TENSORFLOW} for the processor`,
    requirement: `tensorflow-cpu==${TENSORFLOW}`,
    platform: 'manylinux_2_27_x86_64',
    folder: `tensorflow-cpu-${TENSORFLOW}-linux-x64`,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    bytes: 273_829_956,
    unpacked: 860e6,
    members: MEMBERS,
  },
  'linux-arm64': {
    title: `TensorFlow ${TENSORFLOW} for the processor`,
    requirement: `tensorflow==${TENSORFLOW}`,
    platform: 'manylinux_2_27_aarch64',
    folder: `tensorflow-cpu-${TENSORFLOW}-linux-arm64`,
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    bytes: 282e6,
    unpacked: 900e6,
    members: MEMBERS,
  },
  'darwin-arm64': {
    title: `TensorFlow ${TENSORFLOW} for the processor`,
    requirement: `tensorflow==${TENSORFLOW}`,
    platform: 'macosx_12_0_arm64',
    folder: `tensorflow-cpu-${TENSORFLOW}-darwin-arm64`,
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    bytes: 230e6,
    unpacked: 900e6,
    members: MEMBERS,
  },
};

/**
 * @typedef {object} EnginePack
 * @property {string} folder the one that holds `tensorflow/`
 * @property {(signal: AbortSignal) => Promise<string[]>} provide fetches what the cache lacks; returns the folders that
 *   the system's loader has to search
 */

/**
 * The engine for the processor.
 * @returns {EnginePack}
 */
export function cpuPack() {
  const wheel = CPU_WHEELS[systemName()];
  if (!wheel) {
    throw new SetupFailure(
      `Contexture's engine runs on Linux (x86-64, arm64) and macOS (arm64), and this is ${systemName()}: on Windows, start it inside WSL2.`,
    );
  }
  return {
    folder: join(cacheFolder(), wheel.folder),
    async provide(signal) {
      await provideWheels([wheel], signal);
      return [];
    },
  };
}

/**
 * Fetch what the cache lacks, each wheel into a folder of its own.
 * @param {import('./python.mjs').Wheel[]} wheels
 * @param {AbortSignal} signal
 */
export async function provideWheels(wheels, signal) {
  const cache = cacheFolder();
  const missing = wheels.filter((wheel) => !existsSync(join(cache, wheel.folder)));
  if (missing.length === 0) return;
  await requirePython(signal);
  const sum = (/** @type {'bytes' | 'unpacked'} */ key) => missing.reduce((total, wheel) => total + wheel[key], 0);
  // Each wheel is deleted once it is unpacked.
  await requireSpace(cache, Math.max(...missing.map((wheel) => wheel.bytes)) + sum('unpacked'), 'TensorFlow');
  say(`The engine goes into ${cache}: ${size(sum('bytes'))} to fetch, ${size(sum('unpacked'))} to keep.`);
  for (const wheel of missing) {
    await makeFolder(join(cache, wheel.folder), signal, (target) => unpackWheel(wheel, target, signal));
  }
}
