import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROBLEM_TEXTS, problemText } from '../../core/data/problem-kinds.ts';

const DATA = join(import.meta.dirname, '../../core/data');

/** Kinds of problems as the sources write them: `kind: 'x'` or `'x', 'error'` and its like. */
function writtenKinds(): Set<string> {
  const kinds = new Set<string>();
  for (const file of globSync('**/*.ts', { cwd: DATA })) {
    const source = readFileSync(join(DATA, file), 'utf8');
    if (!source.includes('NewProblem')) continue;
    for (const pattern of [
      /kind: '([a-z0-9-]+)',\s*severity/g,
      /'([a-z0-9-]+)',\s*'(?:error|warning|note)'/g,
      /(?:refuse|remark)\((?:'(?:error|warning|note)', )?'([a-z0-9-]+)'/g,
    ]) {
      for (const [, kind] of source.matchAll(pattern)) kinds.add(kind);
    }
  }
  return kinds;
}

test('each kind of problem that the import writes is explained', () => {
  const kinds = writtenKinds();
  assert.ok(kinds.size >= 25, `only ${kinds.size} kinds were found in the sources`);
  const unexplained = [...kinds].filter((kind) => !(kind in PROBLEM_TEXTS));
  assert.deepEqual(
    unexplained.filter((kind) => !['error', 'warning', 'note'].includes(kind)),
    [],
  );
});

test('texts are sentences; a kind of a newer version has one too', () => {
  for (const { title, meaning, advice } of [...Object.values(PROBLEM_TEXTS), problemText('constructor')]) {
    assert.match(title, /^[A-Za-z].*[^.]$/);
    assert.match(meaning, /^[A-Z].*\.$/s);
    assert.match(advice, /^[A-Z].*\.$/s);
  }
});
