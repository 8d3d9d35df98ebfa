/** How routes are written: one function a key of the contract. */
import type { HandlerResult, Key, ParsedRequest } from '../api/contract.ts';
import type { Service } from './service.ts';

export interface HandlerContext {
  readonly service: Service;
  /** What the request came in by. */
  readonly via: 'private' | 'loopback';
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  /** Of the request, by lower-case name. */
  readonly header: (name: string) => string | undefined;
}

export type Handler<K extends Key> = (
  request: ParsedRequest<K> & HandlerContext,
) => HandlerResult<K> | Promise<HandlerResult<K>>;

export type Handlers = { [K in Key]: Handler<K> };

/**
 * The handlers of a topic, as `implement({ 'GET /api/tasks': ({ service }) => … })`. The names are checked against the
 * contract; joining all topics into `Handlers` shows which are missing.
 */
export function implement<K extends Key>(handlers: { [Name in K]: Handler<Name> }): { [Name in K]: Handler<Name> } {
  return handlers;
}
