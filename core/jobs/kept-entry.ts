/** Entry of a kept process: `node core/jobs/kept-entry.ts`. See `kept.ts`. */
import { errorToData, UserError } from '../base/errors.ts';
import { LineSplitter, writeNow } from './lines.ts';
import type { KeptOrder } from './kept.ts';
import type { FinalLine, JobPort } from './protocol.ts';
import { loadJob } from './registry.ts';

const send = (line: FinalLine): void => void writeNow(1, `${JSON.stringify(line)}\n`);

/** Nobody listens to events of short work, and nobody stops it. */
const port: JobPort<{ type: string }> = {
  emit: () => {},
  signal: new AbortController().signal,
  drained: () => Promise.resolve(),
};

async function obey({ kind, spec }: KeptOrder): Promise<void> {
  try {
    const job = await loadJob(kind);
    send({ type: 'result', value: (await job(spec, port)) ?? null });
  } catch (error) {
    send({ type: 'error', error: errorToData(error) });
    // After a defect nobody knows what it is in.
    if (!(error instanceof UserError)) process.exit(1);
  }
}

// stdout carries the protocol; whatever else is printed must not get between its lines.
process.stdout.write = process.stderr.write.bind(process.stderr);
// The parent decides what a terminal's Ctrl-C means; when it is gone, so is this.
process.on('SIGINT', () => {});
const lines = new LineSplitter((text) => void obey(JSON.parse(text)));
process.stdin.on('data', (chunk: Buffer) => lines.push(chunk));
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(1));
