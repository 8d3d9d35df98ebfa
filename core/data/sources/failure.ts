/** Why a file inside a source cannot be read, in words. */
import { systemCode, UserError } from '../../base/errors.ts';

/** Half a sentence for people: "the system refuses access to it". */
export function describeFailure(error: unknown): string {
  if (error instanceof UserError) return error.message;
  switch (systemCode(error)) {
    case 'ENOENT':
      return 'it is gone, or it is a link to nothing';
    case 'EACCES':
    case 'EPERM':
      return 'the system refuses access to it';
    case 'ELOOP':
      return 'it is a link that leads back to itself';
    case 'EIO':
      return 'the disk cannot read it';
    case 'ENAMETOOLONG':
      return 'its path is too long for the system';
    case 'EISDIR':
    case 'ENOTDIR':
      return 'it has changed between a file and a folder';
    case 'EMFILE':
    case 'ENFILE':
      return 'the system has no free file handles';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
