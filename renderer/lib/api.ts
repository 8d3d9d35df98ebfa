/**
 * The typed client of the contract. A key such as `GET /api/projects/{project}/tail` holds method and path, so the page
 * needs the contract's types only.
 */
import type { Key, RequestOf, ResponseOf } from '../../core/api/contract.ts';
import type { ErrorCode } from '../../core/api/errors.ts';
import { connection } from './connection.svelte.ts';

/** A request that the service refused or could not do. `message` is one sentence for people. */
export class ApiError extends Error {
  /** "offline": the service could not be reached. */
  readonly code: ErrorCode | 'offline';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  constructor(code: ErrorCode | 'offline', status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

/** What `fetch` throws when its signal is aborted; not a failure that anybody wants to read about. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The sentence to show for anything thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The values of a request, whichever of them its endpoint has. */
interface AnyRequest {
  params?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
  upload?: Blob;
}

type Optional<K extends Key> = object extends RequestOf<K> ? true : false;
type CallArguments<K extends Key> =
  Optional<K> extends true
    ? [request?: RequestOf<K> & { signal?: AbortSignal }]
    : [request: RequestOf<K> & { signal?: AbortSignal }];

/**
 * Ask the service.
 * @returns the parsed answer, or the Response itself where the contract says that it is bytes
 * @throws ApiError with the service's sentence; the abort error of `fetch` when `signal` is aborted
 */
export async function call<K extends Key>(key: K, ...[request]: CallArguments<K>): Promise<ResponseOf<K>> {
  const { params, query, body, upload, signal }: AnyRequest & { signal?: AbortSignal } = request ?? {};
  const [method] = key.split(' ', 1);
  const init: RequestInit = { method, signal };
  if (upload !== undefined) init.body = upload;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  const response = await send(address(key, params, query), init);
  if (!response.ok) throw await failure(response);
  const json = response.headers.get('content-type')?.startsWith('application/json') === true;
  // The service applies the schema of the same table, so the shape is the one that the key names.
  const answer: ResponseOf<K> = json ? await response.json() : response;
  return answer;
}

type ParamsIn<K extends Key> = RequestOf<K> extends { params: infer Params } ? Params : undefined;
type QueryIn<K extends Key> = RequestOf<K> extends { query?: infer Query } ? Query : undefined;

/** Address of something the service answers to GET, for `src` and `href`. */
export function url<K extends Key & `GET ${string}`>(key: K, params: ParamsIn<K>, query?: QueryIn<K>): string {
  const values: Record<string, unknown> = Object(params);
  return address(key, values, Object(query));
}

function address(key: string, params: Record<string, unknown> = {}, query: Record<string, unknown> = {}): string {
  const path = key
    .slice(key.indexOf(' ') + 1)
    .replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? value : [value];
    for (const item of values) if (item !== undefined && item !== null) search.append(name, String(item));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (isAbort(error)) throw error;
    connection.lost();
    throw new ApiError('offline', 0, 'The service of Contexture does not answer; this page goes on when it is back.');
  }
  // The shell answers 502 to 504 in place of a service that is gone.
  if (response.status >= 502 && response.status <= 504) connection.lost();
  return response;
}

async function failure(response: Response): Promise<ApiError> {
  try {
    const { error }: { error: { code: ErrorCode; message: string } } = await response.json();
    return new ApiError(error.code, response.status, error.message);
  } catch {
    return new ApiError('defect', response.status, `The service answered ${response.status} without a reason.`);
  }
}
