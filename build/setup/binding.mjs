/** The bridge between JavaScript and TensorFlow, core/engine/native, compiled against the libraries we fetched. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { tellingLine } from '../../core/base/pip.mjs';
import { SetupFailure } from './failure.mjs';
import { makeFolder } from './folders.mjs';
import { cacheFolder, PROJECT, systemName } from './places.mjs';
import { runProgram } from './program.mjs';
import { say } from './say.mjs';
import { libraryNames, TENSORFLOW } from './tensorflow.mjs';

const SOURCES = join(PROJECT, 'core', 'engine', 'native');
/** Node's own headers in C, and the thin C++ over them. */
const NODE_HEADERS = [
  join(PROJECT, 'node_modules', 'node-api-headers', 'include'),
  join(PROJECT, 'node_modules', 'node-addon-api'),
];
// Products are summed without a rounding in between where the processor can; what C++ throws becomes JavaScript's errors.
const FLAGS = [
  '-O3',
  '-std=c++17',
  '-ffp-contract=fast',
  '-fPIC',
  '-shared',
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL',
];

/**
 * Where the compiled binding is or will be: a file that Node loads.
 * @param {string} folder the one that holds `tensorflow/`
 */
export function bindingPath(folder) {
  return join(cacheFolder(), `binding-${bindingKey(folder)}`, 'binding.node');
}

/**
 * Compile the binding if it is not in the cache.
 * @param {string} folder the one that holds `tensorflow/`
 * @param {AbortSignal} signal
 */
export async function provideBinding(folder, signal) {
  const binding = bindingPath(folder);
  await makeFolder(dirname(binding), signal, async (target) => {
    say('Compiling the binding between Node and TensorFlow (up to a minute).');
    const output = join(target, basename(binding));
    const result = await runProgram(compiler(), compilerArguments(folder, output), { signal });
    if (result.code === 0) return;
    throw new SetupFailure(
      `${compiler()} could not compile the binding (${tellingLine(result.output)}): it must be a C++17 compiler, such as g++ 9 or newer.`,
    );
  });
}

/**
 * Make sure of a compiler, before anything big is fetched.
 * @param {AbortSignal} signal
 */
export async function requireCompiler(signal) {
  const { code, missing, output } = await runProgram(compiler(), ['--version'], { signal });
  if (code === 0) return;
  throw new SetupFailure(
    missing
      ? `Set-up compiles a small file with ${compiler()}, but there is none: install g++ (Debian, Ubuntu: apt install g++) and start set-up again.`
      : `${compiler()} does not start (${tellingLine(output)}): install g++ and start set-up again.`,
  );
}

function compiler() {
  return process.env.CXX || 'g++';
}

/**
 * Names the binding by all that goes into it, so that a change of any makes a new one.
 * @param {string} folder
 */
function bindingKey(folder) {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([systemName(), TENSORFLOW, relative(cacheFolder(), folder), FLAGS]));
  for (const path of [...sources(), ...headers()]) hash.update(path.slice(PROJECT.length)).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

function sources() {
  return filesOf(SOURCES).filter((path) => path.endsWith('.cc'));
}

function headers() {
  return [SOURCES, ...NODE_HEADERS].flatMap(filesOf).filter((path) => path.endsWith('.h'));
}

/** @param {string} folder */
function filesOf(folder) {
  const names = readdirSync(folder);
  // toSorted() is newer than the oldest Node that runs this.
  // oxlint-disable-next-line unicorn/no-array-sort
  return names.sort().map((name) => join(folder, name));
}

/**
 * @param {string} folder
 * @param {string} output
 */
function compilerArguments(folder, output) {
  const libraries = join(folder, 'tensorflow');
  // Relative, so that the cache can move. A library does not hand its own search path on: both are linked by name.
  const [origin, byName] =
    process.platform === 'darwin'
      ? [
          '@loader_path',
          libraryNames()
            .map((name) => join(libraries, name))
            .concat('-undefined', 'dynamic_lookup'),
        ]
      : ['$ORIGIN', [`-L${libraries}`, ...libraryNames().map((name) => `-l:${name}`)]];
  const includes = [...NODE_HEADERS, join(libraries, 'include')].map((path) => `-I${path}`);
  const rpath = `-Wl,-rpath,${origin}/../${relative(cacheFolder(), libraries)}`;
  return [...FLAGS, ...includes, ...sources(), '-o', output, ...byName, rpath];
}
