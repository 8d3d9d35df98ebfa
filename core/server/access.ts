/** Which files a caller may name. */
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileError, systemCode, UserError } from '../base/errors.ts';

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
  const isBelow = (path: string): boolean => canonicalRoots.some((root) => isWithin(root, path));
  return {
    kind: 'loopback',
    roots: canonicalRoots,
    check(path) {
      const found = canonical(requireAbsolute(path));
      if (isBelow(found)) return found;
      throw new UserError(
        'no-permission',
        `${path} lies outside the folders that this service was started for (${canonicalRoots.join(', ') || 'none'}): start it with --root for that folder.`,
      );
    },
    allows(path) {
      try {
        return isBelow(canonical(path));
      } catch (error) {
        if (error instanceof UserError) return false;
        throw error;
      }
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

/** Links that are followed, one after the other, before a path is given up. */
const MOST_LINKS = 40;

/**
 * Follow all links of the part of a path that exists; the rest has none. A link to nothing counts as where it leads to:
 * something may be made there through it.
 * @throws UserError 'usage' for links in a circle, and what the system says of a folder that cannot be entered
 */
function canonical(path: string, links = 0): string {
  if (links > MOST_LINKS)
    throw new UserError('usage', `${path} is a link that leads to itself: name a file or folder.`);
  try {
    return realpathSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw fileError(error, 'look at', path);
  }
  if (isLink(path)) return canonical(resolve(dirname(path), readlinkSync(path)), links + 1);
  const parent = dirname(path);
  return parent === path ? path : join(canonical(parent, links), basename(path));
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

function requireAbsolute(path: string): string {
  if (isAbsolute(path) && !path.includes('\0')) return resolve(path);
  throw new UserError('usage', `${JSON.stringify(path)} is not an absolute path: name the file or folder in full.`);
}
