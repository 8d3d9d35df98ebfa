/** `.cache/engine.json`: which engine this clone runs. Written here, read by core/engine/install.ts. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ENGINE_FILE } from './places.mjs';

/**
 * @typedef {object} EngineChoice
 * @property {'cpu' | 'gpu'} pack
 * @property {string} tensorflow version
 * @property {string} folder holds `tensorflow/`, for the GPU pack `nvidia/` too
 * @property {string} binding the file that Node loads
 * @property {string[]} libraryPath folders the system's loader has to search, none for the processor
 * @property {string} node program of the Node to run under
 */

/**
 * What was chosen before, or undefined.
 * @returns {EngineChoice | undefined}
 */
export function readEngineFile() {
  if (!existsSync(ENGINE_FILE)) return undefined;
  try {
    return JSON.parse(readFileSync(ENGINE_FILE, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {EngineChoice} choice */
export async function writeEngineFile(choice) {
  const text = `${JSON.stringify(choice, null, 2)}\n`;
  if (existsSync(ENGINE_FILE) && readFileSync(ENGINE_FILE, 'utf8') === text) return;
  await mkdir(dirname(ENGINE_FILE), { recursive: true });
  const temporary = `${ENGINE_FILE}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, ENGINE_FILE);
}
