/** Many thumbnails in one answer: u32 count, then count x (u32 id, u32 length), then the pictures; all little-endian. */

export interface PackedThumbnail {
  id: number;
  /** WebP; null when the picture cannot be shown. */
  bytes: Uint8Array<ArrayBuffer> | null;
}

/** @throws Error when the pack is shorter than it says */
export function unpackThumbnails(pack: ArrayBuffer): PackedThumbnail[] {
  const view = new DataView(pack);
  const size = view.getUint32(0, true);
  let offset = 4 + size * 8;
  const result: PackedThumbnail[] = [];
  for (let i = 0; i < size; i++) {
    const id = view.getUint32(4 + i * 8, true);
    const length = view.getUint32(8 + i * 8, true);
    // A Uint8Array throws by itself when it would reach beyond the end.
    result.push({ id, bytes: length === 0 ? null : new Uint8Array(pack, offset, length) });
    offset += length;
  }
  return result;
}
