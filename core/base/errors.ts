/**
 * Errors a person can cause and mend.
 *
 * A `UserError` carries one clear sentence (what happened, to which file or setting, what to do) and a code. Everything
 * else that is thrown is a defect of ours and is shown with its stack.
 */

/** Why something was refused or failed. The code is the contract; the sentence is for people. */
export type ErrorCode =
  | 'usage' // a wrong argument or setting
  | 'not-found' // a file, folder, run, class or context that is not there
  | 'unreadable' // a file or folder that cannot be read
  | 'damaged' // a file whose content is not what it must be
  | 'locked' // the project is open elsewhere
  | 'newer' // the project was written by a newer version
  | 'no-space' // the disk is full
  | 'no-permission' // the system does not let us read or write there
  | 'exists' // something is in the way that must not be overwritten
  | 'empty' // nothing to work on: no images, no test split, no accepted context
  | 'changed' // a source file is not what was imported
  | 'conflict' // somebody else has changed what this change was made on
  | 'engine' // the native engine is missing or does not start
  | 'memory' // out of memory
  | 'diverged' // the loss is not a number
  | 'cancelled' // the user stopped it
  | 'verify'; // an export that is not what its manifest says

/** Exit code of the command line for each error code; 1 is kept for defects. */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  'not-found': 3,
  unreadable: 3,
  damaged: 4,
  newer: 4,
  verify: 4,
  changed: 4,
  locked: 5,
  conflict: 5,
  'no-space': 6,
  'no-permission': 6,
  exists: 6,
  empty: 7,
  engine: 8,
  memory: 9,
  diverged: 9,
  cancelled: 130,
};

/** A failure that the user can understand and act on. `message` is one complete sentence. */
export class UserError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UserError';
    this.code = code;
  }
}

/** A `UserError` as data, to cross a process boundary. */
export interface ErrorData {
  code: ErrorCode | 'defect';
  message: string;
  stack?: string;
}

/** Turn anything thrown into data. */
export function errorToData(error: unknown): ErrorData {
  if (error instanceof UserError) return { code: error.code, message: error.message };
  if (error instanceof Error) return { code: 'defect', message: error.message, stack: error.stack };
  return { code: 'defect', message: String(error) };
}

/** Rebuild the error that `errorToData` took apart. */
export function errorFromData(data: ErrorData): Error {
  if (data.code !== 'defect') return new UserError(data.code, data.message);
  const error = new Error(data.message);
  if (data.stack) error.stack = data.stack;
  return error;
}

/** The system's error code (`ENOENT`, `ENOSPC`, …) of anything thrown, or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Translate a file-system error into a sentence.
 * @param doing what was tried, as in "write the checkpoint"
 * @param path the file or folder it was tried on
 * @returns a `UserError` where the system's code is known, else the error itself
 */
export function fileError(error: unknown, doing: string, path: string): unknown {
  switch (systemCode(error)) {
    case 'ENOENT':
      return new UserError('not-found', `Cannot ${doing}: ${path} does not exist. Check the path.`, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UserError(
        'no-permission',
        `Cannot ${doing}: the system refuses access to ${path}. Check its permissions.`,
        { cause: error },
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new UserError('no-space', `Cannot ${doing}: the disk of ${path} is full. Free some space and go on.`, {
        cause: error,
      });
    case 'ENOTDIR':
    case 'EISDIR':
      return new UserError('usage', `Cannot ${doing}: ${path} is not the right kind of file. Check the path.`, {
        cause: error,
      });
    case 'ENAMETOOLONG':
      return new UserError(
        'usage',
        `Cannot ${doing}: the name of ${path} is longer than the system allows. Choose a shorter one.`,
        { cause: error },
      );
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new UserError(
        'exists',
        `Cannot ${doing}: something else is in the way of ${path}. Move it away or choose another name.`,
        { cause: error },
      );
    case 'EIO':
      return new UserError(
        'unreadable',
        `Cannot ${doing}: the disk of ${path} reports an error. Check the disk and its connection.`,
        { cause: error },
      );
    default:
      return error;
  }
}
