/** What the shell itself asks the service, typed by the contract. */
import type { ErrorBody } from '../core/api/errors.ts';
import type { Key, ResponseOf } from '../core/api/contract.ts';
import { HOME } from './address.ts';
import { forward } from './forward.ts';
import type { Service } from './service-process.ts';

/** Endpoints without parameters. */
type PlainKey = Exclude<Key, `${string}{${string}`>;

/**
 * @param key method and path
 * @param timeoutMs how long the service may take, milliseconds
 * @throws Error with the service's sentence when it refuses, ServiceGone or a system's error when it is not there
 */
export async function ask<K extends PlainKey>(
  service: Service,
  key: K,
  { body, timeoutMs }: { body?: unknown; timeoutMs: number },
): Promise<ResponseOf<K>> {
  const [method, path] = key.split(' ');
  const signal = AbortSignal.timeout(timeoutMs);
  const request = new Request(new URL(path, HOME), {
    method,
    signal,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const address = await Promise.race([service.address(), aborted(signal)]);
  const response = await forward(request, address);
  // The service has applied the contract's schema to what it sends.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const value = (await response.json()) as ResponseOf<K> | ErrorBody;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (response.ok) return value as ResponseOf<K>;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  throw new Error((value as ErrorBody).error.message);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('The service did not answer in time.')), { once: true });
  });
}
