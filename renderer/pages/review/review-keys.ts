/** The keys of Review. Bare letters for what is done all the time; see the key sheet. */
import type { KeyAction } from '../../lib/keys.svelte.ts';
import { ZOOM_STEP, type CanvasState } from './canvas-state.svelte.ts';
import type { QueueState } from './queue-state.svelte.ts';

/** Pixels of the picture that the cross goes with Shift. */
const LEAP = 10;
const THRESHOLD_STEP = 0.02;

/** What is done as long as a key is held. */
export interface Holds {
  pan(code: string): void;
  hide(code: string): void;
}

function action(id: string, title: string, keys: readonly string[], run: KeyAction['run']): KeyAction {
  return { id: `review.${id}`, title, keys, run };
}

/** Space and Enter on a button are the button's. */
function onStage(): boolean {
  return !(document.activeElement instanceof HTMLButtonElement);
}

export function reviewKeys(queue: QueueState, canvas: CanvasState, holds: Holds): KeyAction[] {
  const withCross = (): boolean => canvas.cross !== undefined && onStage();
  const cross = (id: string, title: string, key: string, dx: number, dy: number): KeyAction[] => [
    { ...action(`cross-${id}`, `Cross ${title}`, [key], () => canvas.moveCross(dx, dy)), enabled: withCross },
    {
      ...action(`cross-far-${id}`, `Cross far ${title}`, [`Shift+${key}`], () =>
        canvas.moveCross(LEAP * dx, LEAP * dy),
      ),
      enabled: withCross,
    },
  ];
  return [
    action('accept', 'Accept, and go on', ['p'], () => void queue.decide('accepted')),
    action('reject', 'Reject, and go on', ['x'], () => void queue.decide('rejected')),
    action('undecided', 'Undecided, and go on', ['u'], () => void queue.decide('undecided')),
    action('undo-step', 'Take back the last decision', ['z'], () => void queue.undoStep()),
    // Before the arrows of the queue: with the cross they belong to it.
    ...cross('left', 'to the left', 'ArrowLeft', -1, 0),
    ...cross('right', 'to the right', 'ArrowRight', 1, 0),
    ...cross('up', 'up', 'ArrowUp', 0, -1),
    ...cross('down', 'down', 'ArrowDown', 0, 1),
    action('next', 'Next context', ['d', 'ArrowRight'], () => queue.go(1)),
    action('previous', 'Previous context', ['a', 'ArrowLeft'], () => queue.go(-1)),
    action('next-undecided', 'Next undecided context', ['Mod+Shift+d'], () => queue.goUndecided(1)),
    action('previous-undecided', 'Previous undecided context', ['Mod+Shift+a'], () => queue.goUndecided(-1)),
    action('brush', 'Brush', ['b'], () => canvas.take('brush')),
    action('eraser', 'Eraser', ['e'], () => canvas.take('eraser')),
    action('polygon', 'Polygon', ['l'], () => canvas.take('polygon')),
    action('box', 'Box', ['r'], () => canvas.take('box')),
    action('flood', 'Fill by colour', ['f'], () => canvas.take('flood')),
    action('hand', 'Move the picture', ['m'], () => canvas.take('hand')),
    action('smaller', 'Smaller brush', ['['], () => canvas.stepDiameter(-1)),
    action('larger', 'Larger brush', [']'], () => canvas.stepDiameter(1)),
    action('soft-edge', 'Soft or hard edge of the brush', ['Shift+b'], () => {
      canvas.settings.soft = !canvas.settings.soft;
    }),
    action('undo', 'Undo the last stroke', ['Mod+z'], () => canvas.undo()),
    action('redo', 'Redo the stroke', ['Mod+Shift+z', 'Mod+y'], () => canvas.redo()),
    action('threshold-down', 'Lower threshold: less context', [','], () =>
      canvas.edits.threshold.step(-THRESHOLD_STEP),
    ),
    action('threshold-up', 'Higher threshold: more context', ['.'], () => canvas.edits.threshold.step(THRESHOLD_STEP)),
    action('snap', 'Snap to edges, in the part in view', ['s'], () => canvas.edits.snap()),
    action('invert', 'Invert', ['i'], () => canvas.edits.operate('invert')),
    action('grow', 'Grow the context', ['g'], () => canvas.edits.operate('grow')),
    action('shrink', 'Shrink the context', ['Shift+g'], () => canvas.edits.operate('shrink')),
    action('smooth', 'Smooth', ['w'], () => canvas.edits.operate('smooth')),
    action('fill-holes', 'Fill holes', ['o'], () => canvas.edits.operate('fill-holes')),
    action('drop-specks', 'Drop specks', ['k'], () => canvas.edits.operate('drop-specks')),
    action('binarize', 'Binary: context or not', ['t'], () => canvas.edits.operate('binarize')),
    action('soften', 'Soft mask, from the saliency', ['Shift+t'], () => canvas.edits.soften()),
    action('mode', 'Next way to show the mask', ['v'], () => canvas.look.next()),
    action('hide', 'Hide the mask while held', ['h'], ({ code }) => holds.hide(code)),
    { ...action('pan', 'Move the picture while held', ['Space'], ({ code }) => holds.pan(code)), enabled: onStage },
    action('fit', 'Whole picture', ['0'], () => canvas.place.fit()),
    action('actual', 'A pixel for a pixel', ['1'], () => canvas.place.actualSize()),
    action('zoom-in', 'Zoom in', ['+', '='], () => canvas.zoom(ZOOM_STEP)),
    action('zoom-out', 'Zoom out', ['-'], () => canvas.zoom(1 / ZOOM_STEP)),
    action('cross', 'Paint by keyboard: show or hide the cross', ['c'], () => {
      if (canvas.cross === undefined) canvas.moveCross(0, 0);
      else canvas.leaveCross();
    }),
    { ...action('press', 'Press or lift at the cross', ['Enter'], () => canvas.pressCross(false)), enabled: withCross },
    {
      ...action('press-remove', 'Press at the cross, taking out', ['Alt+Enter'], () => canvas.pressCross(true)),
      enabled: withCross,
    },
    {
      ...action('finish', 'Close the polygon', ['Enter', 'Shift+Enter'], () => void canvas.finish()),
      enabled: () => canvas.busy && onStage(),
    },
    { ...action('back', 'Take back the last corner', ['Backspace'], () => canvas.back()), enabled: () => canvas.busy },
    {
      ...action('cancel', 'Give up what is under way', ['Escape'], () => {
        if (!canvas.cancel()) canvas.leaveCross();
      }),
      enabled: () => canvas.busy || canvas.cross !== undefined || canvas.edits.threshold.tried !== undefined,
    },
  ];
}
