/** The data packs beside the project (notes/data.md): local test material, unpacked outside the repository. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKS = join(import.meta.dirname, '../../../shared/data');

/**
 * Unpack a pack once.
 * @param name "mnist", "cifar10-lt100", "pets-trimaps", …
 * @returns its folder
 * @throws Error naming the missing file
 */
export function unpack(name: string): string {
  const file = join(PACKS, `${name}.tar.xz`);
  const target = join(tmpdir(), 'contexture-packs', name);
  if (existsSync(target)) return target;
  if (!existsSync(file)) throw new Error(`${file} is missing; this measurement needs it`);
  const temporary = `${target}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  execFileSync('tar', ['-xJf', file, '-C', temporary]);
  renameSync(join(temporary, name), target);
  return target;
}
