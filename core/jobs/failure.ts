/** What a job's death means, in a sentence. */
import { errorFromData, UserError, type ErrorData } from '../base/errors.ts';

/** How a process ended and the last of what it printed. */
export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Tail of stderr. */
  output: string;
}

/** Words of TensorFlow, V8 and the C++ library for "out of memory". */
const OUT_OF_MEMORY =
  /OOM when allocating|ResourceExhausted|Resource exhausted|RESOURCE_EXHAUSTED|heap out of memory|Reached heap limit|std::bad_alloc|Cannot allocate memory|CUDA_ERROR_OUT_OF_MEMORY/;
const DISK_FULL = /ENOSPC|No space left on device/;

const memoryError = (kind: string, cause?: unknown): UserError =>
  new UserError(
    'memory',
    `The ${kind} job ran out of memory. Close other programs, or choose a smaller batch or input size, and try again.`,
    { cause },
  );

const spaceError = (kind: string, cause?: unknown): UserError =>
  new UserError('no-space', `The ${kind} job ran out of disk space. Free some space and go on.`, { cause });

/** The error that a job sent, with the system's own words turned into sentences. */
export function jobError(kind: string, data: ErrorData): Error {
  const error = errorFromData(data);
  if (data.code !== 'defect') return error;
  if (OUT_OF_MEMORY.test(data.message)) return memoryError(kind, error);
  if (DISK_FULL.test(data.message)) return spaceError(kind, error);
  return error;
}

/** The error for a process that died without a last word of the protocol. */
export function deathError(kind: string, death: Death): Error {
  const how = death.signal ? `by signal ${death.signal}` : `with exit code ${death.code}`;
  const lastLines = death.output.trimEnd().split('\n').slice(-10).join('\n');
  const error = new Error(`the ${kind} job ended ${how}${lastLines ? `; its last words:\n${lastLines}` : ''}`);
  // The kernel's out-of-memory killer leaves no words, only the signal.
  if (death.signal === 'SIGKILL') {
    return new UserError(
      'memory',
      `The ${kind} job was killed from outside, as the system does when memory runs out. Close other programs, or choose a smaller batch or input size, and go on.`,
      { cause: error },
    );
  }
  if (OUT_OF_MEMORY.test(death.output)) return memoryError(kind, error);
  if (DISK_FULL.test(death.output)) return spaceError(kind, error);
  return error;
}
