/** Mask values on their way to and from the service: deflated, in texts as base64. */

export async function deflate(values: Uint8Array<ArrayBuffer>): Promise<Blob> {
  return new Response(new Blob([values]).stream().pipeThrough(new CompressionStream('deflate'))).blob();
}

/** @throws Error when the bytes are no deflated ones */
export async function inflate(bytes: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const values = bytes.stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(values).arrayBuffer());
}

export function blobOfBase64(text: string): Blob {
  const bytes = atob(text);
  return new Blob([Uint8Array.from(bytes, (sign) => sign.charCodeAt(0))]);
}
