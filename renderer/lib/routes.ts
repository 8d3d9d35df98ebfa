/** Addresses of the page: `/`, `/settings`, `/p/PROJECT/PAGE/REST…`. Pure, so that tests need no browser. */

export interface Route {
  /** Id of the project; null outside projects. */
  readonly project: string | null;
  /** Name of the page, such as "explore". */
  readonly page: string;
  /** What follows the page's name, decoded: ["3"] for `/p/PROJECT/runs/3`. */
  readonly rest: readonly string[];
  /** Values of the query string; the last one wins. */
  readonly query: Readonly<Record<string, string>>;
}

export interface RouteTarget {
  project?: string | null;
  page: string;
  rest?: readonly (string | number)[];
  /** Undefined values are left out. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Page at "/". */
export const HOME = 'library';

/** @param path of the address, from its first "/" to before the "?" */
export function parseRoute(path: string, search: string): Route {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const query = Object.fromEntries(new URLSearchParams(search));
  if (parts[0] === 'p' && parts.length >= 2) {
    return { project: parts[1], page: parts[2] ?? 'explore', rest: parts.slice(3), query };
  }
  return { project: null, page: parts[0] ?? HOME, rest: parts.slice(1), query };
}

/** The address of a target. */
export function routeAddress({ project = null, page, rest = [], query = {} }: RouteTarget): string {
  const parts = [...(project === null ? [] : ['p', project]), page, ...rest.map(String)];
  const path = project === null && page === HOME && rest.length === 0 ? '/' : `/${parts.map(encode).join('/')}`;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

function encode(part: string): string {
  return encodeURIComponent(part);
}

/** What is no valid escape stays as it is: an address typed by hand must not break the page. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
