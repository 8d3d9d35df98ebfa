/**
 * The GPU pack: TensorFlow's CUDA build and NVIDIA's libraries beside it, each wheel a folder of the cache, so that an
 * interruption costs one wheel at most; links put them side by side, where TensorFlow looks for them.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './folders.mjs';
import { cacheFolder } from './places.mjs';
import { MEMBERS, provideWheels, TENSORFLOW } from './tensorflow.mjs';

/** @type {import('./python.mjs').Wheel} */
const TENSORFLOW_WHEEL = {
  title: `TensorFlow ${TENSORFLOW} for CUDA`,
  folder: `tensorflow-cuda-${TENSORFLOW}-linux-x64`,
  requirement: `tensorflow==${TENSORFLOW}`,
  platform: 'manylinux_2_27_x86_64',
  sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
  bytes: 572_440_367,
  unpacked: 1_265_000_000,
  members: MEMBERS,
};

/**
 * CUDA 12.5 and cuDNN 9.3, which TensorFlow 2.21 was built and tested with; NCCL is the oldest it accepts.
 * Name, version, SHA-256, bytes, bytes unpacked.
 * @type {[string, string, string, number, number][]}
 */
const NVIDIA = [
  ['cublas', '12.5.3.2', 'ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b', 363_313_169, 552_275_920],
  ['cuda-cupti', '12.5.82', 'bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953', 13_811_507, 45_011_352],
  ['cuda-nvcc', '12.5.82', 'b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0', 22_468_537, 59_614_231],
  ['cuda-nvrtc', '12.5.82', '3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd', 24_873_108, 68_279_783],
  ['cuda-runtime', '12.5.82', '3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115', 895_707, 4_581_653],
  ['cudnn', '9.3.0.75', '9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d', 577_163_502, 885_695_004],
  ['cufft', '11.2.3.61', '9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8', 192_524_114, 278_977_729],
  ['curand', '10.3.6.82', '2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536', 56_309_107, 98_634_483],
  [
    'cusolver',
    '11.6.3.83',
    '93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b',
    130_341_232,
    218_395_704,
  ],
  [
    'cusparse',
    '12.5.1.3',
    '016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752',
    217_558_979,
    296_013_357,
  ],
  ['nccl', '2.27.7', 'de5ba5562f08029a19cb1cd659404b18411ed0d6c90ac5f52f30bf99ad5809aa', 322_546_339, 430_148_758],
  ['nvjitlink', '12.5.82', 'f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212', 21_298_879, 54_577_227],
];

/** @type {import('./python.mjs').Wheel[]} */
const NVIDIA_WHEELS = NVIDIA.map(([name, version, sha256, bytes, unpacked]) => ({
  title: `NVIDIA ${name} ${version}`,
  folder: `nvidia-${name}-cu12-${version}`,
  requirement: `nvidia-${name}-cu12==${version}`,
  platform: 'manylinux2014_x86_64',
  sha256,
  bytes,
  unpacked,
  members: ['nvidia/'],
}));

/**
 * The engine for NVIDIA GPUs: a folder with `tensorflow/` and `nvidia/`.
 * @returns {import('./tensorflow.mjs').EnginePack}
 */
export function gpuPack() {
  const wheels = [TENSORFLOW_WHEEL, ...NVIDIA_WHEELS];
  const pins = createHash('sha256').update(JSON.stringify(wheels.map((wheel) => wheel.sha256)));
  const folder = join(cacheFolder(), `tensorflow-gpu-${TENSORFLOW}-${pins.digest('hex').slice(0, 8)}`);
  return {
    folder,
    async provide(signal) {
      await provideWheels(wheels, signal);
      await makeFolder(folder, signal, linkSideBySide);
      const packages = await readdir(join(folder, 'nvidia'));
      return packages.map((name) => join(folder, 'nvidia', name, 'lib')).filter((path) => existsSync(path));
    },
  };
}

/**
 * Links are relative, so that the cache can move.
 * @param {string} folder
 */
async function linkSideBySide(folder) {
  await symlink(`../${TENSORFLOW_WHEEL.folder}/tensorflow`, join(folder, 'tensorflow'));
  await mkdir(join(folder, 'nvidia'));
  for (const wheel of NVIDIA_WHEELS) {
    for (const entry of await readdir(join(cacheFolder(), wheel.folder, 'nvidia'), { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      await symlink(`../../${wheel.folder}/nvidia/${entry.name}`, join(folder, 'nvidia', entry.name));
    }
  }
}
