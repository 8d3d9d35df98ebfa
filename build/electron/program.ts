/** Electron's program: the installed one, fetched by npm's package at its first use where the network allows. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = join(import.meta.dirname, '..', '..', 'node_modules', 'electron');

/** As Electron names it, by system. */
const PROGRAMS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: 'Electron.app/Contents/MacOS/Electron',
  win32: 'electron.exe',
};

/** A program, or one sentence why there is none. */
export type Found = { readonly program: string } | { readonly reason: string };

/**
 * Look for Electron.
 * @param fetch try to get it where it is missing, which takes a minute and 120 MB
 */
export function findElectron({ fetch }: { fetch: boolean }): Found {
  const name = PROGRAMS[process.platform] ?? 'electron';
  const own = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (own) {
    const program = join(own, name);
    return existsSync(program) ? { program } : { reason: `there is no Electron at ${own}` };
  }
  const program = join(PACKAGE, 'dist', name);
  const { version }: { version: string } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  if (existsSync(program)) return { program };
  if (!fetch) return { reason: `Electron ${version} is not installed` };
  console.log(`Getting Electron ${version} (some 120 MB).`);
  // Its own script verifies what it fetches by the hashes in the package.
  const { status } = spawnSync(process.execPath, [join(PACKAGE, 'install.js')], { stdio: 'ignore', timeout: 600_000 });
  return status === 0 && existsSync(program)
    ? { program }
    : { reason: `Electron ${version} could not be fetched from its releases` };
}

/** Why no window can be shown here, or undefined. */
export function displayProblem(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (process.platform !== 'linux') return undefined;
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return 'there is no display';
  return process.getuid?.() === 0 ? 'Chromium refuses to start its sandbox as root' : undefined;
}
