/**
 * What is painted, on its way to the service: one request after the other, each on the revision that the one before came
 * to. While the service is away strokes wait in order. Nothing here draws or fetches by itself, so that tests need no
 * browser.
 */
import type { DraftState, Region } from '../../../core/api/review.ts';
import { paste, wholeOf } from './canvas/bitmap.ts';
import type { Surface } from './canvas/surface.ts';
import type { DraftGateway, Failure, StrokeKeeper, ToolStroke } from './draft-gateway.ts';

export type SaveMark =
  | { readonly state: 'saved' }
  | { readonly state: 'saving' }
  /** Strokes wait; they are sent when the service is back, or on `retry`. */
  | { readonly state: 'unsaved'; readonly why: string; readonly strokes: number }
  /** Another window has painted; what it painted is shown, and these strokes are not stored. */
  | { readonly state: 'conflict'; readonly why: string; readonly strokes: number; readonly shown: boolean };

type Step =
  { kind: 'stroke'; toolStroke: ToolStroke } | { kind: 'undo' } | { kind: 'redo' } | { kind: 'snap'; region: Region };

export class DraftQueue {
  readonly #surface: Surface;
  readonly #gateway: DraftGateway;
  readonly #failureOf: (error: unknown) => Failure;
  readonly #keeper: StrokeKeeper;
  readonly #told: (refused?: string) => void;
  #revision: number;
  /** The newest revision that the service has spoken of. */
  #newest = 0;
  #undo: number;
  #redo: number;
  readonly #steps: Step[] = [];
  /** The first step is on its way. */
  #sending = false;
  #failure: Failure | undefined;
  /** Strokes that a conflict has kept from being stored. */
  #kept: ToolStroke[] = [];
  /** Those are shown over what is there now, to be looked at. */
  #shown = false;
  /** Strokes taken back before they were sent, newest last. */
  #undone: ToolStroke[] = [];
  #whenIdle: (() => void)[] = [];

