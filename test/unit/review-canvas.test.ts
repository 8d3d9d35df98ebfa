import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changedPart, cut, paste, union, wholeOf, type Bitmap } from '../../renderer/pages/review/canvas/bitmap.ts';
import { largestDiameter, nextDiameter, paintSegment } from '../../renderer/pages/review/canvas/brush.ts';
import { Flood } from '../../renderer/pages/review/canvas/flood.ts';
import { atInputSize, GAP } from '../../renderer/pages/review/canvas/input-size.ts';
import { coloursOf, onScreen, paintFill, paintOutline, rgba } from '../../renderer/pages/review/canvas/paint-mask.ts';
import { fillBox, fillPolygon } from '../../renderer/pages/review/canvas/shapes.ts';
import { Surface } from '../../renderer/pages/review/canvas/surface.ts';
import { makeTools, type Bench } from '../../renderer/pages/review/canvas/tools.ts';
import { actualSize, fit, pan, toFrame, toPicture, zoomAt } from '../../renderer/pages/review/canvas/view.ts';

const empty = (width: number, height: number, value = 0): Bitmap => ({
  width,
  height,
  data: new Uint8Array(width * height).fill(value),
});

/** The mask as lines of text: "#" for context. */
const drawn = ({ width, height, data }: Bitmap): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (value) => (value >= 128 ? '#' : '.')).join(''),
  );

const paint = (mask: Bitmap, from: [number, number], to: [number, number], diameter: number, soft = false) => {
  const base = { ...mask, data: mask.data.slice() };
  const [a, b] = [from, to].map(([x, y]) => ({ x, y }));
  return paintSegment(mask, base, a, b, { diameter, soft, value: 255 });
};

describe('brush', () => {
  test('one pixel wide paints the pixel that is pointed at', () => {
    const mask = empty(4, 3);
    assert.deepEqual(paint(mask, [2.9, 1.1], [2.9, 1.1], 1), { x: 2, y: 1, width: 1, height: 1 });
    assert.deepEqual(drawn(mask), ['....', '..#.', '....']);
  });

  test('a line of one pixel has no gap and no double step', () => {
    for (const [x, y] of [
      [19, 7],
      [7, 19],
      [19, 19],
      [19, 0],
      [3, 17],
    ]) {
      const mask = empty(20, 20);
      paint(mask, [0.5, 0.5], [x + 0.5, y + 0.5], 1);
      const count = mask.data.filter((value) => value === 255).length;
      // One pixel a column, or a row where it is steep.
      const long = Math.max(x, y) + 1;
      assert.equal(count, long, `to ${x}, ${y}`);
      for (let i = 0; i < long; i++) {
        const line = x >= y ? drawn(mask).map((row) => row[i]) : drawn(mask)[i].split('');
        assert.ok(line.includes('#'), `a gap at ${i} to ${x}, ${y}`);
      }
    }
  });

  test('covers exactly the pixels whose centres are near the segment', () => {
    for (const [from, to, diameter] of [
      [[10.5, 12.5], [30.5, 22.5], 9],
      [[8, 30], [31, 6], 14],
      [[20, 5], [20, 33], 6],
      [[5.5, 20.5], [33.5, 20.5], 7],
    ] as const) {
      const mask = empty(40, 40);
      paint(mask, [...from], [...to], diameter);
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      for (let y = 0; y < 40; y++) {
        for (let x = 0; x < 40; x++) {
          const [px, py] = [x + 0.5 - from[0], y + 0.5 - from[1]];
          const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy)));
          const distance = Math.hypot(px - along * dx, py - along * dy);
          if (Math.abs(distance - diameter / 2) < 1e-6) continue;
          assert.equal(mask.data[y * 40 + x] === 255, distance < diameter / 2, `${x}, ${y}, diameter ${diameter}`);
        }
      }
    }
  });

  test('stays inside the picture and says so', () => {
    const mask = empty(6, 6);
    assert.equal(paint(mask, [-40, -40], [-30, -35], 5), undefined);
    assert.deepEqual(paint(mask, [-2, 3], [1, 3], 4), { x: 0, y: 1, width: 3, height: 4 });
  });

  test('a soft tip is full in the middle, fades, and twice is once', () => {
    const once = empty(41, 41, 20);
    const base = { ...once, data: once.data.slice() };
    const tip = { diameter: 21, soft: true, value: 255 } as const;
    const at = { x: 20.5, y: 20.5 };
    paintSegment(once, base, at, at, tip);
    const twice = once.data.slice();
    paintSegment(once, base, at, at, tip);
    assert.deepEqual(once.data, twice);
    const row = Array.from(once.data.subarray(20 * 41 + 20, 21 * 41));
    assert.equal(row[0], 255);
    assert.equal(row[4], 255);
    assert.ok(row.every((value, i) => i === 0 || value <= row[i - 1]));
    assert.equal(row[11], 20);
  });

  test('sizes go from one pixel to a quarter of the picture', () => {
    assert.equal(largestDiameter({ width: 4096, height: 3000 }), 1024);
    assert.equal(nextDiameter(1, -1, 100), 1);
    assert.equal(nextDiameter(1, 1, 100), 2);
    assert.equal(nextDiameter(80, 1, 100), 90);
    assert.equal(nextDiameter(99, 1, 100), 100);
  });
});

