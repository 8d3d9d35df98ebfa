/** The job's side of the protocol: read the spec, run the job, send what it emits, end. */
import { errorToData, systemCode, UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { peakMemory } from '../base/peak-memory.ts';
import { LineSplitter, writeNow } from './lines.ts';
import { Outbox } from './outbox.ts';
import type { FinalLine, Job, JobEvent, ParentLine } from './protocol.ts';

/** A job whose spec and result are not known here; they cross the boundary as JSON. */
export type AnyJob = Job<Json, JobEvent, Json | undefined>;

/** How long a job may go on after its parent has gone, milliseconds. */
const ORPHAN_GRACE_MS = 10_000;

/**
 * Run the job that stdin asks for and end the process.
 * @param load gives the job; a failure to load it is reported to the parent like any other
 */
export function serveJob(load: () => Promise<AnyJob>): void {
  const abort = new AbortController();
  const outbox = new Outbox();
  abort.signal.addEventListener('abort', () => outbox.release());
  let finished = false;

  const send = (message: JobEvent | FinalLine): void => {
    if (finished) return;
    try {
      outbox.sent(writeNow(1, `${JSON.stringify(message)}\n`));
    } catch (error) {
      // Nobody reads any more: the parent is gone, and the end of stdin says so too.
      if (systemCode(error) !== 'EPIPE') throw error;
      abort.abort();
    }
  };
  const finish = (line: FinalLine): never => {
    send(line);
    // Kept by the parent for the case of a defect, and shown with CONTEXTURE_DEBUG.
    process.stderr.write(`peak memory ${Math.round(peakMemory() / 2 ** 20)} MiB\n`);
    finished = true;
    process.exit(line.type === 'result' ? 0 : 1);
  };
  const fail = (error: unknown): never => finish({ type: 'error', error: errorToData(error) });

  const start = async (spec: Json): Promise<void> => {
    try {
      const job = await load();
      if (abort.signal.aborted) throw new UserError('cancelled', 'Cancelled before it began.');
      const value = await job(spec, { emit: send, signal: abort.signal, drained: () => outbox.drained() });
      finish({ type: 'result', value: value ?? null });
    } catch (error) {
      fail(error);
    }
  };

  const parentGone = (): void => {
    abort.abort();
    setTimeout(() => process.exit(1), ORPHAN_GRACE_MS).unref();
  };

  // stdout carries the protocol; whatever else is printed must not get between its lines.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  // A terminal's Ctrl-C or hang-up reaches every process of the group; the parent decides what it means for the job.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', () => abort.abort());

  const lines = new LineSplitter((text) => {
    const line: ParentLine = JSON.parse(text);
    if (line.type === 'start') void start(line.spec);
    else if (line.type === 'ack') outbox.acknowledge(line.events);
    else abort.abort();
  });
  process.stdin.on('data', (chunk: Buffer) => lines.push(chunk));
  process.stdin.on('end', parentGone);
  process.stdin.on('error', parentGone);
}
