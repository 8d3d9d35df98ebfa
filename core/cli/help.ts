/** Text that stands below the options in the help of a command. */
import { EXIT_CODES } from '../base/errors.ts';

/** Real calls, each with what it does. */
export function examples(...calls: readonly (readonly [call: string, meaning: string])[]): string {
  const width = Math.max(...calls.map(([call]) => call.length));
  // A long call takes a line of its own.
  const line = ([call, meaning]: readonly [string, string]): string =>
    width <= 60 ? `  contexture ${call.padEnd(width)}  ${meaning}` : `  contexture ${call}\n      ${meaning}`;
  return `\nExamples:\n${calls.map(line).join('\n')}`;
}

const MEANINGS: readonly (readonly [number, string])[] = [
  [0, 'done'],
  [1, 'a defect of Contexture; the message names a log file'],
  [EXIT_CODES.usage, 'a wrong command, option or setting'],
  [EXIT_CODES['not-found'], 'a file, folder, run or class that is not there or cannot be read'],
  [EXIT_CODES.damaged, 'a damaged, changed or newer file; an export that does not verify'],
  [EXIT_CODES.locked, 'the project is open in another program'],
  [EXIT_CODES['no-space'], 'the disk is full, access is refused, or something is in the way'],
  [EXIT_CODES.empty, 'nothing to work on'],
  [EXIT_CODES.engine, 'the engine is missing or does not start'],
  [EXIT_CODES.memory, 'out of memory, or the loss is no longer a number'],
  [EXIT_CODES.cancelled, 'stopped by you; what was done is kept where that makes sense'],
];

export function exitCodes(): string {
  return `\nExit codes:\n${MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}`;
}

export const STREAMS = `
With --json, stdout holds one JSON object a line: the events of the work, then a last one with "ok": true and what the
command found or did, or "ok": false with "code" and "message". Without it, results go to stdout, progress to stderr.
Ctrl-C stops the work and keeps what is done; a second Ctrl-C ends at once. CONTEXTURE_DEBUG=1 shows stacks and
everything the engine prints. NO_COLOR is respected.`;
