/**
 * Nothing lost: a service is killed at random moments while a script paints, takes back, redoes, settles and decides. What was
 * answered must be there after the next start, what was not answered must be there whole or not at all.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync, inflateSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { Random } from '../../core/base/random.ts';
import { decodeGrey } from '../../core/data/decode.ts';
import { openProject } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import { classOf, makeProject, writePicture } from '../fixtures/export-project.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { open, startServiceProcess, type Answer, type ServiceProcess } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

/** Kills in all, shared by as many services as run side by side. */
const KILLS = 100;
const SERVICES = 2;

/** Longest time that a service is let at work, milliseconds. */
const LONGEST_MS = 400;

const WIDTH = 300;
const HEIGHT = 280;

interface State {
  revision: number;
  decision: string;
  pixels: Buffer;
  /** Strokes in force and taken back, as what lies below them and what they painted. */
  done: Stroke[];
  undone: Stroke[];
}

interface Stroke {
  x: number;
  y: number;
  before: Buffer;
  after: Buffer;
}

/** All strokes are squares of this side. */
const SIDE = 40;

/** What the script knows of one context: as it was answered last, and what it may be besides while nothing is answered. */
class Painter {
  known: State;
  possible: State | null = null;
  answered = 0;
  readonly #base: string;
  readonly #random: Random;

  constructor(base: string, random: Random, known: State) {
    this.#base = base;
    this.#random = random;
    this.known = known;
  }

