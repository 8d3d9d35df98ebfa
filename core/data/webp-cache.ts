/** Small WebP files that are kept to be made only once. A cache: what is damaged counts as not there. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TEMPORARY_SUFFIX } from '../base/durable-file.ts';
import { fileError, systemCode } from '../base/errors.ts';

/** A kept file; undefined when there is none, or a power loss left a part of one. @throws UserError */
export async function readKept(path: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(path);
    // RIFF files say their own length (without the first 8 bytes, padded to even).
    return bytes.length >= 12 && bytes.readUInt32LE(4) + 8 === bytes.length ? bytes : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read a thumbnail', path);
  }
}

/** Not synced: it is checked when it is read, and made anew for the asking. @throws UserError */
export async function keep(path: string, bytes: Buffer): Promise<void> {
  const part = `${path}.${randomUUID()}${TEMPORARY_SUFFIX}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(part, bytes);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw fileError(error, 'keep a thumbnail', path);
  }
}
