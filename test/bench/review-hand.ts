/** A scripted hand on the Review page: it paints by pointer and keys, and counts its strokes and both times. */
import type { Page } from 'playwright-core';
import type { Point } from '../../renderer/pages/review/canvas/bitmap.ts';
import { fit, toFrame, type View } from '../../renderer/pages/review/canvas/view.ts';
import { dragging, key, look, pointing } from './human-time.ts';
import type { BrushStroke } from './scripted-reviewer.ts';

/** How near to a corner of a rough polygon a press has to be, pixels of the picture. */
const CORNER = 5;
/** The diameter of the brush when the page is opened. */
const FIRST_DIAMETER = 24;
/** A stroke that is not saved by then never will be, milliseconds. */
const PATIENCE_MS = 60_000;

/** Keeps the stamp of the event that ended the last stroke. */
const WATCH = `(() => {
  const note = ({ timeStamp }) => { window.handStamp = timeStamp; };
  for (const type of ['pointerup', 'keydown']) addEventListener(type, note, { capture: true });
})()`;
/** From that event to the first frame in which the page says that all is stored, milliseconds. */
const SAVED = `new Promise((resolve, reject) => {
  const look = () => {
    if (document.querySelector('[role=status].saved') !== null) resolve(performance.now() - window.handStamp);
    else if (performance.now() - window.handStamp > ${PATIENCE_MS}) reject(new Error('a stroke was not stored'));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})`;

export class Hand {
  readonly #page: Page;
  readonly #view: View;
  /** Top left corner of the frame on the screen. */
  readonly #corner: Point;
  #tool = 'b';
  /** Where the pointer is, pixels of the picture. */
  #at: Point;
  diameter = FIRST_DIAMETER;
  strokes = 0;
  /** Of the pointer. */
  presses = 0;
  /** As `human-time.ts` has it. */
  humanSeconds = 0;
  /** That the page took from the end of each stroke until it was stored and shown. */
  pageSeconds = 0;

  private constructor(page: Page, view: View, corner: Point, at: Point) {
    this.#page = page;
    this.#view = view;
    this.#corner = corner;
    this.#at = at;
  }

  /** Over a picture that is fitted into its frame. */
  static async over(page: Page, picture: { width: number; height: number }): Promise<Hand> {
    const frame = page.getByRole('application');
    const box = await frame.boundingBox();
    const size = await page.evaluate<{ width: number; height: number }>(
      `(({ clientWidth, clientHeight }) => ({ width: clientWidth, height: clientHeight }))(document.querySelector('[role=application]'))`,
    );
    if (box === null) throw new Error('the picture is not shown');
    await page.evaluate(WATCH);
    const middle = { x: picture.width / 2, y: picture.height / 2 };
    return new Hand(page, fit(size, picture), { x: box.x + 1, y: box.y + 1 }, middle);
  }

  /** Pixels of the screen for each pixel of the picture. */
  get scale(): number {
    return this.#view.scale;
  }

  /** Foreground is what lies in a polygon. */
  async outline(corners: readonly Point[]): Promise<void> {
    this.humanSeconds += look();
    await this.#take('l');
    for (const corner of corners) {
      await this.#point(corner, CORNER);
      await this.#page.mouse.down({ button: 'right' });
      await this.#page.mouse.up({ button: 'right' });
    }
    await this.#press('Enter');
    await this.#done();
  }

  async brush({ erases, diameter, presses, points }: BrushStroke): Promise<void> {
    this.humanSeconds += look();
    await this.#take(erases ? 'e' : 'b');
    await this.#press(presses < 0 ? '[' : ']', Math.abs(presses));
    this.diameter = diameter;
    await this.#point(points[0], Math.max(1, diameter / 2));
    await this.#page.mouse.down();
    for (const point of points.slice(1)) await this.#page.mouse.move(...this.#onScreen(point));
    await this.#page.mouse.up();
    const scaled = points.map(({ x, y }) => ({ x: x * this.scale, y: y * this.scale }));
    this.humanSeconds += dragging(scaled, Math.max(1, diameter * this.scale));
    this.#at = points[points.length - 1];
    await this.#done();
  }

  async snap(): Promise<void> {
    this.humanSeconds += look();
    await this.#press('s');
    await this.#done();
  }

  async undo(): Promise<void> {
    this.humanSeconds += look();
    await this.#press('Control+z');
    await this.#done();
  }

  async #take(tool: string): Promise<void> {
    if (this.#tool === tool) return;
    this.#tool = tool;
    await this.#press(tool);
  }

  async #press(name: string, times = 1): Promise<void> {
    for (let i = 0; i < times; i++) await this.#page.keyboard.press(name);
    this.humanSeconds += key(times);
  }

  async #point(to: Point, width: number): Promise<void> {
    await this.#page.mouse.move(...this.#onScreen(to));
    const distance = Math.hypot(to.x - this.#at.x, to.y - this.#at.y);
    this.humanSeconds += pointing(distance * this.scale, width * this.scale);
    this.#at = to;
    this.presses++;
  }

  async #done(): Promise<void> {
    this.strokes++;
    this.pageSeconds += (await this.#page.evaluate<number>(SAVED)) / 1000;
  }

  #onScreen(point: Point): [number, number] {
    const place = toFrame(this.#view, point);
    return [this.#corner.x + place.x, this.#corner.y + place.y];
  }
}
