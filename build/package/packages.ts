/** The npm packages that the service and its jobs run on, and what of each they need. */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface NpmPackage {
  /** As in "@scope/name". */
  readonly name: string;
  readonly version: string;
  /** Path from the project, with "/": "node_modules/…". */
  readonly path: string;
}

interface LockEntry {
  version: string;
  dev?: boolean;
  devOptional?: boolean;
}

/**
 * Only to compile the binding, for the type check, for bundles of TensorFlow.js that Node does not load, or for what ONNX
 * Runtime would fetch when it is installed.
 */
const NOT_AT_RUN_TIME = [
  'node-addon-api',
  'node-api-headers',
  'undici-types',
  'core-js',
  'regenerator-runtime',
  'global-agent',
  'matcher',
  'serialize-error',
  'type-fest',
];

/** Installed packages that are not for developers only, by path. */
export function runtimePackages(root: string): NpmPackage[] {
  const lock: { packages: Record<string, LockEntry> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  return Object.entries(lock.packages).flatMap(([path, { version, dev, devOptional }]) => {
    const name = path.split('node_modules/').at(-1) ?? '';
    const wanted =
      path !== '' && !dev && !devOptional && !NOT_AT_RUN_TIME.includes(name) && !name.startsWith('@types/');
    // Native parts for other systems are in the lock file and not installed.
    return wanted && existsSync(join(root, path)) ? [{ name, version, path }] : [];
  });
}

/** What no program loads: sources of other languages, types, maps, tests, descriptions. Licences stay. */
const DEAD_ENDINGS = /\.(?:ts|mts|cts|tsx|map|md|markdown|flow|c|cc|cpp|h|hpp|gyp|gypi|bat|sh|yml|yaml|tgz|png|gif)$/i;
const DEAD_FOLDERS = /\/(?:test|tests|__tests__|docs?|examples?|benchmarks?|\.github|coverage|man)\//;
const LICENCE = /(?:^|\/)(?:licen[cs]e|copying|notice|third[-_]party)[^/]*$/i;

/**
 * Whether a file of a package is needed.
 * @param path from the project, with "/"
 * @param target system and processor, as in "linux-x64"
 */
export function isNeeded({ name, path: home }: NpmPackage, path: string, target: string): boolean {
  const inside = posix.relative(home, path);
  if (LICENCE.test(inside) || inside === 'package.json') return true;
  if (DEAD_ENDINGS.test(inside) || DEAD_FOLDERS.test(`/${inside}`)) return false;
  // One of many bundles of the same code is the one that Node loads.
  if (/^@tensorflow\/tfjs(?!-node)/.test(name)) return /^dist\/[\w-]+\.node\.js$/.test(inside);
  if (name === '@tensorflow/tfjs-node-gpu') return inside.startsWith('dist/') && !inside.endsWith('_test.js');
  // Libraries for all systems lie in the one package.
  if (name === 'onnxruntime-node') {
    return inside.startsWith('dist/') || inside.startsWith(`bin/napi-v6/${target.replace('-', '/')}/`);
  }
  if (name === '@techstark/opencv-js') return inside === 'dist/opencv.js';
  if (name === 'protobufjs') return inside === 'light.js' || inside.startsWith('src/');
  if (name === 'better-sqlite3') return inside.startsWith('lib/') || inside === `prebuilds/${target}.node`;
  return true;
}
