import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { projectFile } from './support.ts';

interface Result {
  memory: { first: number; all: number; rescanned: number; walked: number };
  walked: number;
  counted: number;
  kinds: number;
  duplicates: number;
}

test('100,000 images are imported, scanned again and walked through in bounded memory', () => {
  const script = fileURLToPath(new URL('../fixtures/import-many.ts', import.meta.url));
  const result: Result = JSON.parse(execFileSync(process.execPath, [script, projectFile()], { encoding: 'utf8' }));
  const { memory, ...counts } = result;
  assert.deepEqual(counts, { walked: 100_000, counted: 100_000, kinds: 200, duplicates: 100 });
  // SQLite's page cache (16 MiB) fills up, and that is all; as objects, 80,000 more images take over 60 MiB.
  assert.ok(memory.all - memory.first < 40, `80,000 more images took ${memory.all - memory.first} MiB`);
  assert.ok(memory.rescanned - memory.all < 40, `a re-scan took ${memory.rescanned - memory.all} MiB`);
  assert.ok(memory.walked - memory.all < 40, `walking through took ${memory.walked - memory.all} MiB`);
});