  /** Paint and decide until the service is gone. */
  async work(service: ServiceProcess): Promise<void> {
    for (;;) {
      const draw = this.#random.below(100);
      const next = { ...this.known };
      const { revision } = this.known;
      let call: () => Promise<Answer>;
      if (draw < 15 && this.known.done.length > 0) {
        const stroke = this.known.done.at(-1)!;
        Object.assign(next, {
          revision: revision + 1,
          pixels: withSquare(this.known.pixels, stroke, stroke.before),
          done: this.known.done.slice(0, -1),
          undone: [stroke, ...this.known.undone],
        });
        call = () => service.call('POST', `${this.#base}/draft/undo`, { revision });
      } else if (draw < 25 && this.known.undone.length > 0) {
        const [stroke, ...undone] = this.known.undone;
        Object.assign(next, {
          revision: revision + 1,
          pixels: withSquare(this.known.pixels, stroke, stroke.after),
          done: [...this.known.done, stroke],
          undone,
        });
        call = () => service.call('POST', `${this.#base}/draft/redo`, { revision });
      } else if (draw < 40) {
        const [where, id] = splitAt(this.#base);
        const state = ['accepted', 'rejected', 'undecided'][this.#random.below(3)];
        next.decision = state;
        call = () => service.call('POST', `${where}/decide`, { select: { ids: [id] }, state });
      } else if (draw < 45) {
        call = () => service.call('POST', `${this.#base}/draft/settle`, { revision });
      } else {
        const x = this.#random.below(WIDTH - SIDE);
        const y = this.#random.below(HEIGHT - SIDE);
        const after = Buffer.alloc(SIDE * SIDE, this.#random.below(256));
        const stroke = { x, y, before: square(this.known.pixels, x, y), after };
        Object.assign(next, {
          revision: revision + 1,
          pixels: withSquare(this.known.pixels, stroke, after),
          done: [...this.known.done, stroke].slice(-100),
          undone: [],
        });
        const query = `revision=${revision}&tool=brush&x=${x}&y=${y}&width=${SIDE}&height=${SIDE}`;
        call = () => service.call('POST', `${this.#base}/draft/strokes?${query}`, deflateSync(after));
      }
      this.possible = next;
      let answer;
      try {
        answer = await call();
      } catch {
        return;
      }
      assert.equal(answer.status, 200, answer.text);
      this.known = next;
      this.possible = null;
      this.answered++;
    }
  }

  /** What a service that was started anew has must be what was answered, or what was asked for last besides. */
  async check(service: ServiceProcess): Promise<void> {
    const [draft, detail] = await Promise.all([
      service.json<{ revision: number; undo: number; redo: number }>('GET', `${this.#base}/draft`),
      service.json<{ state: string }>('GET', this.#base),
    ]);
    const bytes = await rawValues(service, `${this.#base}/draft/values`);
    const pixels = inflateSync(bytes.subarray(12));
    const fits = ({ revision, decision, done, undone, ...state }: State): boolean =>
      draft.revision === revision &&
      draft.undo === done.length &&
      draft.redo === undone.length &&
      detail.state === decision &&
      pixels.equals(state.pixels);
    const found = [this.known, ...(this.possible ? [this.possible] : [])].find(fits);
    assert.ok(
      found,
      `${JSON.stringify({ draft, state: detail.state })} is neither revision ${this.known.revision} (${this.known.decision}) nor what was asked for`,
    );
    this.known = found;
    this.possible = null;
  }
}

test(`${KILLS} kills while painting and deciding lose nothing that was answered`, async (t) => {
  const answers = await Promise.all(
    Array.from({ length: SERVICES }, (_, index) => killOften(index, Math.ceil(KILLS / SERVICES))),
  );
  t.diagnostic(`${answers.reduce((sum, count) => sum + count, 0)} changes were answered`);
});

/** @returns changes that were answered */
async function killOften(seed: number, kills: number): Promise<number> {
  const folder = temporaryFolder();
  const file = join(folder, 'own.contexture');
  const random = Random.stream(seed, 'kills');
  const { id, first } = await makeOwn(file, join(folder, 'pictures'));
  const state = join(folder, 'state');
  let service = await startServiceProcess({ state });
  await service.json('POST', '/api/projects', { file });
  const painters = [1, 2].map(
    (context) =>
      new Painter(`/api/projects/${id}/contexts/${context}`, Random.stream(seed, `painter ${context}`), {
        revision: 0,
        decision: 'undecided',
        pixels: first[context - 1],
        done: [],
        undone: [],
      }),
  );
  for (let kill = 0; kill < kills; kill++) {
    const working = painters.map((painter) => painter.work(service));
    await sleep(5 + random.below(LONGEST_MS));
    await service.kill();
    await Promise.all(working);
    requireSound(file, join(folder, 'copy.contexture'));
    service = await startServiceProcess({ state });
    for (const painter of painters) await painter.check(service);
  }
  await service.end();
  await requireMasks(file);
  return painters.reduce((sum, { answered }) => sum + answered, 0);
}

async function makeOwn(file: string, root: string): Promise<{ id: string; first: Buffer[] }> {
  const pictures = classOf('train/cat', 2, { width: WIDTH, height: HEIGHT }, 1);
  for (const picture of pictures) await writePicture(root, picture);
  const project = await makeProject(file, root, pictures);
  const { store, blobs } = project;
  await findSome(
    project,
    Array.from(store.images.iterate(), (image) => image.id),
  );
  const first = await Promise.all(
    [1, 2].map(async (id) => Buffer.from((await decodeGrey(blobs.get(store.masks.get(id)!.blob))).data)),
  );
  const { id } = store.info;
  project.close();
  return { id, first };
}

/** Read through all pages of a project that nobody has open, and its log; as a copy, so that the next service mends it itself. */
function requireSound(file: string, copy: string): void {
  for (const ending of ['', '-wal']) if (existsSync(file + ending)) copyFileSync(file + ending, copy + ending);
  const database = new Database(copy);
  try {
    assert.deepEqual(database.pragma('integrity_check'), [{ integrity_check: 'ok' }]);
    assert.deepEqual(database.pragma('foreign_key_check'), []);
  } finally {
    database.close();
  }
}

/** Every mask version is there, whole. */
async function requireMasks(file: string): Promise<void> {
  const project = openProject(sqliteStorage, file, { create: false, program: 'test' });
  try {
    for (const { id: image } of project.store.images.iterate()) {
      for (const mask of project.store.masks.ofImage(image)) {
        const { width, height } = await decodeGrey(project.blobs.get(mask.blob));
        assert.deepEqual([width, height], [mask.width, mask.height]);
      }
    }
  } finally {
    project.close();
  }
}

async function rawValues({ socket, token }: ServiceProcess, path: string): Promise<Buffer> {
  const answer = await open({ socket }, 'GET', path, { headers: { authorization: `Bearer ${token}` } });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function square(pixels: Buffer, x: number, y: number): Buffer {
  return Buffer.concat(
    Array.from({ length: SIDE }, (_, row) => pixels.subarray((y + row) * WIDTH + x, (y + row) * WIDTH + x + SIDE)),
  );
}

function withSquare(pixels: Buffer, { x, y }: Pick<Stroke, 'x' | 'y'>, values: Buffer): Buffer {
  const result = Buffer.from(pixels);
  for (let row = 0; row < SIDE; row++) {
    values.copy(result, (y + row) * WIDTH + x, row * SIDE, (row + 1) * SIDE);
  }
  return result;
}

function splitAt(base: string): [where: string, id: number] {
  const cut = base.lastIndexOf('/');
  return [base.slice(0, cut), Number(base.slice(cut + 1))];
}
