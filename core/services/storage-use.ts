/** How large a project's files are, and what of them can go. */
import { readdir, rm, stat } from 'node:fs/promises';
import { rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { AppStorageUse, CleanableAppPart, CleanablePart, ProjectStorageUse } from '../api/storage.ts';
import { cacheFolder } from '../base/cache-folder.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { freeBytes } from '../base/free-space.ts';
import { stateFolder } from '../base/state-folder.ts';
import { readEngineInstall, type EngineInstall } from '../engine/install.ts';
import { readManifest } from '../export/manifest.ts';
import { packFolder } from '../data/packed.ts';
import { backupFolder, filesFolder, type Project } from '../storage/project.ts';
import type { BlobId } from '../storage/records.ts';

export interface Amount {
  files: number;
  bytes: number;
}

interface FoundFile {
  path: string;
  bytes: number;
}

/** Files that are looked at in one go. */
const AT_ONCE = 64;

/** Sizes of a project's files. */
export async function projectStorage(project: Project): Promise<Omit<ProjectStorageUse, 'busy'>> {
  const blobs = await filesIn(project.blobs.folder);
  const unused = unusedBlobs(project, blobs);
  const isUnused = new Set(unused);
  const folders = cacheFolders(project);
  const cache = await filesIn(project.cacheFolder);
  const within = (folder: string): FoundFile[] => cache.filter(({ path }) => path.startsWith(join(folder, '/')));
  const [packs, thumbnails] = [folders.packs, folders.thumbnails].map((list) => list.flatMap((each) => within(each)));
  const known = new Set([...packs, ...thumbnails]);
  return {
    fileBytes: ['', '-wal', '-shm'].reduce((sum, suffix) => sum + sizeOf(project.file + suffix), 0),
    parts: [
      { name: 'blobs', ...amount(blobs.filter((blob) => !isUnused.has(blob))) },
      { name: 'unused', ...amount(unused) },
      { name: 'runs', ...amount(await filesIn(join(filesFolder(project.file), 'runs'))) },
      { name: 'packs', ...amount(packs) },
      { name: 'thumbnails', ...amount(thumbnails) },
      { name: 'other-cache', ...amount(cache.filter((file) => !known.has(file))) },
      { name: 'backups', ...amount(await filesIn(backupFolder(project.file))) },
    ],
    free: freeBytes(project.file),
  };
}

/**
 * Delete what can be made anew, or what nothing refers to.
 * @param refuse throws while something is at work that could be about to use it; asked again right before blobs go
 * @returns what was freed
 * @throws UserError 'no-permission', … naming the file
 */
export async function cleanProject(
  project: Project,
  parts: readonly CleanablePart[],
  refuse: () => void,
): Promise<Amount> {
  refuse();
  const folders = cacheFolders(project);
  let freed: Amount = { files: 0, bytes: 0 };
  const add = (more: Amount): void => {
    freed = { files: freed.files + more.files, bytes: freed.bytes + more.bytes };
  };
  for (const part of new Set(parts)) {
    if (part === 'unused') {
      const blobs = await filesIn(project.blobs.folder);
      // No request and no task comes between this look and the last deletion.
      refuse();
      const unused = unusedBlobs(project, blobs);
      for (const { path } of unused) removeNow(path);
      add(amount(unused));
    } else if (part === 'other-cache') {
      const known = new Set([...folders.packs, ...folders.thumbnails].map((folder) => basename(folder)));
      for (const name of await namesIn(project.cacheFolder)) {
        if (!known.has(name)) add(await removeFolder(join(project.cacheFolder, name)));
      }
    } else {
      const doomed = part === 'backups' ? [backupFolder(project.file)] : folders[part];
      for (const folder of doomed) add(await removeFolder(folder));
    }
  }
  return freed;
}

function cacheFolders({ cacheFolder: folder }: Project): Record<'packs' | 'thumbnails', string[]> {
  return { packs: [packFolder(folder)], thumbnails: [join(folder, 'thumbnails'), join(folder, 'masks')] };
}

/** Blobs that no record names, nor the manifest of an export that is there. */
function unusedBlobs({ store }: Project, blobs: readonly FoundFile[]): FoundFile[] {
  const ids = blobs.map(({ path }) => blobOf(path));
  const named = store.namedBlobs(ids.filter((id) => id !== undefined));
  for (const { path } of store.exports.list()) for (const id of manifestBlobs(path)) named.add(id);
  return blobs.filter((_, index) => {
    const id = ids[index];
    return id !== undefined && !named.has(id);
  });
}

/** The blob that lies there; undefined for what is none. */
function blobOf(path: string): BlobId | undefined {
  const id = path.split(/[/\\]/).slice(-2).join('');
  return /^[0-9a-f]{64}$/.test(id) ? id : undefined;
}

/** What a check of the export will want to read. */
function manifestBlobs(folder: string): BlobId[] {
  try {
    const { dataset, bank } = readManifest(folder).manifest;
    return [dataset.blob, bank.blob];
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** What of the app's cache is what; all else there is the engine's. */
const APP_PARTS: Readonly<Record<CleanableAppPart, string>> = { compiled: 'compiled', logs: 'logs' };

/** Sizes of the app's own files. The engine is left out where it is not set up. */
export async function appStorage(): Promise<AppStorageUse> {
  const folder = cacheFolder();
  const own = Object.values(APP_PARTS);
  const others = (await namesIn(folder)).filter((name) => !own.includes(name)).map((name) => join(folder, name));
  const engine = await sizeOfAll([...new Set([...engineFolders(), ...others])]);
  return {
    cacheFolder: folder,
    stateFolder: stateFolder(),
    parts: [
      ...(engine.files > 0 ? [{ name: 'engine' as const, ...engine }] : []),
      { name: 'compiled', ...(await sizeOfAll([join(folder, APP_PARTS.compiled)])) },
      { name: 'logs', ...(await sizeOfAll([join(folder, APP_PARTS.logs)])) },
    ],
  };
}

async function sizeOfAll(folders: readonly string[]): Promise<Amount> {
  return amount((await Promise.all(folders.map((folder) => filesIn(folder)))).flat());
}

/**
 * Folders of the engine in use, wherever it was set up: TensorFlow, and what lies beside it of the rest. A Node or libraries
 * from elsewhere are the system's.
 */
function engineFolders(): string[] {
  let install: EngineInstall;
  try {
    install = readEngineInstall();
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
  const { folder, binding, node, libraryPath } = install;
  const beside = dirname(folder);
  return [folder, binding, node, ...libraryPath].flatMap((path) => {
    const [first] = relative(beside, path).split(sep);
    return first === '..' || first === '' || isAbsolute(first) ? [] : [join(beside, first)];
  });
}

/** Delete files of the app that can be made anew. @throws UserError 'no-permission', … naming the file */
export async function cleanApp(parts: readonly CleanableAppPart[]): Promise<Amount> {
  const freed = { files: 0, bytes: 0 };
  for (const part of new Set(parts)) {
    const { files, bytes } = await removeFolder(join(cacheFolder(), APP_PARTS[part]));
    freed.files += files;
    freed.bytes += bytes;
  }
  return freed;
}

async function removeFolder(folder: string): Promise<Amount> {
  const freed = amount(await filesIn(folder));
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw fileError(error, 'clean up', folder);
  }
  return freed;
}

function removeNow(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw fileError(error, 'clean up', path);
  }
}

function amount(files: readonly FoundFile[]): Amount {
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** All files below a folder, links not followed; none where there is no such folder. What vanishes meanwhile is passed over. */
async function filesIn(path: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const files: string[] = [];
    for (const entry of await entriesIn(folder)) {
      if (entry.isDirectory()) folders.push(join(folder, entry.name));
      else if (entry.isFile()) files.push(join(folder, entry.name));
    }
    for (let start = 0; start < files.length; start += AT_ONCE) {
      const some = files.slice(start, start + AT_ONCE);
      const sizes = await Promise.all(
        some.map((file) =>
          stat(file).then(
            ({ size }) => size,
            () => undefined,
          ),
        ),
      );
      for (const [index, bytes] of sizes.entries()) if (bytes !== undefined) found.push({ path: some[index], bytes });
    }
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await entriesIn(folder)).map(({ name }) => name);
}

async function entriesIn(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw fileError(error, 'look into the folder', folder);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
