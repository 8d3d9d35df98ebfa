import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandText } from '../../renderer/dataset/command.ts';
import {
  addressOf,
  filterOf,
  narrows,
  sameFilter,
  WHOLE_VIEW,
  type Filter,
} from '../../renderer/pages/explore/filter.ts';

/** As the router reads an address again. */
const reread = (filter: Filter): Filter =>
  filterOf(
    Object.fromEntries(Object.entries(addressOf(filter)).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))),
  );

test('every filter comes back from its address', () => {
  const filters: Filter[] = [
    WHOLE_VIEW,
    { sort: 'class', descending: true },
    { excluded: true, sort: 'path', descending: false },
    {
      class: [3, 12],
      group: ['medium', 'few'],
      split: ['test', 'unassigned'],
      state: ['missing'],
      source: [2],
      excluded: false,
      text: 'a b/ü&c=1,2',
      duplicates: 'leak',
      problem: 'first-frame',
      sort: 'date',
      descending: false,
    },
  ];
  for (const filter of filters) assert.deepEqual(reread(filter), filter);
});

test('what is not valid in an address is left out', () => {
  assert.deepEqual(
    filterOf({
      class: 'x,-1,0,1.5',
      group: 'huge',
      split: '',
      state: 'gone',
      dup: 'twin',
      sort: 'colour',
      desc: 'yes',
    }),
    WHOLE_VIEW,
  );
  assert.deepEqual(filterOf({ class: '4,x', group: 'few,few,many' }), {
    ...WHOLE_VIEW,
    class: [4],
    group: ['many', 'few'],
  });
  assert.equal(filterOf({ text: 'x'.repeat(900) }).text?.length, 500);
});

test('the order alone narrows nothing', () => {
  assert.ok(!narrows(WHOLE_VIEW));
  assert.ok(!narrows({ ...WHOLE_VIEW, sort: 'size', descending: true }));
  assert.ok(narrows({ ...WHOLE_VIEW, text: 'a' }));
  assert.ok(narrows({ sort: 'path', descending: false }), 'excluded images too');
  assert.ok(!sameFilter(WHOLE_VIEW, { ...WHOLE_VIEW, class: [1] }));
});

test('a command that is shown can be typed', () => {
  assert.equal(
    commandText('contexture', 'stats', '--project', "/a b/it's.contexture"),
    "contexture stats --project '/a b/it'\\''s.contexture'",
  );
});
