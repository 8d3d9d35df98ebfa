/**
 * Who has a project open. The lock itself belongs to the storage (SQLite holds it through the system, so it ends with its
 * process, however that ends); `birds.contexture.lock` beside the project only names its holder, so that a second writer
 * is refused by name. It is written after the lock is won and removed before the lock is given back; one that a crash
 * left behind is overwritten by the next holder.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { removeQuietly, writeDurably } from '../base/durable-file.ts';
import { UserError } from '../base/errors.ts';
import type { LockHolder } from './project-store.ts';

const Holder = z.object({
  pid: z.int(),
  host: z.string(),
  program: z.string(),
  since: z.string(),
  socket: z.string().optional(),
});

/** Where the holder of a project is named. */
export function lockFile(projectFile: string): string {
  return `${projectFile}.lock`;
}

/**
 * Name the holder. Only for whoever holds the lock.
 * @throws UserError 'no-space', 'no-permission'
 */
export function nameHolder(projectFile: string, holder: LockHolder): void {
  writeDurably(lockFile(projectFile), [Buffer.from(`${JSON.stringify(holder)}\n`)]);
}

/** Take the name away. Only for whoever holds the lock. */
export function forgetHolder(projectFile: string): void {
  // A name without a lock harms nobody, and a project must close whatever its folder allows by now.
  removeQuietly(lockFile(projectFile));
}

/** The refusal of a second writer: names the holder where that is known. */
export function lockedError(projectFile: string, cause?: unknown): UserError {
  const holder = readHolder(projectFile);
  const where = holder
    ? `${holder.program} (process ${holder.pid} on ${holder.host} since ${holder.since})`
    : 'another program';
  return new UserError('locked', `${projectFile} is open in ${where}. Close it there or wait.`, { cause });
}

/** Who has a project open, as far as that is written beside it; the lock itself may be free again. */
export function readHolder(projectFile: string): LockHolder | undefined {
  try {
    const { socket, ...holder } = Holder.parse(JSON.parse(readFileSync(lockFile(projectFile), 'utf8')));
    return socket === undefined ? holder : { ...holder, socket };
  } catch {
    // Not written yet, or not ours: the refusal stands without a name.
    return undefined;
  }
}
