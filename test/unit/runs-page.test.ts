import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { alignCurves, runningMeans, smooth } from '../../renderer/pages/runs/compare/smooth.ts';
import { confusedPairs, orderMatrix } from '../../renderer/pages/runs/detail/confusion-order.ts';
import { csvText, fileNameFor, jsonText } from '../../renderer/pages/runs/table-text.ts';
import { saliencyColour } from '../../renderer/pages/runs/saliency-colour.ts';
import { points, range, share } from '../../renderer/pages/runs/words.ts';

test('a table is read back from CSV as it was written', () => {
  const rows = [
    ['name', 'value', 'on'],
    ['a "quoted", name', 0.5, true],
    ['two\nlines', -3, false],
    ['', null, true],
  ];
  const read = parse(csvText(rows), { relax_column_count: false });
  assert.deepEqual(
    read,
    rows.map((row) => row.map((value) => String(value ?? ''))),
  );
});

test('a text that a spreadsheet would run is kept from it, a number is not changed', () => {
  assert.equal(csvText([['=HYPERLINK("x")', '@a', '-b', -1]]), `"'=HYPERLINK(""x"")",'@a,'-b,-1\r\n`);
});

test('a table as JSON has an object for each row', () => {
  assert.deepEqual(
    JSON.parse(
      jsonText([
        ['a', 'b'],
        [1, null],
      ]),
    ),
    [{ a: 1, b: null }],
  );
  assert.deepEqual(JSON.parse(jsonText([])), []);
});

test('names of files keep letters and digits only', () => {
  assert.equal(fileNameFor('Classes of run 3', 'csv'), 'Classes-of-run-3.csv');
  assert.equal(fileNameFor('../../etc/passwd', 'csv'), 'etc-passwd.csv');
  assert.equal(fileNameFor('鳥 été', 'png'), '鳥-été.png');
  assert.equal(fileNameFor('///', 'json'), 'table.json');
  assert.ok(fileNameFor('x'.repeat(500), 'csv').length < 100);
});

test('smoothing starts at the first value, keeps gaps, and changes nothing at weight 0', () => {
  const values = [4, null, 2, 6];
  assert.deepEqual(smooth(values, 0), values);
  const [first, gap, third] = smooth(values, 0.5);
  assert.deepEqual([first, gap], [4, null]);
  // (0.5 * 4 + 2) / 1.5
  assert.ok(Math.abs(third! - 8 / 3) < 1e-12);
  assert.ok(smooth([1, 1, 1], 0.98).every((value) => Math.abs(value! - 1) < 1e-12));
});

test('curves of several runs share one axis', () => {
  const aligned = alignCurves([
    { epochs: [0, 2], values: [1, 2] },
    { epochs: [1, 2, 3], values: [5, null, 7] },
  ]);
  assert.deepEqual(aligned, {
    epochs: [0, 1, 2, 3],
    values: [
      [1, null, 2, null],
      [null, 5, null, 7],
    ],
  });
  assert.deepEqual(alignCurves([]), { epochs: [], values: [] });
});

test('running means are those of neighbours', () => {
  assert.deepEqual(runningMeans([0, 3, 6]), [1.5, 3, 4.5]);
  const flat = runningMeans(Array.from({ length: 200 }, () => 2));
  assert.ok(flat.every((value) => value === 2));
});

const confusion = {
  head: 'uniform' as const,
  classes: [
    { classId: 1, name: 'b', trained: 5 },
    { classId: 2, name: 'a', trained: 50 },
    { classId: 3, name: 'c', trained: 5 },
  ],
  // b: 2 right, 2 taken for a; a: 4 right; c: 1 taken for b, 2 for a
  cells: [0, 0, 2, 0, 1, 2, 1, 1, 4, 2, 0, 1, 2, 1, 2],
};

test('the matrix is ordered by size, by errors, by name, and keeps every count', () => {
  const bySize = orderMatrix(confusion, 'size');
  assert.deepEqual(
    [bySize.labels, bySize.names],
    [
      [1, 0, 2],
      ['a', 'b', 'c'],
    ],
  );
  assert.deepEqual([...bySize.counts], [4, 0, 0, 2, 2, 0, 2, 1, 0]);
  assert.deepEqual(orderMatrix(confusion, 'confusion').labels, [2, 0, 1]);
  assert.deepEqual(orderMatrix(confusion, 'name').names, ['a', 'b', 'c']);
  for (const order of ['size', 'confusion', 'name'] as const) {
    assert.equal(
      orderMatrix(confusion, order).counts.reduce((sum, images) => sum + images, 0),
      11,
    );
  }
});

test('confused pairs come with the most images first, and none is right', () => {
  assert.deepEqual(confusedPairs(confusion), [
    { truth: 2, predicted: 1, images: 2, share: 2 / 3 },
    { truth: 0, predicted: 1, images: 2, share: 0.5 },
    { truth: 2, predicted: 0, images: 1, share: 1 / 3 },
  ]);
});

test('evidence covers more the stronger it is, and nothing where there is none', () => {
  assert.equal(saliencyColour(0)[3], 0);
  const covers = [0, 0.1, 0.5, 1].map((value) => saliencyColour(value)[3]);
  assert.deepEqual(
    covers,
    covers.toSorted((a, b) => a - b),
  );
  const light = [0.1, 0.4, 0.7, 1].map((value) =>
    saliencyColour(value)
      .slice(0, 3)
      .reduce((sum, part) => sum + part, 0),
  );
  assert.deepEqual(
    light,
    light.toSorted((a, b) => a - b),
  );
  assert.deepEqual(saliencyColour(2), saliencyColour(1));
});

test('shares and differences in words', () => {
  assert.deepEqual([points(0.052), points(-0.003), points(0.0001)], ['+5.2', '-0.3', '0.0']);
  assert.deepEqual([share(0.5), share(null), share(undefined)], ['50.0', '–', '–']);
  assert.equal(range({ low: 0.1, high: 0.25 }), '10.0 to 25.0');
});
