/**
 * A job is long work in a process of its own: a native step blocks its thread, and a crash must not take anything else
 * with it. Between the two sides run lines of JSON:
 *
 *     parent -> job (stdin)    {"type":"start","spec":…}, then {"type":"ack","events":…} and perhaps {"type":"cancel"}
 *     job -> parent (stdout)   one event a line, at last {"type":"result","value":…} or {"type":"error","error":…}
 *
 * The parent handles events one after the other and acknowledges them by their number since the start. A job that emits
 * much waits, between its batches, until no more than a window of bytes is on its way (`JobPort.drained`): so neither side
 * piles up what the other has not stored. A parent whose handler is slow stops reading, too, which holds up a job that does
 * not wait when the pipe is full.
 *
 * The end of stdin means that the parent is gone: the job stops as if cancelled. Whatever the job or a native library
 * prints goes to stderr. A job never opens the project's database; its events are what the parent stores.
 */
import type { ErrorData } from '../base/errors.ts';
import type { Json } from '../base/json.ts';

/** Any event of a job; `type` tells them apart. `result` and `error` belong to the protocol. */
export interface JobEvent {
  type: string;
}

/** What any long work is given, a job or not. */
export interface WorkPort<Event extends JobEvent> {
  /** Tell of an event; returns at once. */
  emit(event: Event): void;
  /** Aborted when the user cancels or the parent is gone. Work looks at it at least once a second. */
  readonly signal: AbortSignal;
}

/** What a job is given beside its spec. */
export interface JobPort<Event extends JobEvent> extends WorkPort<Event> {
  /**
   * Resolves when the parent has handled so many of the events that the next batch may be sent; at once when the signal is
   * aborted, which is for the job to look at.
   */
  drained(): Promise<void>;
}

/**
 * A job. It returns its result, or throws: `UserError('cancelled', …)` after a cancel that leaves nothing to keep. A job
 * that keeps its state when cancelled (training) returns a result that says so.
 */
export type Job<Spec, Event extends JobEvent, Result> = (spec: Spec, port: JobPort<Event>) => Promise<Result>;

export type ParentLine = { type: 'start'; spec: Json } | { type: 'ack'; events: number } | { type: 'cancel' };
export type FinalLine = { type: 'result'; value: Json } | { type: 'error'; error: ErrorData };

/** Names of the jobs; `registry.ts` says which module each one is. */
export type JobKind =
  | 'import'
  | 'backgrounds'
  | 'train'
  | 'trial'
  | 'contexts'
  | 'export'
  | 'preview-export'
  | 'verify'
  | 'predict'
  | 'explain'
  | 'reliance'
  | 'diversity'
  | 'leftover'
  | 'near-duplicates'
  | 'try'
  | 'swap'
  | 'onnx'
  | 'doctor';

export interface RunJobOptions<Event extends JobEvent> {
  /** Handles an event. Where it returns a promise, that is waited for before the next event is handled. */
  onEvent?: (event: Event) => unknown;
  /** Cancels the job: it is asked first, and killed when it has not ended ten seconds later. */
  signal?: AbortSignal;
  /** Environment variables for the job's process on top of ours, such as TF_NUM_INTRAOP_THREADS. */
  env?: Record<string, string>;
}

/**
 * Run a job in a process of its own and wait for its result. Service functions are handed one of these, so that tests
 * and the service decide how processes are made.
 * @throws UserError as the job threw it; an Error naming the job, its exit code and last words when the process died
 */
// Spec stands once in the signature, but callers name it so that a wrong spec is a type error.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export type RunJob = <Spec, Event extends JobEvent, Result>(
  kind: JobKind,
  spec: Spec,
  options?: RunJobOptions<Event>,
) => Promise<Result>;
