/** What is built from sources into out/: the page and the shell, each again only when what goes into it has changed. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { buildShell } from './electron/build.ts';

const ROOT = join(import.meta.dirname, '..');

interface Output {
  /** Below out/. */
  readonly folder: string;
  /** All that goes into it; the lock file stands for the packages. */
  readonly sources: readonly string[];
  readonly make: () => Promise<unknown>;
}

const OUTPUTS: Readonly<Record<'page' | 'shell', Output>> = {
  page: {
    folder: 'page',
    sources: ['renderer/**/*', 'core/api/*', 'build/vite.page.ts', 'package-lock.json'],
    make: () =>
      build({
        configFile: join(ROOT, 'build', 'vite.page.ts'),
        logLevel: 'warn',
        // For the licences of all parts.
        build: { license: { fileName: 'licences.md' } },
      }),
  },
  shell: {
    folder: 'electron',
    sources: ['electron/*', 'core/api/bridge.ts', 'build/electron/*', 'package.json', 'package-lock.json'],
    make: buildShell,
  },
};

/** Build what is not there or not made from the sources as they are. @returns whether it had to */
export async function ensureBuilt(name: keyof typeof OUTPUTS): Promise<boolean> {
  const { folder, sources, make } = OUTPUTS[name];
  const stamp = join(ROOT, 'out', `${folder}.sources`);
  const wanted = hashOf(sources);
  if (existsSync(join(ROOT, 'out', folder)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted)
    return false;
  await make();
  writeFileSync(stamp, wanted);
  return true;
}

/** One hash of the names and contents of files. */
function hashOf(patterns: readonly string[]): string {
  const hash = createHash('sha256');
  const entries = globSync(patterns, { cwd: ROOT, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of entries.map(({ parentPath, name }) => join(parentPath, name)).toSorted()) {
    hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}