describe('shapes', () => {
  test('a polygon takes the pixels whose centres lie inside', () => {
    const mask = empty(8, 5);
    const rect = fillPolygon(mask, [{ x: 1, y: 1 }, { x: 6, y: 1 }, { x: 1, y: 4 }], 255); // prettier-ignore
    assert.deepEqual(drawn(mask), ['........', '.####...', '.##.....', '.#......', '........']);
    assert.deepEqual(rect, { x: 1, y: 1, width: 5, height: 3 });
    assert.equal(fillPolygon(mask, [{ x: 1, y: 1 }, { x: 6, y: 1 }], 255), undefined); // prettier-ignore
  });

  test('where a polygon crosses itself the overlap is outside', () => {
    const mask = empty(10, 10);
    const star = [0, 2, 4, 1, 3].map((i) => ({
      x: 5 + 4.9 * Math.sin((2 * Math.PI * i) / 5),
      y: 5 - 4.9 * Math.cos((2 * Math.PI * i) / 5),
    }));
    fillPolygon(mask, star, 255);
    assert.equal(mask.data[5 * 10 + 5], 0);
    assert.deepEqual(drawn(mask)[2], '....##....');
  });

  test('a box takes both of its corners', () => {
    const mask = empty(6, 4, 255);
    assert.deepEqual(fillBox(mask, { x: 4.2, y: 2.9 }, { x: 2.7, y: 1.1 }, 0), { x: 2, y: 1, width: 3, height: 2 });
    assert.deepEqual(drawn(mask), ['######', '##...#', '##...#', '######']);
    assert.equal(fillBox(mask, { x: -5, y: -5 }, { x: -2, y: -1 }, 0), undefined);
  });
});

test('flood fill takes what is reached within the tolerance, at any tolerance as if asked for first', () => {
  // Steps of 30 to the right, a wall in the middle of the last row.
  const [width, height] = [6, 3];
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++)
    data.fill(i % width === 3 && i >= 2 * width ? 250 : (i % width) * 30, 4 * i, 4 * i + 3);
  const pixels = { width, height, data };
  const flood = new Flood(pixels, { x: 0.5, y: 2.5 });
  const filled = (tolerance: number, from: Flood = flood): string[] => {
    const mask = empty(width, height);
    from.fill(mask, tolerance, 255);
    return drawn(mask);
  };
  assert.deepEqual(filled(0), ['#.....', '#.....', '#.....']);
  assert.deepEqual(filled(95), ['####..', '####..', '###...']);
  assert.deepEqual(filled(60), ['###...', '###...', '###...']);
  assert.deepEqual(filled(150), ['######', '######', '###.##']);
  assert.deepEqual(filled(254), Array(3).fill('######'));
  for (const tolerance of [0, 29, 30, 95, 150, 249, 250]) {
    assert.deepEqual(filled(tolerance), filled(tolerance, new Flood(pixels, { x: 0.5, y: 2.5 })));
  }
});

