/**
 * Whether the GPU pack can run here; plain JavaScript without packages, because set-up asks it before anything is
 * installed, and the doctor later. TensorFlow 2.21's CUDA build holds code for compute capability 6.0, 7.0, 8.0, 8.9 and
 * 9.0; on 10.0 and up it fails in the middle of the work.
 */
import { execFile, spawnSync } from 'node:child_process';

/** Oldest driver that runs CUDA 12 programs on Linux. */
const OLDEST_DRIVER = '525.60.13';
const CAPABILITY = { from: 6, below: 10 };
/** Capability from which GPUs compute bfloat16 themselves. */
const BFLOAT16_FROM = 8;
const QUERY = ['--query-gpu=name,driver_version,compute_cap', '--format=csv,noheader'];

/**
 * @typedef {object} Gpu
 * @property {string} name
 * @property {string} driver version
 * @property {string} capability compute capability, as in "8.9"
 */

/**
 * What is known of the machine: `gpus` is a list, or the reason why there is none.
 * @typedef {{ platform: string, arch: string, gpus: Gpu[] | string }} GpuMachine
 */

/**
 * Look at this machine.
 * @param {AbortSignal} [signal]
 * @returns {Promise<GpuMachine>}
 */
export function lookAtGpus(signal) {
  const { platform, arch } = process;
  return new Promise((resolve) => {
    execFile('nvidia-smi', QUERY, { signal, timeout: 30_000 }, (error, output) => {
      if (!error) return resolve({ platform, arch, gpus: parseGpus(output) });
      const missing = error.code === 'ENOENT';
      const reason = missing
        ? 'there is no NVIDIA driver on this machine (no nvidia-smi)'
        : `the NVIDIA driver does not answer as it should (${output.trim().split('\n').at(-1) || error.message})`;
      resolve({ platform, arch, gpus: reason });
    });
  });
}

/**
 * The GPUs at once; none where the driver does not name them.
 * @returns {Gpu[]}
 */
export function listGpus() {
  const { status, stdout } = spawnSync('nvidia-smi', QUERY, { encoding: 'utf8', timeout: 30_000 });
  return status === 0 ? parseGpus(stdout) : [];
}

/**
 * Whether every GPU that can be used computes bfloat16 itself, and there is one.
 * @param {Gpu[]} gpus
 */
export function haveBfloat16(gpus) {
  const usable = gpus.filter((gpu) => gpuProblem(gpu) === undefined);
  return usable.length > 0 && usable.every(({ capability }) => Number(capability) >= BFLOAT16_FROM);
}

/**
 * Read nvidia-smi's lines "name, driver, capability".
 * @param {string} text
 * @returns {Gpu[]}
 */
export function parseGpus(text) {
  return text
    .split('\n')
    .map((line) => line.split(',').map((part) => part.trim()))
    .filter((parts) => parts.length === 3)
    .map(([name, driver, capability]) => ({ name, driver, capability }));
}

/**
 * Why the GPU pack cannot run on that machine, as one sentence, or undefined when it can.
 * @param {GpuMachine} machine
 */
export function gpuRefusal({ platform, arch, gpus }) {
  const stay = 'Contexture runs on the processor here.';
  if (platform === 'darwin') return `The GPU pack is CUDA, which macOS does not have: ${stay}`;
  if (platform === 'win32')
    return 'The GPU pack runs on Linux and inside WSL2, not on Windows itself: start Contexture inside WSL2.';
  if (platform !== 'linux' || arch !== 'x64')
    return `The GPU pack is made for Linux on x86-64, and this is ${platform} on ${arch}: ${stay}`;
  if (typeof gpus === 'string')
    return `The GPU pack needs an NVIDIA driver ${OLDEST_DRIVER} or newer, but ${gpus}: ${stay}`;
  if (gpus.length === 0) return `The GPU pack needs an NVIDIA GPU, but the driver names none: ${stay}`;
  const reasons = gpus.map((gpu) => gpuProblem(gpu));
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}

/**
 * Why one GPU is not usable, or undefined.
 * @param {Gpu} gpu
 */
function gpuProblem({ name, driver, capability }) {
  if (older(driver, OLDEST_DRIVER)) {
    return `The GPU pack needs an NVIDIA driver ${OLDEST_DRIVER} or newer, and this is ${driver}: update the driver.`;
  }
  const number = Number(capability);
  if (!Number.isFinite(number) || number < CAPABILITY.from || number >= CAPABILITY.below) {
    return `The GPU pack runs on compute capability 6.0 to 9.0, and ${name} has ${capability}: Contexture runs on the processor here.`;
  }
  return undefined;
}

/**
 * What to say of GPUs that cannot be used beside ones that can; the engine takes the last that CUDA shows it.
 * @param {Gpu[]} gpus
 * @returns {string | undefined}
 */
export function gpuAdvice(gpus) {
  const usable = gpus.flatMap((gpu, index) => (gpuProblem(gpu) === undefined ? [index] : []));
  if (usable.length === gpus.length) return undefined;
  return `Only GPU ${usable.join(', ')} of ${gpus.length} can be used: set CUDA_VISIBLE_DEVICES=${usable.join(',')} before you start Contexture.`;
}

/**
 * Whether a dotted version is older than another.
 * @param {string} version
 * @param {string} than
 */
function older(version, than) {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  for (let i = 0; i < b.length; i++) {
    const difference = (a[i] ?? 0) - b[i];
    if (difference !== 0) return !(difference > 0);
  }
  return false;
}
