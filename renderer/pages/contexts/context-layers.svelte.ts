/** Small layers of masks, to be laid over thumbnails: fetched in sheets, kept by mask version within bounds. */
import type { ContextRow } from '../../../core/api/contexts.ts';
import { call, isAbort } from '../../lib/api.ts';
import { connection } from '../../lib/connection.svelte.ts';
import { unpackThumbnails } from '../../lib/thumbnail-pack.ts';

export type LayerName = 'mask' | 'outline' | 'saliency';

const MOST = 3000;
/** Layers a request, and requests under way. */
const SHEET = 48;
const REQUESTS = 2;

export class ContextLayers {
  readonly #project: string;
  /** Counts arrivals: whoever reads a layer depends on it. */
  #arrivals = $state(0);
  /** Blob addresses in order of their last use; "" for what cannot be shown. */
  readonly #kept = new Map<string, string>();
  #wanted: readonly ContextRow[] = [];
  #layer: LayerName = 'outline';
  #size = 192;
  readonly #coming = new Set<string>();
  #requests = 0;

  constructor(project: string) {
    this.#project = project;
  }

  /** Address of a layer of the mask that the row names; undefined until it is there, "" when it cannot be shown. */
  get(layer: LayerName, size: number, row: ContextRow): string | undefined {
    void this.#arrivals;
    return this.#kept.get(keyOf(layer, size, row));
  }

  /** These are in view. @param size longer side, pixels */
  show(layer: LayerName, size: number, rows: readonly ContextRow[]): void {
    this.#layer = layer;
    this.#size = size;
    this.#wanted = rows;
    this.#pump();
  }

  close(): void {
    this.#wanted = [];
    for (const address of this.#kept.values()) if (address !== '') URL.revokeObjectURL(address);
    this.#kept.clear();
  }

  #pump(): void {
    if (connection.gone) return;
    const missing = this.#wanted.filter((row) => {
      const key = keyOf(this.#layer, this.#size, row);
      return !this.#kept.has(key) && !this.#coming.has(key);
    });
    for (let i = 0; i < missing.length && this.#requests < REQUESTS; i += SHEET) {
      void this.#fetch(this.#layer, this.#size, missing.slice(i, i + SHEET));
    }
  }

  async #fetch(layer: LayerName, size: number, rows: readonly ContextRow[]): Promise<void> {
    const keys = new Map(rows.map((row) => [row.id, keyOf(layer, size, row)]));
    for (const key of keys.values()) this.#coming.add(key);
    this.#requests++;
    try {
      const response = await call('POST /api/projects/{project}/contexts/sheet', {
        params: { project: this.#project },
        body: { layer, size, ids: [...keys.keys()] },
      });
      for (const { id, bytes } of unpackThumbnails(await response.arrayBuffer())) {
        this.#keep(keys.get(id) ?? '', bytes);
      }
    } catch (error) {
      if (!isAbort(error) && !connection.gone) for (const key of keys.values()) this.#keep(key, null);
    } finally {
      for (const key of keys.values()) this.#coming.delete(key);
      this.#requests--;
      this.#arrivals++;
      this.#pump();
    }
  }

  #keep(key: string, bytes: Uint8Array<ArrayBuffer> | null): void {
    this.#kept.set(key, bytes === null ? '' : URL.createObjectURL(new Blob([bytes], { type: 'image/webp' })));
    for (const [oldest, address] of this.#kept) {
      if (this.#kept.size <= MOST) break;
      if (address !== '') URL.revokeObjectURL(address);
      this.#kept.delete(oldest);
    }
  }
}

function keyOf(layer: LayerName, size: number, { id, mask }: ContextRow): string {
  return `${layer}/${size}/${id}/${mask}`;
}
