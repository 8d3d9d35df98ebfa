/** Large pictures, fetched one by one and ahead of the eye; a few are kept. */
import { ApiError, call } from '../../lib/api.ts';

/** Pictures that are kept. */
const MOST = 12;

interface Kept {
  address: Promise<string>;
  abort: AbortController;
  done: boolean;
}

export class PictureStore {
  readonly #project: string;
  readonly #kept = new Map<string, Kept>();

  constructor(project: string) {
    this.#project = project;
  }

  /**
   * Address of a picture for `src`.
   * @param size longer side in pixels; the whole picture when absent
   * @throws ApiError with the reason why it cannot be shown
   */
  get(id: number, size: number | undefined): Promise<string> {
    const key = `${id} ${size ?? 'whole'}`;
    const kept = this.#kept.get(key) ?? this.#fetch(key, id, size);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const [other, old] of this.#kept) {
      if (this.#kept.size <= MOST) break;
      this.#kept.delete(other);
      drop(old);
    }
    return kept.address;
  }

  /** Have a picture ready. */
  prefetch(id: number, size: number | undefined): void {
    this.get(id, size).catch(() => {});
  }

  close(): void {
    for (const kept of this.#kept.values()) drop(kept);
    this.#kept.clear();
  }

  #fetch(key: string, id: number, size: number | undefined): Kept {
    const abort = new AbortController();
    const kept: Kept = { abort, done: false, address: this.#load(id, size, abort.signal) };
    kept.address.then(
      () => (kept.done = true),
      () => {
        // It may be asked for again when its file is back.
        if (this.#kept.get(key) === kept) this.#kept.delete(key);
      },
    );
    return kept;
  }

  async #load(id: number, size: number | undefined, signal: AbortSignal): Promise<string> {
    const response = await call('GET /api/projects/{project}/images/{image}/picture', {
      params: { project: this.#project, image: id },
      query: size === undefined ? {} : { size },
      signal,
    });
    const address = URL.createObjectURL(await response.blob());
    try {
      const image = new Image();
      image.src = address;
      await image.decode();
    } catch {
      URL.revokeObjectURL(address);
      throw new ApiError('damaged', 0, 'This picture cannot be decoded by the browser.');
    }
    return address;
  }
}

function drop({ abort, address, done }: Kept): void {
  if (done) void address.then((url) => URL.revokeObjectURL(url));
  else abort.abort();
}
