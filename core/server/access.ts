/** Which files a caller may name. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileError, UserError } from '../base/errors.ts';

export interface Access {
  readonly kind: 'private' | 'loopback';
  /** Canonical folders that may be read and written below; empty where everything may. */
  readonly roots: readonly string[];
  /**
   * The path as it is to be used: absolute, with all links followed as far as it exists.
   * @throws UserError 'usage' when it is relative, 'no-permission' when it lies outside the roots
   */
  check(path: string): string;
  /** Whether `check` would let an absolute path pass. */
  allows(path: string): boolean;
}

/** Of the desktop app and the command line: whatever the user's account may. */
export const privateAccess: Access = {
  kind: 'private',
  roots: [],
  check: (path) => requireAbsolute(path),
  allows: () => true,
};

/**
 * Of a browser: only what lies below folders named at the start.
 * @param roots existing folders
 * @throws UserError 'not-found', 'no-permission' or 'usage' for one that is none
 */
export function loopbackAccess(roots: readonly string[]): Access {
  const canonicalRoots = roots.map(canonicalFolder);
  const allows = (path: string): boolean => canonicalRoots.some((root) => isWithin(root, canonical(path)));
  return {
    kind: 'loopback',
    roots: canonicalRoots,
    allows,
    check(path) {
      const found = canonical(requireAbsolute(path));
      if (allows(found)) return found;
      throw new UserError(
        'no-permission',
        `${path} lies outside the folders that this service was started for (${canonicalRoots.join(', ') || 'none'}): start it with --root for that folder.`,
      );
    },
  };
}

/** Whether `path` is `folder` or lies below it; both canonical. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!isAbsolute(way) && way.split(/[/\\]/)[0] !== '..');
}

function canonicalFolder(root: string): string {
  try {
    if (statSync(root).isDirectory()) return realpathSync(root);
  } catch (error) {
    throw fileError(error, 'serve the folder', root);
  }
  throw new UserError('usage', `${root} is no folder: name one with --root.`);
}

/** Follow all links of the part of a path that exists; the rest has none. */
function canonical(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(canonical(parent), basename(path));
}

function requireAbsolute(path: string): string {
  if (isAbsolute(path) && !path.includes('\0')) return resolve(path);
  throw new UserError('usage', `${JSON.stringify(path)} is not an absolute path: name the file or folder in full.`);
}
