/** The parent's side of the protocol: a job in a child process, as one promise. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { deathError, jobError } from './failure.ts';
import { Inbox } from './inbox.ts';
import { withKept } from './kept.ts';
import { LineSplitter } from './lines.ts';
import type { FinalLine, JobEvent, RunJob, RunJobOptions } from './protocol.ts';

export interface JobRunnerOptions {
  /** The script that serves jobs; it is given the job's kind. */
  entry?: string;
  /** How long a job may take to end after it was asked to, before it is killed, milliseconds. */
  graceMs?: number;
}

/** How much of a job's stderr is kept, characters. */
const OUTPUT_KEPT = 65_536;

/** Make a `RunJob` that starts one process a job. */
export function createJobRunner(options: JobRunnerOptions = {}): RunJob {
  const entry = options.entry ?? fileURLToPath(new URL('entry.ts', import.meta.url));
  const graceMs = options.graceMs ?? 10_000;
  const run = (kind: string, spec: unknown, jobOptions: RunJobOptions<JobEvent> = {}): Promise<Json> =>
    runProcess(entry, graceMs, kind, spec, jobOptions);
  // What passes is JSON; that both sides mean the same types by it is the caller's and the job's agreement.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return run as RunJob;
}

/** Runs the jobs of `registry.ts`; a preview is asked for again with each change of a setting. */
export const runJob: RunJob = withKept(createJobRunner(), ['swap', 'try']);

function runProcess(
  entry: string,
  graceMs: number,
  kind: string,
  spec: unknown,
  { onEvent, signal, env }: RunJobOptions<JobEvent>,
): Promise<Json> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new UserError('cancelled', 'Cancelled before it began.'));
      return;
    }
    const child = spawn(process.execPath, [entry, kind], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      windowsHide: true,
    });
    let final: FinalLine | undefined;
    /** What our own event handler threw; it ends the job and outranks whatever the job says. */
    let handlerError: { error: unknown } | undefined;
    let output = '';
    let killTimer: NodeJS.Timeout | undefined;
    let killed = false;

    const endSoon = (): void => {
      killTimer ??= setTimeout(() => {
        killed = true;
        child.kill('SIGKILL');
      }, graceMs);
    };
    const cancel = (): void => {
      child.stdin.write('{"type":"cancel"}\n');
      endSoon();
    };
    const print = (text: string): void => {
      output = (output + text).slice(-OUTPUT_KEPT);
      if (process.env.CONTEXTURE_DEBUG) process.stderr.write(text);
    };
    const failed = (error: unknown): void => {
      handlerError ??= { error };
      cancel();
    };
    const deliver = (event: JobEvent): unknown => {
      if (handlerError) return undefined;
      try {
        const handling = onEvent?.(event);
        return handling instanceof Promise ? handling.catch(failed) : undefined;
      } catch (error) {
        return failed(error);
      }
    };
    const inbox = new Inbox<JobEvent>({
      handle: deliver,
      acknowledge: (events) => child.stdin.write(`${JSON.stringify({ type: 'ack', events })}\n`),
      pause: () => child.stdout.pause(),
      resume: () => child.stdout.resume(),
    });
    const receive = (line: string): void => {
      const message = parseMessage(line);
      if (!message) {
        print(`${line}\n`);
      } else if (isFinal(message)) {
        final = message;
        endSoon();
      } else {
        inbox.push(message);
      }
    };
    const failure = (code: number | null, killedBy: NodeJS.Signals | null): unknown => {
      if (handlerError) return handlerError.error;
      if (final?.type === 'error') return jobError(kind, final.error);
      if (killed) return new UserError('cancelled', `The ${kind} job did not stop when asked and was ended.`);
      // Ctrl-C before the job had learnt to leave it to us.
      const early = signal?.aborted && (killedBy === 'SIGINT' || killedBy === 'SIGHUP' || killedBy === 'SIGTERM');
      if (early) return new UserError('cancelled', `The ${kind} job was cancelled.`);
      return deathError(kind, { code, signal: killedBy, output });
    };

    const lines = new LineSplitter(receive);
    child.stdout.on('data', (chunk: Buffer) => {
      lines.push(chunk);
      inbox.acknowledge();
    });
    child.stderr.setEncoding('utf8').on('data', print);
    // A job that died no longer reads; its exit says more than the broken pipe does.
    child.stdin.on('error', () => {});
    child.on('error', reject);
    const end = async (code: number | null, killedBy: NodeJS.Signals | null): Promise<void> => {
      clearTimeout(killTimer);
      signal?.removeEventListener('abort', cancel);
      await inbox.idle();
      if (final?.type === 'result' && !handlerError) resolve(final.value);
      else reject(failure(code, killedBy));
    };
    child.on('close', (code, killedBy) => void end(code, killedBy));
    signal?.addEventListener('abort', cancel);
    child.stdin.write(`${JSON.stringify({ type: 'start', spec })}\n`);
  });
}

/** A line of the protocol, or undefined when it is something else that got onto stdout. */
function parseMessage(line: string): JobEvent | FinalLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isMessage = (value: unknown): value is JobEvent | FinalLine =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const isFinal = (message: JobEvent | FinalLine): message is FinalLine =>
  message.type === 'result' || message.type === 'error';