describe('surface', () => {
  test('a stroke is its changed rectangle; taking it back and giving it up leave the mask as it was', () => {
    const repainted: object[] = [];
    const surface = new Surface(empty(5, 4), (rect) => repainted.push(rect));
    surface.touch(fillBox(surface.mask, { x: 1, y: 1 }, { x: 3, y: 2 }, 255));
    surface.restore();
    assert.deepEqual(drawn(surface.mask), Array(4).fill('.....'));
    surface.touch(wholeOf(surface.mask));
    surface.touch(fillBox(surface.mask, { x: 1, y: 1 }, { x: 3, y: 2 }, 255));
    const stroke = surface.commit()!;
    assert.deepEqual(stroke.rect, { x: 1, y: 1, width: 3, height: 2 });
    assert.deepEqual([...stroke.before], Array(6).fill(0));
    assert.deepEqual([...stroke.after], Array(6).fill(255));
    assert.equal(surface.commit(), undefined);
    surface.put(stroke.rect, stroke.before);
    assert.deepEqual(drawn(surface.base), Array(4).fill('.....'));
    assert.equal(repainted.length, 5);
  });

  test('strokes are repeated over another mask by the pixels that they changed', () => {
    const surface = new Surface(empty(4, 1), () => {});
    const stroke = {
      rect: { x: 0, y: 0, width: 4, height: 1 },
      before: Uint8Array.of(0, 0, 0, 0),
      after: Uint8Array.of(0, 255, 0, 0),
    };
    surface.put(stroke.rect, Uint8Array.of(9, 9, 9, 9));
    assert.deepEqual([...surface.repeat([stroke])!.after], [255]);
    assert.deepEqual([...surface.mask.data], [9, 255, 9, 9]);
  });

  test('a difference is found wherever it lies', () => {
    const a = empty(7, 6);
    const b = empty(7, 6);
    assert.equal(changedPart(a, b, wholeOf(a)), undefined);
    b.data[2 * 7 + 5] = 1;
    b.data[4 * 7 + 1] = 1;
    assert.deepEqual(changedPart(a, b, wholeOf(a)), { x: 1, y: 2, width: 5, height: 3 });
    paste(a, { x: 1, y: 2, width: 5, height: 3 }, cut(b, { x: 1, y: 2, width: 5, height: 3 }));
    assert.deepEqual(a.data, b.data);
    assert.throws(() => paste(a, wholeOf(a), new Uint8Array(3)), RangeError);
    assert.deepEqual(union({ x: 0, y: 3, width: 2, height: 1 }, { x: 4, y: 0, width: 1, height: 2 }), {
      x: 0,
      y: 0,
      width: 5,
      height: 4,
    });
  });
});

const bench = (): Bench & { done: object[] } => {
  const done: object[] = [];
  const surface = new Surface(empty(20, 20), () => {});
  return {
    surface,
    settings: { diameter: 3, soft: false, tolerance: 10 },
    pixels: () => ({ width: 20, height: 20, data: new Uint8ClampedArray(1600) }),
    commit: (params) => {
      const stroke = surface.commit();
      if (stroke !== undefined) done.push({ params, rect: stroke.rect });
    },
    done,
  };
};

describe('tools', () => {
  test('brush: a press and a drag are one stroke; Escape gives it up', () => {
    const [work, tools] = [bench(), makeTools()];
    tools.brush.down(work, { x: 5.5, y: 5.5 }, false);
    tools.brush.move(work, [{ x: 8.5, y: 5.5 }, { x: 12.5, y: 5.5 }], true); // prettier-ignore
    tools.brush.up(work);
    assert.deepEqual(work.done, [
      { params: { diameter: 3, soft: false, remove: false }, rect: { x: 4, y: 4, width: 10, height: 3 } },
    ]);
    const before = work.surface.mask.data.slice();
    tools.eraser.down(work, { x: 5.5, y: 5.5 }, false);
    assert.notDeepEqual(work.surface.mask.data, before);
    assert.equal(tools.eraser.cancel(work), true);
    assert.deepEqual(work.surface.mask.data, before);
    assert.equal(work.done.length, 1);
  });

  test('polygon: corners, the last one back, closed by a second press on the same place', () => {
    const [work, tools] = [bench(), makeTools()];
    for (const [x, y] of [
      [2, 2],
      [12, 2],
      [18, 18],
      [12, 12],
      [2, 12],
      [2, 12],
    ]) {
      // prettier-ignore
      tools.polygon.down(work, { x, y }, false);
      if (x === 18) tools.polygon.back?.();
    }
    assert.deepEqual(work.done, [
      { params: { corners: 4, remove: false }, rect: { x: 2, y: 2, width: 10, height: 10 } },
    ]);
    assert.equal(tools.polygon.guide, undefined);
  });

  test('fill: a drag changes the tolerance, which stays for the next one', () => {
    const [work, tools] = [bench(), makeTools()];
    tools.flood.down(work, { x: 3, y: 3 }, false);
    tools.flood.move(work, [{ x: 13, y: 3 }], true);
    tools.flood.up(work);
    assert.equal(work.settings.tolerance, 15);
    assert.deepEqual(work.done, [
      { params: { tolerance: 15, remove: false }, rect: { x: 0, y: 0, width: 20, height: 20 } },
    ]);
  });
});

