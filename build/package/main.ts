/**
 * `npm run package [-- --dir]`: builds packages for this system into out/packages; with `--dir` an unpacked one, which
 * needs no tools from the network. `CONTEXTURE_ELECTRON_DIST` names an unpacked Electron to take.
 */
import { join } from 'node:path';
import { build, type Configuration, Platform } from 'electron-builder';
import { ensureBuilt } from '../outputs.ts';
import { ICONS, packageConfig, PACKAGES } from './config.ts';
import { makeIcons } from './icons.ts';
import { bytesOf, stage, STAGE } from './stage.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface PackageOptions {
  /** Only an unpacked one. */
  readonly dir: boolean;
  /** Folder of an unpacked Electron; undefined to let electron-builder fetch the one of package.json. */
  readonly electronDist?: string | undefined;
  /** Takes the place of parts of the configuration. */
  readonly change?: Configuration;
}

/** @returns the packages' files; none for an unpacked one */
export async function makePackage({ dir, electronDist, change }: PackageOptions): Promise<string[]> {
  await ensureBuilt('page');
  await ensureBuilt('shell');
  await makeIcons(join(ROOT, 'renderer', 'icon.svg'), ICONS);
  stage(STAGE, electronDist ?? join(ROOT, 'node_modules', 'electron', 'dist'));
  console.log(`Beside the shell: ${(bytesOf(STAGE) / 1e6).toFixed(0)} MB.`);
  return build({
    projectDir: ROOT,
    targets: Platform.current().createTarget(dir ? 'dir' : undefined),
    config: { ...packageConfig(electronDist), ...change },
    publish: 'never',
  });
}

if (import.meta.main) {
  const electronDist = process.env.CONTEXTURE_ELECTRON_DIST;
  const made = await makePackage({ dir: process.argv.includes('--dir'), electronDist });
  console.log(made.length > 0 ? made.join('\n') : `Unpacked below ${PACKAGES}.`);
}
