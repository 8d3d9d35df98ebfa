/** Choosing with the pointer: a press chooses, a press that moves draws a rectangle and chooses what it touches. */
import type { Selection } from '../lib/selection.svelte.ts';
import type { GridState } from './grid-state.svelte.ts';

/** A press that moves less than this is a click, CSS pixels. */
const SLACK = 6;
/** Within this distance of an edge the grid scrolls by itself, and by so much a frame. */
const EDGE = 32;
const STEP = 24;

/** Take a press on the grid. @param index cell under the pointer, null on the ground */
export function drawBand(grid: GridState, selection: Selection, index: number | null, event: PointerEvent): void {
  const { element } = grid;
  if (element === undefined || event.pointerType === 'touch') return;
  // A press on the scroll bar.
  if (event.offsetX >= element.clientWidth && event.target === element) return;
  const before = event.ctrlKey || event.metaKey || event.shiftKey ? selection.ids : [];
  grid.press(index, event);
  if (event.button !== 0) return;
  const box = element.getBoundingClientRect();
  const start = inContent(event);
  let last = event;
  let drawing = false;
  let timer = 0;

  function inContent({ clientX, clientY }: PointerEvent): { x: number; y: number } {
    return { x: clientX - box.left, y: Math.max(box.top, Math.min(box.bottom, clientY)) - box.top + grid.top };
  }
  function draw(): void {
    const { x, y } = inContent(last);
    grid.drawBand({ x0: start.x, y0: start.y, x1: x, y1: y }, before);
  }
  function move(moved: PointerEvent): void {
    last = moved;
    if (!drawing && Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) < SLACK) return;
    if (!drawing) {
      drawing = true;
      element?.setPointerCapture(event.pointerId);
      timer = requestAnimationFrame(scroll);
    }
    draw();
  }
  function scroll(): void {
    const direction = last.clientY < box.top + EDGE ? -1 : last.clientY > box.bottom - EDGE ? 1 : 0;
    if (direction !== 0 && element !== undefined) {
      element.scrollTop += (direction * STEP) / Math.min(STEP, grid.layout.factor);
      draw();
    }
    timer = requestAnimationFrame(scroll);
  }
  function end(): void {
    cancelAnimationFrame(timer);
    grid.band = undefined;
    element?.removeEventListener('pointermove', move);
    element?.removeEventListener('pointerup', end);
    element?.removeEventListener('pointercancel', end);
  }
  element.addEventListener('pointermove', move);
  element.addEventListener('pointerup', end);
  element.addEventListener('pointercancel', end);
}
