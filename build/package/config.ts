/** Configuration of electron-builder 26: its website describes the keys of 27, some of which have other names. */
import { join } from 'node:path';
import type { Configuration } from 'electron-builder';
import { STAGE } from './stage.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export const ICONS = join(ROOT, 'out', 'icons');

/** Where packages go. */
export const PACKAGES = join(ROOT, 'out', 'packages');

/** Folders and files of the stage, which lie in the package's folder of resources under the same names. */
export const RESOURCES = ['contexture', 'engine', 'node', 'licences.txt', 'README.md'];

/** What the Dock lets a person drop on the icon, beside projects; other programs stay those that open it. */
const DROPPED_ON_A_MAC = {
  CFBundleTypeName: 'Images in class folders',
  CFBundleTypeRole: 'Viewer',
  LSHandlerRank: 'Alternate',
  LSItemContentTypes: [
    'public.folder',
    'public.zip-archive',
    'public.comma-separated-values-text',
    'public.tab-separated-values-text',
  ],
};

/**
 * Everything that a package depends on.
 * @param electronDist folder of an unpacked Electron; undefined to let electron-builder fetch the one of package.json
 */
export function packageConfig(electronDist: string | undefined): Configuration {
  return {
    appId: 'app.contexture.desktop',
    productName: 'Contexture',
    copyright: 'MIT licence',
    directories: { app: join(ROOT, 'out', 'electron'), output: PACKAGES, buildResources: ICONS },
    ...(electronDist === undefined ? {} : { electronDist }),
    // The archive holds the shell and nothing else. The shell is bundled: it has no packages to install or rebuild.
    asar: true,
    files: ['main.cjs', 'preload.cjs', 'package.json', '!node_modules'],
    npmRebuild: false,
    extraResources: RESOURCES.map((name) => ({ from: join(STAGE, name), to: name })),
    electronLanguages: ['en-US'],
    // Flipped before signing; a test reads them back.
    electronFuses: {
      // Nobody starts our program as a plain Node, or with a debugger.
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      // There are no cookies.
      enableCookieEncryption: false,
      // macOS and Windows check the archive before they load it; these two belong together.
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      // Nothing is loaded from file: addresses.
      grantFileProtocolExtraPrivileges: false,
    },
    // Nothing is sent anywhere by a build.
    publish: null,
    fileAssociations: [
      { ext: 'contexture', name: 'Contexture project', role: 'Editor', mimeType: 'application/x-contexture' },
    ],
    linux: {
      target: ['AppImage', 'deb'],
      // What may be dropped on the icon, beside projects.
      mimeTypes: ['inode/directory', 'application/zip', 'text/csv', 'text/tab-separated-values'],
      executableName: 'contexture',
      category: 'Graphics',
      icon: ICONS,
      synopsis: 'A studio for long-tailed image classes',
      maintainer: 'The Contexture authors',
    },
    deb: {
      // Electron's own, and what TensorFlow and sharp link against.
      depends: ['libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1', 'libxss1', 'libstdc++6', 'xdg-utils'],
    },
    // Untried: nobody has built these two.
    mac: {
      target: ['dmg'],
      category: 'public.app-category.graphics-design',
      icon: join(ICONS, 'icon.icns'),
      // Signed by who releases it; Node and the libraries beside the archive are signed with the app.
      hardenedRuntime: true,
      gatekeeperAssess: false,
      extendInfo: { CFBundleDocumentTypes: [DROPPED_ON_A_MAC] },
    },
    // There is no current TensorFlow library for Windows: the package has no engine, and the doctor says to use WSL2.
    win: { target: ['nsis'], icon: join(ICONS, 'icon.ico') },
  };
}
