/** What set-up cannot get. `message` is one clear sentence: what is missing, and what to do. */
export class SetupFailure extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'SetupFailure';
  }
}

/** Set-up was stopped by the user; what was finished stays, the next start goes on from there. */
export class Interrupted extends Error {
  constructor() {
    super('Set-up was interrupted; start it again at any time, it goes on with what is missing.');
    this.name = 'Interrupted';
  }
}

/**
 * The system's word for why a file could not be written, as a sentence, or undefined where it is none of those.
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function systemSentence(error) {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : 'its folders';
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk is full: set-up could not write ${path}. Free some space and start it again.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `Set-up may not write ${path}: allow it, or set CONTEXTURE_CACHE to a folder that is yours.`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `Set-up needs a folder at ${path}, but a file is in the way: move it, or set CONTEXTURE_CACHE to another folder.`;
    default:
      return undefined;
  }
}
