/** The page's queue of strokes against the real service: what is stored when answers come late, get lost or say no. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { deflateSync, inflateSync } from 'node:zlib';
import type { Draft, DraftChange, DraftState } from '../../core/api/review.ts';
import { wholeOf } from '../../renderer/pages/review/canvas/bitmap.ts';
import { fillBox } from '../../renderer/pages/review/canvas/shapes.ts';
import { Surface } from '../../renderer/pages/review/canvas/surface.ts';
import type {
  Change,
  DraftGateway,
  Failure,
  StrokeKeeper,
  ToolStroke,
  Whole,
} from '../../renderer/pages/review/draft-gateway.ts';
import { DraftQueue } from '../../renderer/pages/review/draft-queue.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { startCaller, type Answer } from './service.ts';

const SIZE = { width: 40, height: 30 };
const folder = temporaryFolder();
const pictures = classOf('train/cat', 1, SIZE, 1);
for (const picture of pictures) await writePicture(folder, picture);
const caller = await startCaller();

/** What a request threw, and how the page takes it. */
class Refusal extends Error {
  readonly failure: Failure;
  constructor(kind: Failure['kind'], sentence: string) {
    super(sentence);
    this.failure = { kind, sentence };
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof Refusal) return error.failure;
  throw error;
}

/** The way to the service, which a test can cut. */
class Way implements DraftGateway {
  readonly #base: string;
  cut = false;
  /** The next stroke is stored, and its answer lost. */
  losesAnswer = false;

  constructor(base: string) {
    this.#base = base;
  }

  async stroke(
    revision: number,
    { tool, params, stroke: { rect, after } }: Parameters<DraftGateway['stroke']>[1],
  ): Promise<DraftState> {
    const values = { revision, tool, ...rect, params: JSON.stringify(params) };
    const query = Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const answer = await this.#ask(() =>
      caller.upload(`${this.#base}/strokes?${query.join('&')}`, deflateSync(after), 'POST'),
    );
    if (this.losesAnswer) {
      this.losesAnswer = false;
      throw new Refusal('away', 'The answer was lost.');
    }
    return answer.json;
  }

  undo(revision: number): Promise<Change> {
    return this.#change('undo', { revision });
  }

  redo(revision: number): Promise<Change> {
    return this.#change('redo', { revision });
  }

  snap(revision: number, region: object): Promise<Change> {
    return this.#change('snap', { revision, region });
  }

  async load(): Promise<Whole> {
    const { undo, redo }: Draft = (await this.#ask(() => caller.call('GET', this.#base))).json;
    const { bytes } = await this.#ask(() => caller.call('GET', `${this.#base}/values`));
    return { revision: bytes.readUInt32LE(0), undo, redo, values: new Uint8Array(inflateSync(bytes.subarray(12))) };
  }

  async #change(name: string, body: object): Promise<Change> {
    const { x, y, width, height, values, ...state }: DraftChange = (
      await this.#ask(() => caller.call('POST', `${this.#base}/${name}`, body))
    ).json;
    return {
      ...state,
      rect: { x, y, width, height },
      values: new Uint8Array(inflateSync(Buffer.from(values, 'base64'))),
    };
  }

  async #ask(work: () => Promise<Answer>): Promise<Answer> {
    if (this.cut) throw new Refusal('away', 'Nobody answers.');
    const answer = await work();
    if (answer.status === 200) return answer;
    const { code, message } = answer.json.error;
    throw new Refusal(code === 'conflict' ? 'conflict' : 'refused', message);
  }
}

interface Window {
  way: Way;
  surface: Surface;
  queue: DraftQueue;
  told: string[];
  /** What would outlive the window: the revision that each was made on, and the stroke. */
  kept: Map<ToolStroke, number>;
  /** Paint a column of context. */
  paint: (x: number) => void;
}

let projects = 0;

