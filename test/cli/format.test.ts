import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, duration, oneLine, plural, rate } from '../../core/cli/format.ts';
import { facts, fit, table } from '../../core/cli/table.ts';

test('numbers are grouped, and units agree with them', () => {
  assert.equal(count(1234567), '1,234,567');
  assert.equal(plural(1, 'class', 'classes'), '1 class');
  assert.equal(plural(2800, 'image'), '2,800 images');
});

test('rates keep two to three digits', () => {
  assert.deepEqual([0.123, 0.996, 4.56, 9.996, 45.6, 99.96, 1234.5].map(rate), [
    '0.12',
    '1.0',
    '4.6',
    '10',
    '46',
    '100',
    '1,235',
  ]);
});

test('times carry over at every unit', () => {
  assert.deepEqual([0.2, 59.6, 125, 3599.7, 3600, 12_000, 86_399, 180_000].map(duration), [
    '0 s',
    '1 min 00 s',
    '2 min 05 s',
    '1 h 00 min',
    '1 h 00 min',
    '3 h 20 min',
    '1 d 0 h',
    '2 d 2 h',
  ]);
});

test('sizes use powers of 1000', () => {
  assert.deepEqual([0, 812, 999.6, 3_440_000, 999_960, 2e12].map(bytes), [
    '0 B',
    '812 B',
    '1.0 kB',
    '3.4 MB',
    '1.0 MB',
    '2.0 TB',
  ]);
});

test('text from files cannot move the cursor or break the line', () => {
  assert.equal(oneLine('a\u001b[2Jb\nc\u202ed'), 'a\ufffd[2Jb c\ufffdd');
});

test('tables align by the width that characters take on a terminal', () => {
  assert.equal(
    table(
      ['class', '>images'],
      [
        ['猫', '1,130'],
        ['cafe\u0301', '7'],
        ['👩‍👩‍👧', '12'],
      ],
    ),
    ['class  images', '猫      1,130', 'cafe\u0301        7', '👩‍👩‍👧         12'].join('\n'),
  );
  assert.equal(
    facts([
      ['a', '1'],
      ['long name', '2'],
    ]),
    'a          1\nlong name  2',
  );
});

test('text is cut between whole characters', () => {
  assert.equal(fit('猫猫猫', 5), '猫猫');
  assert.equal(fit('e\u0301e\u0301', 1), 'e\u0301');
  assert.equal(fit('short', 5), 'short');
});
