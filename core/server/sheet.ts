/** Many small files in one answer, laid out as the contract says of `POST …/thumbnails`. */

/** @param items bytes by id; null for what cannot be shown */
export function sheet(items: readonly { id: number; bytes: Uint8Array | null }[]): Response {
  const head = new Uint32Array(1 + 2 * items.length);
  head[0] = items.length;
  items.forEach(({ id, bytes }, index) => head.set([id, bytes?.length ?? 0], 1 + 2 * index));
  const parts = [new Uint8Array(head.buffer), ...items.flatMap(({ bytes }) => (bytes ? [bytes] : []))];
  return binary(Buffer.concat(parts), 'application/octet-stream');
}

/** Numbers as unsigned 32-bit, little end first: the order of every machine that Contexture runs on. */
export function packedIds(ids: readonly number[] | Uint32Array): Response {
  return binary(new Uint8Array(Uint32Array.from(ids).buffer), 'application/octet-stream');
}

/** @param forever the address never gives other bytes */
export function binary(bytes: Uint8Array<ArrayBuffer>, media: string, { forever = false } = {}): Response {
  const caching = forever ? 'private, max-age=31536000, immutable' : 'no-store';
  return new Response(bytes, { headers: { 'content-type': media, 'cache-control': caching } });
}
