/** The strokes of one context that are not stored: kept until they are, and found again by the next page. */
import { setUnsaved } from '../../lib/unsaved.svelte.ts';
import type { StrokeKeeper, ToolStroke } from './draft-gateway.ts';
import { abandonedStrokes, deleteStroke, OWNER, putStroke } from './stroke-store.ts';

export class KeptStrokes implements StrokeKeeper {
  readonly #project: string;
  readonly #context: number;
  /** Those that are kept, by the name that they have in the store. */
  readonly #ids = new Map<ToolStroke, string>();
  /** What closed pages have left, in order, and the revision that the first of them was made on. */
  readonly strokes: readonly ToolStroke[];
  readonly revision: number;

  private constructor(
    project: string,
    context: number,
    found: readonly { id: string; revision: number; toolStroke: ToolStroke }[],
  ) {
    this.#project = project;
    this.#context = context;
    this.strokes = found.map(({ toolStroke }) => toolStroke);
    this.revision = found.at(0)?.revision ?? 0;
    for (const { id, toolStroke } of found) this.#ids.set(toolStroke, id);
  }

  /** Take over what closed pages have left of a context. */
  static async take(project: string, context: number): Promise<KeptStrokes> {
    try {
      const found = await abandonedStrokes(project, context);
      await Promise.all(found.map((stroke) => putStroke({ ...stroke, owner: OWNER })));
      return new KeptStrokes(project, context, found);
    } catch {
      // A browser that keeps nothing can still paint: the window asks before it closes.
      return new KeptStrokes(project, context, []);
    }
  }

  keep(revision: number, strokes: readonly ToolStroke[]): void {
    const [project, context] = [this.#project, this.#context];
    for (const [index, toolStroke] of strokes.entries()) {
      if (this.#ids.has(toolStroke)) continue;
      const id = crypto.randomUUID();
      this.#ids.set(toolStroke, id);
      putStroke({ project, context, id, revision: revision + index, owner: OWNER, toolStroke }).catch(() => {});
    }
    const present = new Set(strokes);
    for (const [toolStroke, id] of this.#ids) {
      if (present.has(toolStroke)) continue;
      this.#ids.delete(toolStroke);
      deleteStroke({ project, context, id }).catch(() => {});
    }
    setUnsaved(this, strokes.length);
  }
}
