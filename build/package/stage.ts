/**
 * What lies in a package beside the shell's archive, since plain Node reads no archive: the service with its jobs and
 * modules, Node itself, and TensorFlow's two libraries with our binding.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { readEngineFile } from '../setup/engine-file.mjs';
import { cpuPack, libraryNames } from '../setup/tensorflow.mjs';
import { licences, programLicences } from './licences.ts';
import { isNeeded, runtimePackages } from './packages.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Where it is put together for a package. */
export const STAGE = join(ROOT, 'out', 'stage');

/** Parts of our own sources that run, and what of them does not. */
const SOURCES = ['core', 'db', 'out/page'];
const NOT_RUN = /^core\/engine\/native(?:\/|$)|\/README\.md$/;

/**
 * Put everything together anew, for this system: a package is built on the system that it is for.
 * @param target the folder
 * @param electron folder of Electron, for its licence
 */
export function stage(target: string, electron: string): void {
  const engine = readEngineFile();
  if (engine === undefined || engine.pack !== 'cpu') {
    throw new Error('A package holds the engine for the processor: run "npm run setup -- --engine cpu" first.');
  }
  rmSync(target, { recursive: true, force: true });
  stageProgram(join(target, 'contexture'));
  const folder = join(target, 'node');
  mkdirSync(folder, { recursive: true });
  const node = join(folder, basename(engine.node));
  cpSync(engine.node, node, { dereference: true });
  // Names for functions inside Node that nobody who runs it needs.
  strip(node);
  stageEngine(join(target, 'engine'), engine, relative(target, node));
  writeFileSync(join(target, 'licences.txt'), licences(ROOT, programLicences(electron, engine.node)));
  cpSync(join(ROOT, 'README.md'), join(target, 'README.md'));
}

/** Our sources, and the packages they run on. */
function stageProgram(target: string): void {
  for (const source of SOURCES) {
    cpSync(join(ROOT, source), join(target, source), {
      recursive: true,
      filter: (path) => !NOT_RUN.test(fromRoot(path)),
    });
  }
  const system = `${process.platform}-${process.arch}`;
  for (const one of runtimePackages(ROOT)) {
    for (const entry of readdirSync(join(ROOT, one.path), { recursive: true, withFileTypes: true })) {
      const path = fromRoot(join(entry.parentPath, entry.name));
      // What a package brings along inside itself is a package of its own.
      if (!entry.isFile() || path.slice(one.path.length).includes('/node_modules/') || !isNeeded(one, path, system))
        continue;
      mkdirSync(dirname(join(target, path)), { recursive: true });
      cpSync(join(ROOT, path), join(target, path));
    }
  }
  const { name, version, type, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ name, version, type, license }, null, 2)}\n`);
}

/**
 * TensorFlow's libraries and the binding, in folders with the names that they have in the cache: the binding looks for
 * the libraries beside itself by those names.
 */
function stageEngine(
  target: string,
  engine: { folder: string; binding: string; tensorflow: string },
  node: string,
): void {
  const folder = basename(cpuPack().folder);
  const libraries = join(target, folder, 'tensorflow');
  mkdirSync(libraries, { recursive: true });
  for (const name of libraryNames()) {
    cpSync(join(engine.folder, 'tensorflow', name), join(libraries, name), { dereference: true });
    strip(join(libraries, name));
  }
  const binding = join(basename(dirname(engine.binding)), basename(engine.binding));
  cpSync(engine.binding, join(target, binding));
  const { tensorflow } = engine;
  const text = JSON.stringify({ pack: 'cpu', tensorflow, folder, binding, libraryPath: [], node }, null, 2);
  writeFileSync(join(target, 'engine.json'), `${text}\n`);
}

/** Take out what only a debugger reads: a quarter of TensorFlow. Where there is no tool for it, it stays. */
function strip(file: string): void {
  if (process.platform !== 'linux' || spawnSync('strip', ['--version']).error) return;
  execFileSync('strip', ['--strip-unneeded', file]);
}

/** Path from the project, with "/". */
function fromRoot(path: string): string {
  return relative(ROOT, path).split(sep).join('/');
}

/** Bytes of all files below a folder. */
export function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
