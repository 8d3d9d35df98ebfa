/** The pure parts of the page, without a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsInBand, indexAfterKey, layoutGrid, rowsBetween, SCROLL_LIMIT } from '../../renderer/grid/geometry.ts';
import { countAt, position, ticks } from '../../renderer/charts/scale.ts';
import { sortRows } from '../../renderer/components/table.ts';
import * as format from '../../renderer/lib/format.ts';
import { keyName, shownKey } from '../../renderer/lib/key-names.ts';
import { joinPath, projectFileName, suggestedName } from '../../renderer/lib/project-path.ts';
import { parseRoute, routeAddress } from '../../renderer/lib/routes.ts';
import { unpackThumbnails } from '../../renderer/lib/thumbnail-pack.ts';

test('addresses are read back as they were written', () => {
  for (const target of [
    { project: null, page: 'library', rest: [], query: {} },
    { project: null, page: 'settings', rest: [], query: {} },
    { project: 'a-b', page: 'runs', rest: ['3', 'a/b ?#'], query: { text: 'ä & ö', class: '3' } },
  ]) {
    const { pathname, search } = new URL(routeAddress(target), 'http://x');
    assert.deepEqual(parseRoute(pathname, search), target);
  }
  assert.equal(routeAddress({ page: 'library' }), '/');
  assert.equal(routeAddress({ project: 'p', page: 'explore', query: { a: undefined, b: 0 } }), '/p/p/explore?b=0');
  assert.deepEqual(parseRoute('/p/x', ''), { project: 'x', page: 'explore', rest: [], query: {} });
  assert.equal(parseRoute('/p/%E0%A4%A/explore', '').project, '%E0%A4%A', 'what is no escape stays');
});

test('numbers and times as text', () => {
  assert.equal(format.count(1234567), '1,234,567');
  assert.equal(format.plural(1, 'class', 'classes'), '1 class');
  assert.equal(format.percent(0.8125), '81.3 %');
  const sizes = [0, 1023, 1024, 1536, 1024 ** 2 * 99.5, 1024 ** 3 * 1023.9].map(format.bytes);
  assert.deepEqual(sizes, ['0 bytes', '1,023 bytes', '1.0 KB', '1.5 KB', '100 MB', '1.0 TB']);
  const times = [0.4, 42, 59.6, 61, 3600, 7500, 86_400 * 3 + 3600 * 4].map(format.duration);
  assert.deepEqual(times, ['less than a second', '42 s', '1 min', '1 min 1 s', '1 h', '2 h 5 min', '3 d 4 h']);
  const now = new Date(2026, 10, 27, 15, 0);
  assert.equal(format.when(new Date(2026, 10, 27, 9, 5).toISOString(), now), '09:05');
  assert.equal(format.when(new Date(2026, 10, 26, 9, 5).toISOString(), now), 'yesterday 09:05');
  assert.equal(format.when(new Date(2026, 10, 3).toISOString(), now), '3 Nov 2026');
  const long = '/home/ada/pictures/2026/a very long folder name/birds/train/wren';
  assert.ok(format.shortPath(long, 40).length <= 40);
  assert.match(format.shortPath(long, 40), /^\/home\/.*…\/.*wren$/);
  assert.equal(format.shortPath('/short', 40), '/short');
  assert.equal(format.fileName('C:\\a\\b.zip'), 'b.zip');
});

test('keys have one name, on a Mac and elsewhere', () => {
  const press = { key: 'a', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  assert.equal(keyName({ ...press, key: 'G', shiftKey: true }, false), 'Shift+g');
  assert.equal(keyName({ ...press, key: '?', shiftKey: true }, false), '?');
  assert.equal(keyName({ ...press, key: 'D', ctrlKey: true, shiftKey: true }, false), 'Mod+Shift+d');
  assert.equal(keyName({ ...press, key: 'd', metaKey: true }, true), 'Mod+d');
  assert.equal(keyName({ ...press, key: 'd', ctrlKey: true }, true), 'Ctrl+d');
  assert.equal(keyName({ ...press, key: ' ' }, false), 'Space');
  assert.equal(keyName({ ...press, key: 'ArrowLeft', shiftKey: true }, false), 'Shift+ArrowLeft');
  assert.deepEqual(shownKey('Mod+Shift+d', false), ['Ctrl', 'Shift', 'D']);
  assert.deepEqual(shownKey('Mod+Shift+d', true), ['⌘', '⇧', 'D']);
  assert.deepEqual(shownKey('Mod++', false), ['Ctrl', '+']);
  assert.deepEqual(shownKey('+', false), ['+']);
});

test('a project gets a file name that every system takes', () => {
  assert.equal(projectFileName('Birds: rare/ones?'), 'Birds- rare-ones-.contexture');
  assert.equal(projectFileName(' dots... '), 'dots.contexture');
  assert.equal(projectFileName('???'), '-.contexture');
  assert.equal(projectFileName(''), 'project.contexture');
  assert.equal(joinPath('/a/b', 'c'), '/a/b/c');
  assert.equal(joinPath('C:\\a', 'c'), 'C:\\a\\c');
  assert.equal(joinPath('/', 'c'), '/c');
  assert.equal(suggestedName('/data/birds.ZIP'), 'birds');
  assert.equal(suggestedName('C:\\data\\birds\\'), 'birds');
});

test('the grid: every cell is in exactly one place, and the scroll range is bounded', () => {
  const layout = layoutGrid({ count: 100_003, width: 1280, height: 800, size: 128, caption: 18 });
  assert.equal(layout.factor, 1);
  const [first, end] = rowsBetween(layout, 0, layout.contentHeight);
  assert.deepEqual([first, end], [0, Math.ceil(100_003 / layout.columns)]);
  const all = cellsInBand(layout, 100_003, { x0: 0, y0: 0, x1: 1280, y1: layout.contentHeight });
  assert.equal(all.length, 100_003);
  assert.deepEqual(cellsInBand(layout, 100_003, { x0: 9, y0: 9, x1: 10, y1: 10 }), [0]);

  const million = layoutGrid({ count: 1_000_000, width: 1280, height: 800, size: 160, caption: 18 });
  assert.equal(million.scrollHeight, SCROLL_LIMIT);
  const bottom = (million.scrollHeight - 800) * million.factor + 800;
  assert.ok(Math.abs(bottom - million.contentHeight) < 1e-3, 'the end of the bar is the end of the content');

  const empty = layoutGrid({ count: 0, width: 300, height: 200, size: 128, caption: 0 });
  assert.deepEqual(rowsBetween(empty, 0, 200), [0, 0]);
  assert.equal(layoutGrid({ count: 5, width: 50, height: 200, size: 128, caption: 0 }).columns, 1);
});

test('keys in the grid never leave it', () => {
  const layout = layoutGrid({ count: 10, width: 4 * 100, height: 300, size: 90, caption: 0 });
  assert.equal(layout.columns, 4);
  const from = (index: number, key: string): number | undefined => indexAfterKey(key, index, layout, 10, 2);
  assert.deepEqual(
    [from(0, 'ArrowLeft'), from(9, 'ArrowRight'), from(1, 'ArrowUp'), from(9, 'ArrowDown')],
    [0, 9, 1, 9],
  );
  assert.equal(from(7, 'ArrowDown'), 9, 'into the shorter last row');
  assert.deepEqual([from(9, 'PageUp'), from(0, 'PageDown'), from(5, 'Home'), from(5, 'End')], [1, 8, 0, 9]);
  assert.equal(from(5, 'x'), undefined);
});

test('scales of counts go there and back', () => {
  for (const kind of ['linear', 'log'] as const) {
    for (const count of [0, 1, 19, 20, 100, 4999, 5000]) {
      assert.equal(countAt(position(count, 5000, kind), 5000, kind), count);
    }
    const marks = ticks(5000, kind);
    assert.ok(marks.length >= 4 && marks.length <= 6, marks.join(' '));
  }
  assert.deepEqual(ticks(3, 'linear'), [0, 1, 2, 3]);
  assert.deepEqual(ticks(0, 'log'), [0]);
});

test('rows are sorted by value, without a value last, equal ones in their order', () => {
  const columns = [
    { key: 'a', title: 'A', width: '1fr', text: String, value: (row: (number | null)[]) => row[0] },
    { key: 'b', title: 'B', width: '1fr', text: String },
  ];
  const rows = [
    [2, 0],
    [null, 1],
    [10, 2],
    [2, 3],
  ];
  const order = (descending: boolean) => sortRows(rows, columns, { key: 'a', descending }).map((row) => row[1]);
  assert.deepEqual(order(false), [0, 3, 2, 1]);
  assert.deepEqual(order(true), [2, 0, 3, 1]);
  assert.deepEqual(sortRows(rows, columns, { key: 'b', descending: true }), rows);
});

test('packs of thumbnails', () => {
  const bytes = new Uint8Array(4 + 3 * 8 + 5);
  const view = new DataView(bytes.buffer);
  [3, 7, 2, 8, 0, 4_000_000_000, 3].forEach((value, index) => view.setUint32(index * 4, value, true));
  bytes.set([1, 2, 3, 4, 5], 28);
  assert.deepEqual(
    unpackThumbnails(bytes.buffer).map(({ id, bytes: picture }) => [id, picture === null ? null : [...picture]]),
    [
      [7, [1, 2]],
      [8, null],
      [4_000_000_000, [3, 4, 5]],
    ],
  );
  assert.throws(() => unpackThumbnails(bytes.buffer.slice(0, 31)));
});
