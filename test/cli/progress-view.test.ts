import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import type { Progress } from '../../core/base/progress.ts';
import { barLine, ProgressView } from '../../core/cli/progress-view.ts';

const progress = (fields: Partial<Progress> = {}): Progress => ({
  type: 'progress',
  stage: 'Reading pictures',
  done: 700,
  total: 2800,
  unit: 'images',
  rate: 230,
  secondsLeft: 9.1,
  note: 'loss 1.23',
  ...fields,
});

test('a wide terminal shows everything', () => {
  const bar = `[${'='.repeat(8)}${' '.repeat(22)}]`;
  assert.equal(
    barLine(progress(), 120, false),
    `Reading pictures  ${bar}  700/2,800 images  9 s left  230/s  loss 1.23`,
  );
});

test('colour changes nothing but colour', () => {
  assert.notEqual(barLine(progress(), 100, true), barLine(progress(), 100, false));
  assert.equal(stripVTControlCharacters(barLine(progress(), 100, true)), barLine(progress(), 100, false));
});

test('the line fits every width, and loses the least important parts first', () => {
  for (let width = 0; width < 120; width++) {
    for (const stage of ['Reading pictures', '画像を読み込んでいます']) {
      assert.ok(stringWidth(barLine(progress({ stage }), width, true)) <= width, `${width} ${stage}`);
    }
  }
  assert.match(barLine(progress(), 52, false), /^Reading pictures .*9 s left/);
  assert.doesNotMatch(barLine(progress(), 52, false), /loss/);
  assert.equal(barLine(progress(), 36, false), 'Reading pictures  700/2,800 images');
});

test('an unknown total has no bar', () => {
  assert.equal(
    barLine(progress({ total: null, secondsLeft: null, rate: null, note: undefined }), 80, false),
    'Reading pictures  700 images',
  );
});

test('a terminal gets one line that is redrawn, notes stay above it, and the end leaves one plain line', () => {
  let written = '';
  const view = new ProgressView({ isTTY: true, columns: 80, write: (text) => (written += text) }, false);
  view.update(progress());
  view.note('a warning');
  view.settle();
  const clear = '\r\u001b[K';
  const bar = barLine(progress(), 79, false);
  assert.match(written, /Reading pictures: 700 of 2,800 images, \d+ s\n$/);
  assert.ok(
    written.startsWith(`${clear}${bar}${clear}a warning\n${clear}${bar}${clear}Reading pictures: 700`),
    JSON.stringify(written),
  );
});

test('elsewhere a stage leaves one line at its end', () => {
  let written = '';
  const view = new ProgressView({ write: (text) => (written += text) }, false);
  for (let done = 0; done <= 2800; done += 100) view.update(progress({ done }));
  view.update(progress({ stage: 'Counting', done: 5, total: null }));
  view.update(progress({ stage: 'Predicting', done: 1, total: 1 }));
  view.settle();
  view.settle();
  assert.match(
    written,
    /^Reading pictures: 2,800 images, \d+ s\nCounting: 5 images, \d+ s\nPredicting: 1 image, \d+ s\n$/,
  );
});

test('a stage that gives way for a while leaves a line only when it is done', () => {
  let written = '';
  const view = new ProgressView({ write: (text) => (written += text) }, false);
  view.update(progress({ stage: 'Training', done: 100, unit: 'steps' }));
  view.update(progress({ stage: 'Evaluating', done: 9, total: 9 }));
  view.update(progress({ stage: 'Training', done: 2800, unit: 'steps' }));
  view.settle();
  assert.match(written, /^Evaluating: 9 images, \d+ s\nTraining: 2,800 steps, \d+ s\n$/);
});
