/** What the queue of strokes works with: strokes, the service that takes them, and who keeps them meanwhile. */
import type { DraftState, Region, StrokeTool } from '../../../core/api/review.ts';
import type { Stroke } from './canvas/surface.ts';

export interface ToolStroke {
  readonly tool: StrokeTool;
  readonly params: Readonly<Record<string, number | boolean | string>>;
  readonly stroke: Stroke;
}

/** A change that the service made. */
export interface Change extends DraftState {
  readonly rect: Region;
  readonly values: Uint8Array;
}

/** The whole draft as the service has it. */
export interface Whole extends DraftState {
  readonly values: Uint8Array;
}

/** What the queue asks of the service. Each throws what `failureOf` understands. */
export interface DraftGateway {
  stroke(revision: number, stroke: ToolStroke): Promise<DraftState>;
  undo(revision: number): Promise<Change>;
  redo(revision: number): Promise<Change>;
  snap(revision: number, region: Region): Promise<Change>;
  load(): Promise<Whole>;
}

/** Why a request failed: the mask has changed meanwhile, nobody answered, or the service says no. */
export type Failure = { kind: 'conflict' | 'away' | 'refused'; sentence: string };

/** Keeps strokes beyond the end of the page. */
export interface StrokeKeeper {
  /**
   * These are not stored, in order; what is not among them any more is stored or given up.
   * @param revision the one that the first of them is made on; each of the others is made on the one that its predecessor
   *   comes to
   */
  keep(revision: number, strokes: readonly ToolStroke[]): void;
}
