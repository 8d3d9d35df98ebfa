/**
 * The private socket: a Unix socket in a folder that only the user can enter (a named pipe on Windows), and a token beside
 * it. The folder's name is short because a socket's path may have some hundred bytes only.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemCode, UserError } from '../base/errors.ts';
import { stateFolder } from '../base/state-folder.ts';

const PREFIX = 'contexture-';
/** Longest path of a socket on Linux (108) and macOS (104), less its end mark. */
const LONGEST = 103;

export interface PrivateSocket {
  /** Path to listen on. */
  readonly path: string;
  readonly token: string;
  /** Take it away. */
  remove(): void;
}

/** Where the token of a service lies that another program of this user wants to ask. */
export function tokenFile(socket: string, platform = process.platform): string {
  if (platform === 'win32') return join(stateFolder(), `${socket.split('\\').at(-1)}.token`);
  return join(dirname(socket), 'token');
}

/**
 * The token of another service of this user.
 * @returns undefined where there is none; where the folder is not the user's own alone it is not theirs to answer either
 */
export function readToken(socket: string): string | undefined {
  try {
    if (process.platform !== 'win32') {
      const folder = lstatSync(dirname(socket));
      if (!folder.isDirectory() || folder.uid !== process.getuid?.() || (folder.mode & 0o077) !== 0) return undefined;
    }
    return readFileSync(tokenFile(socket), 'utf8');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** A new token, 256 bits. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** @throws UserError 'usage' when the folder for temporary files has too long a name */
export function makePrivateSocket(): PrivateSocket {
  const token = newToken();
  if (process.platform === 'win32') {
    const path = `\\\\.\\pipe\\${PREFIX}${randomUUID()}`;
    writeFileSync(tokenFile(path), token, { mode: 0o600 });
    return { path, token, remove: () => rmSync(tokenFile(path), { force: true }) };
  }
  const parent =
    process.env.XDG_RUNTIME_DIR && existsSync(process.env.XDG_RUNTIME_DIR) ? process.env.XDG_RUNTIME_DIR : tmpdir();
  removeDead(parent);
  const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  chmodSync(folder, 0o700);
  const path = join(folder, 's');
  if (Buffer.byteLength(path) > LONGEST) {
    rmSync(folder, { recursive: true });
    throw new UserError('usage', `${parent} has too long a name for a socket: set TMPDIR to a shorter one.`);
  }
  writeFileSync(tokenFile(path), token, { mode: 0o600 });
  return { path, token, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Remove what killed services have left behind. */
function removeDead(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^contexture-(\d+)-\w{6}$/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(parent, name), { recursive: true });
    } catch (error) {
      // Another user's; theirs to remove.
      if (systemCode(error) === undefined) throw error;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