/** Two windows on one mask that is all foreground, and how to open more of them. */
async function windows(): Promise<[Window, Window, () => Promise<Window>]> {
  const file = join(folder, `queue ${++projects}.contexture`);
  const made = await makeProject(file, folder, pictures);
  const [context] = await findSome(made, [1], { rule: { form: 'threshold', threshold: 0 } });
  made.close();
  const { id } = (await caller.call('POST', '/api/projects', { file })).json;
  const base = `/api/projects/${id}/contexts/${context}/draft`;
  const open = async (): Promise<Window> => {
    const way = new Way(base);
    const { values, ...start } = await way.load();
    const surface = new Surface({ ...SIZE, data: values }, () => {});
    const told: string[] = [];
    const kept = new Map<ToolStroke, number>();
    const keeper: StrokeKeeper = {
      keep(revision, strokes) {
        for (const [i, stroke] of strokes.entries()) if (!kept.has(stroke)) kept.set(stroke, revision + i);
        for (const stroke of kept.keys()) if (!strokes.includes(stroke)) kept.delete(stroke);
      },
    };
    const queue = new DraftQueue(surface, way, failureOf, start, keeper, (refused) => {
      if (refused !== undefined) told.push(refused);
    });
    const paint = (x: number): void => {
      surface.touch(fillBox(surface.mask, { x, y: 0 }, { x, y: 29 }, 255));
      const stroke = surface.commit();
      if (stroke !== undefined) queue.add({ tool: 'brush', params: { x }, stroke });
    };
    return { way, surface, queue, told, kept, paint };
  };
  return [await open(), await open(), open];
}

/** Columns that are context. */
const columns = (data: Uint8Array): number[] =>
  Array.from({ length: SIZE.width }, (_, x) => x).filter((x) => data[x] === 255 && data[29 * SIZE.width + x] === 255);

/** What the service has is what the window shows. */
async function agree({ way, surface, queue, kept }: Window, expected: number[]): Promise<void> {
  await queue.settled();
  assert.deepEqual(queue.mark, { state: 'saved' });
  assert.equal(kept.size, 0);
  assert.deepEqual(columns(surface.mask.data), expected);
  assert.deepEqual((await way.load()).values, surface.mask.data);
  assert.deepEqual(surface.base.data, surface.mask.data);
}

test('strokes are stored in order, undone and redone; undo of what waits never reaches the service', async () => {
  const [window] = await windows();
  for (const x of [1, 2, 3]) window.paint(x);
  assert.equal(window.queue.mark.state, 'saving');
  // The third has not been sent yet.
  window.queue.undo();
  await agree(window, [1, 2]);
  assert.equal((await window.way.load()).undo, 2);
  window.queue.redo();
  await agree(window, [1, 2, 3]);
  window.queue.undo();
  assert.equal(window.queue.blocked, true);
  await agree(window, [1, 2]);
  window.queue.undo();
  await agree(window, [1]);
  window.queue.redo();
  await agree(window, [1, 2]);
  assert.equal(window.queue.redoable, 1);
  window.paint(9);
  await agree(window, [1, 2, 9]);
  assert.equal(window.queue.redoable, 0);
});

test('while nobody answers strokes wait; undo of stored ones is refused in a sentence', async () => {
  const [window] = await windows();
  window.paint(1);
  await agree(window, [1]);
  window.way.cut = true;
  window.queue.undo();
  await window.queue.settled();
  assert.deepEqual(window.told, ['Nobody answers.']);
  for (const x of [2, 3, 4]) window.paint(x);
  await window.queue.settled();
  assert.deepEqual(window.queue.mark, { state: 'unsaved', why: 'Nobody answers.', strokes: 3 });
  window.queue.undo();
  assert.deepEqual(columns(window.surface.mask.data), [1, 2, 3]);
  window.queue.retry();
  await window.queue.settled();
  assert.equal(window.queue.mark.state, 'unsaved');
  window.way.cut = false;
  window.queue.retry();
  await agree(window, [1, 2, 3]);
});

test('a stroke whose answer was lost is found to be stored, and not painted twice', async () => {
  const [window] = await windows();
  window.way.losesAnswer = true;
  window.paint(1);
  window.paint(2);
  await window.queue.settled();
  assert.equal(window.queue.mark.state, 'unsaved');
  window.queue.retry();
  await agree(window, [1, 2]);
  assert.equal((await window.way.load()).undo, 2);
});

test('two windows: the later one is told, shows what is there, and can paint its strokes again', async () => {
  const [mine, theirs] = await windows();
  theirs.paint(5);
  await agree(theirs, [5]);
  mine.paint(7);
  mine.paint(8);
  await mine.queue.settled();
  const { mark } = mine.queue;
  assert.equal(mark.state, 'conflict');
  assert.equal('strokes' in mark && mark.strokes, 2);
  assert.match('why' in mark ? mark.why : '', /[.]$/);
  assert.deepEqual(columns(mine.surface.mask.data), [5]);
  mine.queue.resolve(true);
  await agree(mine, [5, 7, 8]);
  theirs.queue.heard(mine.queue.revision);
  while (theirs.queue.revision !== mine.queue.revision) await wait(20);
  await agree(theirs, [5, 7, 8]);
  mine.paint(20);
  await agree(mine, [5, 7, 8, 20]);
  theirs.paint(21);
  await theirs.queue.settled();
  theirs.queue.resolve(false);
  await agree(theirs, [5, 7, 8, 20]);
});

