/** What the bench's scripted reviewer does next to a mask. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paintSegment } from '../../renderer/pages/review/canvas/brush.ts';
import { fillPolygon } from '../../renderer/pages/review/canvas/shapes.ts';
import { nextStroke, outlineOf, ROUGHNESS } from '../bench/scripted-reviewer.ts';
import { ANIMAL, BACKGROUND, BORDER, contextIou, type Trimap } from '../bench/trimaps.ts';

const SIZE = { width: 96, height: 64 };

/** A disc with a tail, and a border of three pixels round it. */
function animal(): Trimap {
  const labels = Uint8Array.from({ length: SIZE.width * SIZE.height }, (_, i) => {
    const [x, y] = [i % SIZE.width, Math.floor(i / SIZE.width)];
    const tail = x < 40 ? Infinity : Math.abs(y - 32) - 3 + Math.max(0, x - 80);
    const out = Math.min(Math.hypot(x - 32, y - 32) - 18, tail);
    return out <= 0 ? ANIMAL : out <= 3 ? BORDER : BACKGROUND;
  });
  return { ...SIZE, labels };
}

const iouOf = (truth: Trimap, data: Uint8Array): number => contextIou(truth, (i) => data[i] >= 128);

test('strokes mend an empty and a full mask, and make nothing wrong that was right', () => {
  const truth = animal();
  for (const value of [255, 0]) {
    const mask = { ...SIZE, data: new Uint8Array(SIZE.width * SIZE.height).fill(value) };
    let diameter = 24;
    let strokes = 0;
    for (let iou = iouOf(truth, mask.data); iou < 0.99; strokes++) {
      const stroke = nextStroke(mask, truth, diameter, 4);
      assert.ok(stroke !== undefined && strokes < 40, `${strokes} strokes led to ${iou}`);
      diameter = stroke.diameter;
      const base = { ...mask, data: mask.data.slice() };
      const tip = { diameter, soft: false, value: stroke.erases ? 0 : 255 } as const;
      for (const [i, to] of stroke.points.entries()) {
        paintSegment(mask, base, stroke.points[Math.max(0, i - 1)], to, tip);
      }
      const better = iouOf(truth, mask.data);
      assert.ok(better > iou, `stroke ${strokes} from ${iou} to ${better}`);
      iou = better;
    }
    assert.ok(strokes > 1);
  }
});

test('the outline goes round the animal, with fewer corners where it will be snapped', () => {
  const truth = animal();
  const corners = outlineOf(truth, ROUGHNESS.alone);
  assert.ok(outlineOf(truth, ROUGHNESS.snapped).length < corners.length);
  const data = new Uint8Array(SIZE.width * SIZE.height).fill(255);
  fillPolygon({ ...SIZE, data }, corners, 0);
  assert.ok(iouOf(truth, data) > 0.95);
});

test('where nothing disagrees nothing is done', () => {
  const truth = animal();
  const data = truth.labels.map((label) => (label === BACKGROUND ? 255 : 0));
  assert.equal(nextStroke({ ...SIZE, data }, truth, 24, 4), undefined);
});
