/** What is built into out/: the page, the shell, the licences; each again only when what goes into it has changed. */
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { buildShell } from './electron/build.ts';
import { licences } from './package/licences.ts';
import { withLock } from './setup/folders.mjs';

const ROOT = join(import.meta.dirname, '..');

interface Output {
  /** File or folder below out/. */
  readonly path: string;
  /** All that goes into it; the lock file stands for the packages. */
  readonly sources: readonly string[];
  readonly make: () => Promise<unknown>;
}

const OUTPUTS: Readonly<Record<'page' | 'shell' | 'licences', Output>> = {
  page: {
    path: 'page',
    sources: [
      'renderer/**/*',
      'core/api/*',
      // The pure modules of build/import-rules.ts.
      'core/contexts/{guided-filter,mask,mask-morphology}.ts',
      'core/training/{bicubic,warnings}.ts',
      'build/vite.page.ts',
      'package-lock.json',
    ],
    make: () =>
      build({
        configFile: join(ROOT, 'build', 'vite.page.ts'),
        logLevel: 'warn',
        // For the licences of all parts.
        build: { license: { fileName: 'licences.md' } },
      }),
  },
  shell: {
    path: 'electron',
    sources: ['electron/*', 'core/api/bridge.ts', 'build/electron/*', 'package.json', 'package-lock.json'],
    make: buildShell,
  },
  licences: {
    path: 'licences.txt',
    // What the page and the shell have bundled lies in their folders.
    sources: ['out/*/licences.md', 'build/package/licences.ts', 'package-lock.json', 'LICENSE'],
    make: async () => writeFileSync(join(ROOT, 'out', 'licences.txt'), licences(ROOT, [])),
  },
};

/**
 * Build what is not there or not made from the sources as they are.
 * @param announce called before it is built, which takes up to half a minute
 * @returns whether it had to
 */
export async function ensureBuilt(name: keyof typeof OUTPUTS, announce?: () => void): Promise<boolean> {
  const { path, sources, make } = OUTPUTS[name];
  const out = join(ROOT, 'out');
  const stamp = join(out, `${path}.sources`);
  mkdirSync(out, { recursive: true });
  // Tests run side by side, and a start may come while they do.
  return withLock(join(out, `${path}.lock`), new AbortController().signal, async () => {
    const wanted = hashOf(sources);
    if (existsSync(join(out, path)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;
    announce?.();
    await make();
    writeFileSync(stamp, wanted);
    return true;
  });
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