  /** @param tell is called when anything that a reader can ask for has changed; with a sentence when something was given up */
  constructor(
    surface: Surface,
    gateway: DraftGateway,
    failureOf: (error: unknown) => Failure,
    start: DraftState,
    keeper: StrokeKeeper,
    tell: (refused?: string) => void,
  ) {
    this.#surface = surface;
    this.#gateway = gateway;
    this.#failureOf = failureOf;
    this.#keeper = keeper;
    this.#told = tell;
    this.#revision = start.revision;
    this.#undo = start.undo;
    this.#redo = start.redo;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Strokes that can be taken back, those that wait included. */
  get undoable(): number {
    return this.#undo + this.#steps.filter(({ kind }) => kind === 'stroke').length;
  }

  get redoable(): number {
    return this.#redo + this.#undone.length;
  }

  get mark(): SaveMark {
    if (this.#kept.length > 0) {
      const why = this.#failure?.sentence ?? '';
      return { state: 'conflict', why, strokes: this.#kept.length, shown: this.#shown };
    }
    if (this.#failure !== undefined && this.#steps.length > 0) {
      return { state: 'unsaved', why: this.#failure.sentence, strokes: this.#steps.length };
    }
    return { state: this.#steps.length > 0 ? 'saving' : 'saved' };
  }

  /** An answer that changes pixels is on its way: painting meanwhile would be painted over. */
  get blocked(): boolean {
    return this.#steps.some(({ kind }) => kind !== 'stroke');
  }

  /** Nothing waits. */
  get idle(): boolean {
    return this.#steps.length === 0;
  }

  /** Strokes that are not stored: those that wait, and those of a conflict. */
  get unsaved(): readonly ToolStroke[] {
    return [...this.#kept, ...this.#steps.flatMap((step) => (step.kind === 'stroke' ? [step.toolStroke] : []))];
  }

  /** Resolves when nothing waits and nothing is on its way, or what waits cannot be sent. */
  settled(): Promise<void> {
    return this.idle || this.#failure !== undefined
      ? Promise.resolve()
      : new Promise((done) => this.#whenIdle.push(done));
  }

  add(toolStroke: ToolStroke): void {
    this.#undone = [];
    this.#redo = 0;
    this.#push({ kind: 'stroke', toolStroke });
  }

  /**
   * Strokes that a page which was closed has left: they are sent on the revision that they were made on. Where that is the
   * newest no more, they stay on offer, as after any conflict.
   */
  resume(revision: number, strokes: readonly ToolStroke[]): void {
    if (strokes.length === 0) return;
    this.#revision = revision;
    for (const toolStroke of strokes) {
      this.#surface.put(toolStroke.stroke.rect, toolStroke.stroke.after);
      this.#steps.push({ kind: 'stroke', toolStroke });
    }
    this.#tell();
    void this.#send();
  }

  snap(region: Region): void {
    this.#push({ kind: 'snap', region });
  }

  /** Take back the newest stroke; one that has not been sent never will be. */
  undo(): void {
    if (this.undoable === 0 || this.blocked || this.#kept.length > 0) return;
    const last = this.#steps.at(-1);
    if (last?.kind === 'stroke' && (this.#steps.length > 1 || !this.#sending)) {
      this.#drop((step) => step !== last);
      this.#undone.push(last.toolStroke);
      this.#surface.put(last.toolStroke.stroke.rect, last.toolStroke.stroke.before);
      this.#tell();
    } else this.#push({ kind: 'undo' });
  }

  redo(): void {
    if (this.redoable === 0 || this.blocked || this.#kept.length > 0) return;
    const undone = this.#undone.pop();
    if (undone === undefined) this.#push({ kind: 'redo' });
    else {
      this.#surface.put(undone.stroke.rect, undone.stroke.after);
      this.#push({ kind: 'stroke', toolStroke: undone });
    }
  }

  /** Send what waits once more. */
  retry(): void {
    this.#failure = undefined;
    void this.#send();
  }

  /** After a conflict: paint the strokes that were not stored over what is there now, as one; or let them go. */
  resolve(again: boolean): void {
    const kept = this.#kept;
    this.#surface.restore();
    this.#shown = false;
    this.#kept = [];
    this.#failure = undefined;
    const stroke = again ? this.#surface.repeat(kept.map((one) => one.stroke)) : undefined;
    if (stroke === undefined) this.#tell();
    else this.add({ tool: 'again', params: { strokes: kept.length }, stroke });
  }

  /** After a conflict: show the strokes over what is there now, without storing them; or that alone. */
  showKept(on: boolean): void {
    if (this.#kept.length === 0) return;
    if (on) this.#surface.attempt(this.#kept.map(({ stroke }) => stroke));
    else this.#surface.restore();
    this.#shown = on;
    this.#tell();
  }

  /** The service says that the draft stands at a revision: where it is not ours, read it. */
  heard(revision: number): void {
    this.#newest = Math.max(this.#newest, revision);
    this.catchUp();
  }

  /** Read what was heard of while a stroke was under way. */
  catchUp(): void {
    if (this.#newest > this.#revision && this.idle && !this.#surface.busy) void this.reload();
  }

  /** Show the draft as the service has it; nothing happens while anything waits. */
  async reload(): Promise<void> {
    try {
      const whole = await this.#gateway.load();
      if (!this.idle || this.#surface.busy) return;
      this.#take(whole);
      this.#surface.put(wholeOf(this.#surface.mask), whole.values);
      this.#tell();
    } catch {
      // What is shown stays; the next event or the return of the service asks again.
    }
  }

  #push(step: Step): void {
    this.#steps.push(step);
    this.#tell();
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#sending || this.#failure !== undefined) return;
    this.#sending = true;
    for (let step = this.#steps.at(0); step !== undefined; step = this.#steps.at(0)) {
      try {
        await this.#ask(step);
        this.#steps.shift();
      } catch (error) {
        const failure = this.#failureOf(error);
        if (failure.kind !== 'conflict' || !(await this.#isStored(step))) {
          await this.#failed(failure);
          break;
        }
        this.#steps.shift();
      }
      this.#tell();
    }
    this.#sending = false;
    this.#tell();
    for (const done of this.#whenIdle.splice(0)) done();
  }

  async #ask(step: Step): Promise<void> {
    if (step.kind === 'stroke') {
      this.#take(await this.#gateway.stroke(this.#revision, step.toolStroke));
      return;
    }
    const change = await (step.kind === 'snap'
      ? this.#gateway.snap(this.#revision, step.region)
      : this.#gateway[step.kind](this.#revision));
    this.#take(change);
    this.#surface.put(change.rect, change.values);
  }

  /** Whether a stroke that seems to be in conflict is the one that was stored before its answer was lost. */
  async #isStored(step: Step): Promise<boolean> {
    if (step.kind !== 'stroke') return false;
    try {
      const whole = await this.#gateway.load();
      const expected = this.#afterFirst();
      if (whole.revision !== this.#revision + 1 || !whole.values.every((value, i) => value === expected[i]))
        return false;
      this.#take(whole);
      return true;
    } catch {
      return false;
    }
  }

  /** The mask as the first step leaves it: without the strokes that wait behind it. */
  #afterFirst(): Uint8Array {
    const { base } = this.#surface;
    const mask = { ...base, data: base.data.slice() };
    for (const step of this.#steps.slice(1).reverse()) {
      if (step.kind === 'stroke') paste(mask, step.toolStroke.stroke.rect, step.toolStroke.stroke.before);
    }
    return mask.data;
  }

  async #failed(failure: Failure): Promise<void> {
    this.#failure = failure;
    if (failure.kind === 'away') {
      // Undo and redo of what is stored need the service; strokes can wait for it.
      if (this.blocked) this.#tell(failure.sentence);
      this.#drop(({ kind }) => kind === 'stroke');
      return;
    }
    if (failure.kind === 'refused' && this.#steps[0].kind === 'stroke') return;
    if (failure.kind === 'refused') this.#tell(failure.sentence);
    // The picture as it is now comes in the place of ours; strokes stay on offer.
    this.#kept = [...this.unsaved];
    this.#drop(() => false);
    if (this.#kept.length > 0) this.#failure = failure;
    await this.reload();
  }

  #drop(keep: (step: Step) => boolean): void {
    this.#steps.splice(0, this.#steps.length, ...this.#steps.filter(keep));
    if (this.#steps.length === 0) this.#failure = undefined;
  }

  #tell(refused?: string): void {
    this.#keeper.keep(this.#revision, this.unsaved);
    this.#told(refused);
  }

  #take({ revision, undo, redo }: DraftState): void {
    this.#revision = revision;
    this.#undo = undo;
    this.#redo = redo;
  }
}
