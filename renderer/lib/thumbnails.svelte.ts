/**
 * Thumbnails, fetched in packs and kept as blob addresses. An own scheme has no HTTP cache, and one request a picture would
 * be too many; so the page keeps them itself, within bounds.
 */
import { call, isAbort } from './api.ts';
import { connection } from './connection.svelte.ts';
import { events } from './events.svelte.ts';
import { unpackThumbnails } from './thumbnail-pack.ts';

/** Longer sides that are asked for, pixels: few, so that another cell size often finds what is there. */
const SIZES = [96, 192, 384];
/** What is kept: pictures, and their bytes. Many times what fits on a screen. */
const MOST = 6000;
const MOST_BYTES = 96 * 2 ** 20;
/** Pictures a request, and requests under way for one view. */
const PACK = 48;
const REQUESTS = 3;

interface Kept {
  /** Blob address; "" for a picture that cannot be shown. */
  address: string;
  bytes: number;
}

class Thumbnails {
  /** Counts arrivals: whoever reads a thumbnail depends on it. */
  #arrivals = $state(0);
  /** In order of their last use. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor() {
    events.listen(({ reset, data }) => {
      for (const [project, topics] of data) if (topics.has('images') || topics.has('sources')) this.#retry(project);
      if (reset) this.#retry('');
    });
  }

  /** Address of a thumbnail for `src`; "" when it cannot be shown, undefined until it is there. */
  get(project: string, size: number, id: number): string | undefined {
    void this.#arrivals;
    return this.#kept.get(keyOf(project, size, id))?.address;
  }

  has(project: string, size: number, id: number): boolean {
    return this.#kept.has(keyOf(project, size, id));
  }

  /** Keep it longer than those that were not used since. */
  touch(project: string, size: number, id: number): void {
    const key = keyOf(project, size, id);
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
  }

  put(project: string, size: number, pictures: Iterable<{ id: number; bytes: Uint8Array<ArrayBuffer> | null }>): void {
    for (const { id, bytes } of pictures) {
      const key = keyOf(project, size, id);
      this.#drop(key);
      const address = bytes === null ? '' : URL.createObjectURL(new Blob([bytes], { type: 'image/webp' }));
      this.#kept.set(key, { address, bytes: bytes?.length ?? 0 });
      this.#bytes += bytes?.length ?? 0;
    }
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= MOST && this.#bytes <= MOST_BYTES) break;
      this.#drop(key);
    }
    this.#arrivals++;
  }

  /** Forget what could not be shown: its file may be back. */
  #retry(project: string): void {
    for (const [key, { address }] of this.#kept) {
      if (address === '' && key.startsWith(project)) this.#kept.delete(key);
    }
    this.#arrivals++;
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    if (kept.address !== '') URL.revokeObjectURL(kept.address);
    this.#bytes -= kept.bytes;
    this.#kept.delete(key);
  }
}

function keyOf(project: string, size: number, id: number): string {
  return `${project}/${size}/${id}`;
}

/** The size to ask for, so that a cell of so many CSS pixels is sharp. */
export function thumbnailSize(cell: number, ratio = devicePixelRatio): number {
  return SIZES.find((size) => size >= cell * ratio) ?? SIZES[SIZES.length - 1];
}

export const thumbnails = new Thumbnails();

interface Request {
  ids: readonly number[];
  abort: AbortController;
}

/** What one grid or list shows: fetches what is missing of it, stops what it no longer needs. */
export class ThumbnailView {
  readonly #project: string;
  readonly #size: number;
  #wanted: readonly number[] = [];
  #requests: readonly Request[] = [];
  readonly #stopListening: () => void;

  /** @param size one of those that `thumbnailSize` gives */
  constructor(project: string, size: number) {
    this.#project = project;
    this.#size = size;
    this.#stopListening = connection.onBack(() => this.#pump());
  }

  /** These are in view, in order of importance. Requests for others only are given up. */
  show(ids: readonly number[]): void {
    this.#wanted = ids;
    const wanted = new Set(ids);
    for (const request of this.#requests) if (!request.ids.some((id) => wanted.has(id))) request.abort.abort();
    for (let i = ids.length - 1; i >= 0; i--) thumbnails.touch(this.#project, this.#size, ids[i]);
    this.#pump();
  }

  /** Nothing is in view any more. */
  close(): void {
    this.#wanted = [];
    for (const { abort } of this.#requests) abort.abort();
    this.#stopListening();
  }

  #pump(): void {
    if (connection.gone) return;
    const coming = new Set(this.#requests.flatMap(({ ids, abort }) => (abort.signal.aborted ? [] : ids)));
    const missing = this.#wanted.filter((id) => !coming.has(id) && !thumbnails.has(this.#project, this.#size, id));
    let free = REQUESTS - this.#requests.filter(({ abort }) => !abort.signal.aborted).length;
    for (let i = 0; i < missing.length && free > 0; i += PACK, free--) void this.#fetch(missing.slice(i, i + PACK));
  }

  async #fetch(ids: readonly number[]): Promise<void> {
    const request: Request = { ids, abort: new AbortController() };
    this.#requests = [...this.#requests, request];
    try {
      const response = await call('POST /api/projects/{project}/thumbnails', {
        params: { project: this.#project },
        body: { size: this.#size, ids: [...ids] },
        signal: request.abort.signal,
      });
      thumbnails.put(this.#project, this.#size, unpackThumbnails(await response.arrayBuffer()));
    } catch (error) {
      // Asked again at the next scroll or when the service is back; a pack refused as a whole would be refused again.
      if (!isAbort(error) && !connection.gone) {
        thumbnails.put(
          this.#project,
          this.#size,
          ids.map((id) => ({ id, bytes: null })),
        );
      }
    } finally {
      this.#requests = this.#requests.filter((other) => other !== request);
      this.#pump();
    }
  }
}
