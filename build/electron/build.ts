/** `npm run build:electron`: the shell's sources as two CommonJS files and a manifest, in out/electron. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build } from 'vite';

const ROOT = join(import.meta.dirname, '..', '..');
const OUT = join(ROOT, 'out', 'electron');

/** What the syntax is lowered to: the oldest Electron that our tests run on has Node 16. */
const TARGET = 'node16';

/**
 * Main and preload one after the other, each whole in one file: a sandboxed preload can load nothing but Electron.
 * @param name of the entry, as in electron/NAME.ts
 */
async function bundle(name: 'main' | 'preload'): Promise<void> {
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    // Files of the page are not the shell's.
    publicDir: false,
    build: {
      outDir: OUT,
      emptyOutDir: false,
      target: TARGET,
      minify: false,
      // For the licences of all parts; the preload bundles nobody else's code.
      license: name === 'main' && { fileName: 'licences.md' },
      ssr: true,
      rollupOptions: {
        input: join(ROOT, 'electron', `${name}.ts`),
        output: { format: 'cjs', entryFileNames: `${name}.cjs`, codeSplitting: false },
        external: (specifier) => specifier.startsWith('electron/') || isBuiltin(specifier),
      },
    },
    ssr: { noExternal: true },
  });
}

/** Build everything anew. */
export async function buildShell(): Promise<void> {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  await bundle('main');
  await bundle('preload');
  const { version, description, license }: Record<string, string> = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );
  // The name is also that of the folder with the user's data.
  const manifest = {
    name: 'contexture',
    productName: 'Contexture',
    version,
    description,
    author: 'The Contexture authors',
    license,
    main: 'main.cjs',
  };
  writeFileSync(join(OUT, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

if (import.meta.main) await buildShell();
