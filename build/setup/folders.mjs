/**
 * Shared folders that several set-ups may want at once. A folder is filled under a temporary name, synced, and renamed,
 * so whoever sees it sees it whole, whatever was interrupted before.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted, SetupFailure } from './failure.mjs';
import { cacheFolder } from './places.mjs';
import { say, size } from './say.mjs';

/** A lock's holder touches it every second; one that was not touched for this long is left over. */
const STALE_MS = 10_000;

/**
 * Make `target` by filling a new folder. Returns at once when it is there; waits while another process makes it.
 * @param {string} target
 * @param {AbortSignal} signal
 * @param {(folder: string) => Promise<void>} fill
 */
export async function makeFolder(target, signal, fill) {
  if (existsSync(target)) return;
  await mkdir(dirname(target), { recursive: true });
  await withLock(`${target}.lock`, signal, async () => {
    if (existsSync(target)) return;
    await removeLeftovers(target);
    const temporary = `${target}.${randomUUID()}.part`;
    await mkdir(temporary);
    try {
      await fill(temporary);
      await syncTree(temporary);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      // A holder that was suspended lost its lock: then two have filled the same folder, and the first one counts.
      if (!existsSync(target)) throw error;
    }
    await syncEntry(dirname(target));
  });
}

/**
 * Hold the lock `path` while `work` runs.
 * @template T
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, signal, work) {
  const id = randomUUID();
  let told = false;
  while (!(await tryLock(path, id))) {
    if (!told) say('Another set-up is at work on the same part; waiting for it.');
    told = true;
    await pause(signal);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readFile(path, 'utf8').catch(() => '')) === id) await rm(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} id
 */
async function tryLock(path, id) {
  const create = () =>
    writeFile(path, id, { flag: 'wx' }).then(
      () => true,
      (error) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
  if (await create()) return true;
  const touched = await stat(path).then(
    (found) => found.mtimeMs,
    () => Date.now(),
  );
  if (Date.now() - touched < STALE_MS) return false;
  await rm(path, { force: true });
  if (!(await create())) return false;
  // Two may have found the same stale lock, and the slower one may have removed the lock of the faster: look again.
  await sleep(200);
  return (await readFile(path, 'utf8').catch(() => '')) === id;
}

/** @param {AbortSignal} signal */
async function pause(signal) {
  await sleep(300, undefined, { signal }).catch(() => {
    throw new Interrupted();
  });
}

/** @param {string} target */
async function removeLeftovers(target) {
  const prefix = `${basename(target)}.`;
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(prefix) || !name.endsWith('.part')) continue;
    await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

/**
 * Sync all files below `folder` to the disk, so that a rename cannot outlive the bytes in a power loss.
 * @param {string} folder
 */
async function syncTree(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncEntry(path);
  }
  await syncEntry(folder);
}

/** @param {string} path */
async function syncEntry(path) {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Bytes of all files below `folder`; what vanishes meanwhile is not counted.
 * @param {string} folder
 * @returns {Promise<number>}
 */
export async function bytesBelow(folder) {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += await bytesBelow(path);
    else sum += (await stat(path).catch(() => ({ size: 0 }))).size;
  }
  return sum;
}

/**
 * Refuse to start what cannot fit.
 * @param {string} folder made if needed
 * @param {number} bytes needed
 * @param {string} what as in "TensorFlow"
 * @param {(folder: string) => Promise<number>} free bytes that we may use where `folder` is
 */
export async function requireSpace(folder, bytes, what, free = freeBytes) {
  await mkdir(folder, { recursive: true });
  const found = await free(folder);
  if (found >= bytes) return;
  const elsewhere = folder === cacheFolder() ? ', or set CONTEXTURE_CACHE to a folder on another disk' : '';
  throw new SetupFailure(
    `${what} needs ${size(bytes)} in ${folder}, but only ${size(found)} are free there: free some space${elsewhere}.`,
  );
}

/** @param {string} folder */
async function freeBytes(folder) {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
