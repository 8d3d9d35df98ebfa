/** A command line done by the service while its reader takes nothing. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandLine, CommandRequest } from '../../core/api/command.ts';
import type { OpenedProject } from '../../core/api/projects.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { startContract } from '../fixtures/contract.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const contract = startContract();
const folder = temporaryFolder();
const file = join(temporaryFolder(), 'test.contexture');
const usual = process.env.TMPDIR;
before(() => void (process.env.TMPDIR = folder));
after(() => {
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
});

const request = (...argv: string[]): CommandRequest => ({
  project: file,
  argv,
  cwd: dirname(file),
  stdout: { columns: null },
  stderr: { columns: null, isTTY: false, colour: false },
  debug: false,
});

/** What has ended without a reader: its answer. */
async function unread(): Promise<Response> {
  contract.takeTopics();
  const response = await contract.ask('POST /api/command', { body: request('edit', 'history', '--json') });
  // The pages are told when a command has ended.
  while (!contract.takeTopics().includes('edits')) await sleep(5);
  return response;
}

/** Sizes of the files that output waits in. */
function spilled(): number[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
}

/** Length of the reasons of some edits, so that their history fills more than the memory for it. */
const REASON = 300_000;
const EDITS = 10;

test('what a command prints waits in a file for a reader that takes its time, and comes whole', async () => {
  const { id } = await contract.get<OpenedProject>('POST /api/projects', { body: { file, create: true } });
  const { store } = contract.service.projects.get(id).project;
  const source = store.sources.add({ kind: 'folder', path: '/pictures', relativePath: null, addedAt: '' });
  store.images.upsert([
    {
      sourceId: source.id,
      path: 'a.png',
      pathBytes: null,
      size: 1,
      mtimeMs: 0,
      hash: sha256('a'),
      width: 1,
      height: 1,
      format: 'png',
      orientation: 1,
      foundClassId: store.classes.ensure('a').id,
      foundSplit: 'train',
    },
  ]);
  for (let i = 0; i < EDITS; i++) {
    const edit = { kind: 'exclude' as const, author: 'Ada', at: '2026-01-01T00:00:00.000Z' };
    const params = { reason: String(i).repeat(REASON) };
    store.edits.apply({ ...edit, params }, [{ imageId: 1, excluded: i % 2 === 0 }]);
  }
  const response = await unread();
  const [size, ...others] = spilled();
  assert.ok(size > EDITS * REASON - 1024 * 1024, `${size} bytes in the file`);
  assert.deepEqual(others, []);
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line): CommandLine => JSON.parse(line));
  assert.deepEqual(lines.at(-1), { type: 'exit', code: 0 });
  const printed = lines.flatMap((line) => (line.type === 'stdout' ? line.text : [])).join('');
  for (let i = 0; i < EDITS; i++) assert.ok(printed.includes(String(i).repeat(REASON)), `edit ${i}`);
  assert.deepEqual(spilled(), []);
});

test('a reader that goes leaves nothing behind', async () => {
  const response = await unread();
  assert.equal(readdirSync(folder).length, 1);
  await response.body!.cancel();
  assert.deepEqual(readdirSync(folder), []);
});

test('where the disk takes no more, the answer ends without its end and the log says why', async () => {
  process.env.TMPDIR = join(folder, 'gone');
  const response = await contract.ask('POST /api/command', { body: request('edit', 'history', '--json') });
  const text = await response.text();
  process.env.TMPDIR = folder;
  assert.doesNotMatch(text, /"exit"/);
  assert.match(contract.log.join('\n'), /command \d+ was stopped: Cannot keep the output of the command/);
});
