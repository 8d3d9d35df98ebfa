/** The log file: what the shell and the service say, with times. Kept small; the one before is kept beside it. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A log larger than this becomes the one before, bytes. */
const LARGEST = 2_000_000;

export interface Log {
  readonly file: string;
  /** The one before; it may not be there. */
  readonly previous: string;
  /** @param source who says it, as in "service" */
  write(source: string, line: string): void;
}

/** Open the log in a folder, which is made. What cannot be written is lost: a full disk must not end the app. */
export function openLog(folder: string): Log {
  const file = join(folder, 'contexture.log');
  const previous = join(folder, 'contexture.previous.log');
  let size = 0;
  const write = (source: string, line: string): void => {
    const text = `${new Date().toISOString()} ${source}: ${line}\n`;
    try {
      if (size > LARGEST) {
        renameSync(file, previous);
        size = 0;
      }
      appendFileSync(file, text);
      size += text.length;
    } catch {
      // See above.
    }
  };
  try {
    mkdirSync(folder, { recursive: true });
    size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // See above.
  }
  return { file, previous, write };
}
