/** Shows `Progress`: one line that is redrawn on a terminal, a line every ten seconds elsewhere. */
import { styleText } from 'node:util';
import stringWidth from 'string-width';
import type { Progress } from '../base/progress.ts';
import { count, duration, oneLine, rate } from './format.ts';
import type { ProgressOutput } from './host.ts';
import { fit } from './table.ts';

const REDRAW_MS = 100;
const PLAIN_MS = 10_000;
const CLEAR_LINE = '\r\u001b[K';

export class ProgressView {
  readonly #stream: ProgressOutput;
  readonly #colour: boolean;
  #last: Progress | undefined;
  #stageStart = 0;
  #shownAt = 0;
  /** A line without a line break stands on the terminal. */
  #open = false;

  /** @param colour paint the bar; the caller knows about NO_COLOR */
  constructor(stream: ProgressOutput, colour: boolean) {
    this.#stream = stream;
    this.#colour = colour;
  }

  update(progress: Progress): void {
    const now = performance.now();
    if (this.#last?.stage !== progress.stage) {
      // A stage that only gives way for a while, as training does to evaluation, leaves nothing behind.
      if (this.#last && isComplete(this.#last)) this.settle();
      this.#stageStart = now;
      this.#shownAt = this.#stream.isTTY ? -Infinity : now;
    }
    this.#last = progress;
    if (now - this.#shownAt < (this.#stream.isTTY ? REDRAW_MS : PLAIN_MS)) return;
    this.#shownAt = now;
    if (this.#stream.isTTY) this.#draw(progress);
    else this.#stream.write(`${describe(progress).join(', ')}\n`);
  }

  /** Write a line of text above the bar. */
  note(text: string): void {
    this.#clear();
    this.#stream.write(`${text}\n`);
    if (this.#last && this.#stream.isTTY) this.#draw(this.#last);
  }

  /** Replace the bar by one line that stays: what was done and how long it took. */
  settle(): void {
    this.#clear();
    const last = this.#last;
    if (!last) return;
    this.#last = undefined;
    const amount = isComplete(last) ? count(last.done) : `${count(last.done)} of ${count(last.total ?? last.done)}`;
    const seconds = duration((performance.now() - this.#stageStart) / 1000);
    this.#stream.write(`${oneLine(last.stage)}: ${amount} ${unitOf(last.total ?? last.done, last.unit)}, ${seconds}\n`);
  }

  #clear(): void {
    if (this.#open) this.#stream.write(CLEAR_LINE);
    this.#open = false;
  }

  #draw(progress: Progress): void {
    // One column less than there are: a full last column makes some terminals break the line.
    const width = (this.#stream.columns || 80) - 1;
    this.#stream.write(CLEAR_LINE + barLine(progress, width, this.#colour));
    this.#open = true;
  }
}

const isComplete = ({ done, total }: Progress): boolean => total === null || done >= total;

/** "images", and of a single one "image". */
function unitOf(amount: number, unit: string): string {
  return amount === 1 ? unit.replace(/s$/, '') : unit;
}

/** The parts of a progress line, most important first: stage, count, time left, rate, remark. */
function describe(progress: Progress): string[] {
  const { stage, done, total, unit, secondsLeft, note } = progress;
  return [
    oneLine(stage),
    `${total === null ? count(done) : `${count(done)}/${count(total)}`} ${unitOf(total ?? done, unit)}`,
    ...(secondsLeft === null ? [] : [`${duration(secondsLeft)} left`]),
    ...(progress.rate === null ? [] : [`${rate(progress.rate)}/s`]),
    ...(note === undefined ? [] : [oneLine(note)]),
  ];
}

/**
 * A progress line of at most `width` columns: parts are left out from the least important on, and the bar takes up to
 * 30 columns of what is left.
 */
export function barLine(progress: Progress, width: number, colour: boolean): string {
  const [stage, ...parts] = describe(progress);
  const length = (): number => stringWidth([stage, ...parts].join('  '));
  while (parts.length > 1 && length() > width) parts.pop();
  const room = Math.min(30, width - length() - 4);
  if (!progress.total || room < 6) return fit([stage, ...parts].join('  '), width);
  const full = Math.round(room * Math.min(1, progress.done / progress.total));
  const paint = (text: string): string => (colour ? styleText('green', text, { validateStream: false }) : text);
  const bar = `[${paint('='.repeat(full))}${' '.repeat(room - full)}]`;
  return [stage, bar, ...parts].join('  ');
}