test('snapping is one stroke that is taken back like any', async () => {
  const [window] = await windows();
  window.paint(10);
  window.surface.touch(fillBox(window.surface.mask, { x: 11, y: 0 }, { x: 25, y: 29 }, 255));
  window.queue.add({ tool: 'box-add', params: {}, stroke: window.surface.commit()! });
  await window.queue.settled();
  const before = window.surface.mask.data.slice();
  window.queue.snap(wholeOf(SIZE));
  await window.queue.settled();
  assert.deepEqual(window.told, []);
  assert.equal(window.queue.undoable, 3);
  window.queue.undo();
  await window.queue.settled();
  assert.deepEqual(window.surface.mask.data, before);
});

/** A window that was closed while nobody answered, with strokes that wait. */
async function abandoned(window: Window, painted: readonly number[]): Promise<[revision: number, ToolStroke[]]> {
  window.way.cut = true;
  for (const x of painted) window.paint(x);
  await window.queue.settled();
  const strokes = [...window.kept.keys()];
  const revisions = [...window.kept.values()];
  assert.deepEqual(
    revisions,
    revisions.map((_, i) => revisions[0] + i),
  );
  return [revisions[0], strokes];
}

test('strokes of a closed window are sent on the revision that they were made on', async () => {
  const [first, , open] = await windows();
  first.paint(1);
  await agree(first, [1]);
  const left = await abandoned(first, [2, 3, 4]);
  first.queue.undo();
  assert.equal(first.kept.size, 2);
  const second = await open();
  second.queue.resume(left[0], left[1].slice(0, 2));
  assert.equal(second.queue.unsaved.length, 2);
  await agree(second, [1, 2, 3]);
  assert.equal((await second.way.load()).undo, 3);
});

test('of strokes of a closed window one whose answer was lost is not painted twice', async () => {
  const [first, , open] = await windows();
  first.way.losesAnswer = true;
  const base = first.queue.revision;
  first.paint(1);
  await first.queue.settled();
  first.paint(2);
  assert.deepEqual([...first.kept.values()], [base, base + 1]);
  const second = await open();
  second.queue.resume(base, [...first.kept.keys()]);
  await agree(second, [1, 2]);
  assert.equal((await second.way.load()).undo, 2);
});

test('where the mask has changed meanwhile, they are not stored, but kept, shown on demand, and painted or let go', async () => {
  const [first, other, open] = await windows();
  const left = await abandoned(first, [2, 3]);
  other.paint(9);
  await agree(other, [9]);
  const second = await open();
  second.queue.resume(...left);
  await second.queue.settled();
  const { mark } = second.queue;
  assert.ok(mark.state === 'conflict' && mark.strokes === 2 && !mark.shown);
  assert.deepEqual([...second.kept.keys()], left[1]);
  assert.deepEqual(columns(second.surface.mask.data), [9]);
  second.queue.showKept(true);
  assert.deepEqual(columns(second.surface.mask.data), [2, 3, 9]);
  // Nothing goes on before it is decided.
  second.queue.undo();
  second.queue.showKept(false);
  assert.deepEqual(columns(second.surface.mask.data), [9]);
  assert.deepEqual(columns((await second.way.load()).values), [9]);
  second.queue.showKept(true);
  second.queue.resolve(true);
  await agree(second, [2, 3, 9]);
});

test('a change of someone else that covers the first stroke is not taken for it', async () => {
  const [first, other, open] = await windows();
  const left = await abandoned(first, [2, 3]);
  other.surface.touch(fillBox(other.surface.mask, { x: 2, y: 0 }, { x: 9, y: 29 }, 255));
  other.queue.add({ tool: 'box-add', params: {}, stroke: other.surface.commit()! });
  await other.queue.settled();
  const second = await open();
  second.queue.resume(...left);
  await second.queue.settled();
  assert.equal(second.queue.mark.state, 'conflict');
  second.queue.resolve(false);
  await agree(second, [2, 3, 4, 5, 6, 7, 8, 9]);
});
