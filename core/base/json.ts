/** Values that survive JSON unchanged. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** JSON with object keys in order and no white space: equal values give equal text, so it can be hashed. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = new Map<string, unknown>(Object.entries(value));
    let text = '';
    for (const key of [...members.keys()].toSorted()) {
      const item = members.get(key);
      if (item !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(item)}`;
    }
    return `{${text}}`;
  }
  return JSON.stringify(value);
}

/**
 * Type a value of ours as JSON. TypeScript does not let an interface pass for an index signature.
 * @param value plain data: no functions, no NaN, no class instances
 */
export function asJson(value: object): Json {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller vouches for it
  return value as Json;
}
