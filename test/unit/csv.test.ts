import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvLine } from '../../core/base/csv.ts';

test('CSV fields are quoted where they must be', () => {
  assert.equal(
    csvLine(['a', 1.5, null, 'x,y', 'say "hi"', 'two\nlines', '']),
    'a,1.5,,"x,y","say ""hi""","two\nlines",\r\n',
  );
});