describe('view', () => {
  const frame = { width: 800, height: 600 };

  test('fits, small pictures by whole numbers', () => {
    assert.equal(fit(frame, { width: 1600, height: 300 }).scale, 776 / 1600);
    assert.equal(fit(frame, { width: 100, height: 90 }).scale, 6);
    assert.equal(fit(frame, { width: 400, height: 300 }).scale, 576 / 300);
    assert.deepEqual(actualSize(frame, { width: 100, height: 100 }), { scale: 1, left: 350, top: 250, fitted: false });
  });

  test('the point under the pointer stays there, down to single pixels', () => {
    const picture = { width: 3000, height: 2000 };
    let view = fit(frame, picture);
    const at = { x: 417, y: 233 };
    const before = toPicture(view, at);
    for (let i = 0; i < 40; i++) view = zoomAt(view, frame, picture, 1.3, at);
    assert.equal(view.scale, 64);
    const after = toPicture(view, at);
    assert.ok(Math.hypot(after.x - before.x, after.y - before.y) < 1e-6);
    const round = toFrame(view, after);
    assert.ok(Math.hypot(round.x - at.x, round.y - at.y) < 1e-6);
  });

  test('the picture cannot be lost', () => {
    const picture = { width: 100, height: 100 };
    const view = pan(fit(frame, picture), frame, picture, 1e6, -1e6);
    assert.ok(view.left < frame.width && view.top + 100 * view.scale > 0);
  });
});

describe('pixels of the screen', () => {
  const mask: Bitmap = { width: 2, height: 2, data: Uint8Array.of(255, 0, 0, 0) };
  const projection = { scaleX: 3, scaleY: 3, left: 1, top: 1 };
  const screen = { x: 0, y: 0, width: 8, height: 8 };

  test('each shows the value below its centre', () => {
    const out = new Uint32Array(64);
    paintFill(
      out,
      screen,
      mask,
      projection,
      coloursOf([1, 2, 3], (value) => value),
    );
    const coloured = rgba(1, 2, 3, 1);
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        const inFirst = x >= 1 && x < 4 && y >= 1 && y < 4;
        const outside = x < 1 || x >= 7 || y < 1 || y >= 7;
        assert.equal(out[y * 8 + x], inFirst ? coloured : outside ? 0 : rgba(1, 2, 3, 0));
      }
    }
  });

  test('a part painted alone is the same as that part of the whole', () => {
    const whole = new Uint32Array(64);
    paintOutline(whole, screen, mask, projection, 1);
    assert.ok(whole.includes(rgba(255, 255, 255, 1)));
    assert.ok(whole.includes(rgba(0, 0, 0, 0.85)));
    const area = onScreen({ x: 0, y: 0, width: 1, height: 1 }, projection, 2, screen);
    const part = new Uint32Array(area.width * area.height);
    paintOutline(part, area, mask, projection, 1);
    for (let y = 0; y < area.height; y++) {
      for (let x = 0; x < area.width; x++) {
        assert.equal(part[y * area.width + x], whole[(area.y + y) * 8 + area.x + x]);
      }
    }
    assert.deepEqual(area, { x: 0, y: 0, width: 6, height: 6 });
  });
});

test('at the input size each pixel is the mean of those it covers, beside it times the mask', () => {
  const [width, height] = [6, 4];
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : 10 * (Math.floor(i / 4) % width),
  );
  const mask = empty(width, height, 255);
  mask.data.fill(0, 0, 2 * width);
  const out = atInputSize({ width, height, data }, mask, 2);
  const at = (x: number, y: number): number => out[4 * (y * (4 + GAP) + x)];
  assert.deepEqual([at(0, 0), at(1, 0), at(0, 1), at(1, 1)], [15, 35, 15, 35]);
  assert.deepEqual([at(3, 0), at(4, 0), at(3, 1), at(4, 1)], [0, 0, 15, 35]);
});
