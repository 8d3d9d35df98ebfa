import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addImage, newImage, open, projectFile, refused } from './support.ts';

const SCRIPT = fileURLToPath(new URL('../fixtures/open-project.ts', import.meta.url));
const children: ChildProcess[] = [];
after(() => children.forEach((child) => child.kill('SIGKILL')));

interface Holder {
  child: ChildProcess;
  answer: { ok?: true; code?: string; message?: string };
}

/** Open a project in a process of its own, which holds it until `release` or `kill`. */
async function openInProcess(file: string): Promise<Holder> {
  const child = spawn(process.execPath, [SCRIPT, file, '--create'], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, answer: JSON.parse(String(line)) };
}

async function release({ child }: Holder): Promise<void> {
  child.stdin!.end();
  await once(child, 'exit');
}

async function kill({ child }: Holder): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('a second process is refused, and told by whom, until the first has closed', async () => {
  const file = projectFile();
  const first = await openInProcess(file);
  assert.deepEqual(first.answer, { ok: true });
  const sentence = refused(() => open(file), 'locked');
  const holder = `contexture train (process ${first.child.pid} on ${hostname()} since `;
  assert.ok(sentence.startsWith(`${file} is open in ${holder}`), sentence);
  assert.ok(sentence.endsWith('Close it there or wait.'), sentence);
  await release(first);
  assert.ok(!existsSync(`${file}.lock`));
  open(file).close();
});

test('the other way round: this process holds, and the other is refused', async () => {
  const file = projectFile();
  const store = open(file);
  const other = await openInProcess(file);
  assert.equal(other.answer.code, 'locked');
  assert.ok(other.answer.message?.includes(`contexture test (process ${process.pid} on `), other.answer.message);
  addImage(store, 'bird/1.png');
  store.close();
});

test('the same process is refused too, and its lock is not lost by asking', async () => {
  const file = projectFile();
  const store = open(file);
  for (let i = 0; i < 3; i++) assert.ok(refused(() => open(file), 'locked').includes(String(process.pid)));
  assert.equal((await openInProcess(file)).answer.code, 'locked');
  store.close();
});

test('after kill -9 the project opens, with all that was committed', async () => {
  const file = projectFile();
  const setUp = open(file);
  setUp.images.upsert([newImage(setUp, 'bird/1.png')]);
  setUp.close();
  const killed = await openInProcess(file);
  assert.deepEqual(killed.answer, { ok: true });
  await kill(killed);
  assert.ok(existsSync(`${file}.lock`), 'the name is left behind');
  const store = open(file, { create: false });
  assert.equal([...store.images.iterate()].length, 1);
  assert.equal(JSON.parse(readFileSync(`${file}.lock`, 'utf8')).pid, process.pid);
  store.close();
  assert.ok(!existsSync(`${file}.lock`));
});

test('of processes that make and open a project at the same time, one wins', async () => {
  const file = projectFile();
  const all = await Promise.all(Array.from({ length: 4 }, () => openInProcess(file)));
  const winners = all.filter(({ answer }) => answer.ok);
  assert.equal(winners.length, 1);
  for (const { answer } of all) if (!answer.ok) assert.equal(answer.code, 'locked', answer.message);
  await release(winners[0]);
  open(file).close();
});

test('a holder that is not named, or not legibly, is another program', async () => {
  const file = projectFile();
  const first = await openInProcess(file);
  for (const content of ['', '{"pid":1}', '\0'.repeat(100), undefined]) {
    rmSync(`${file}.lock`, { force: true });
    if (content !== undefined) writeFileSync(`${file}.lock`, content);
    assert.equal(
      refused(() => open(file), 'locked'),
      `${file} is open in another program. Close it there or wait.`,
    );
  }
  await release(first);
});

test('a project whose holder cannot be named is not held', async () => {
  const file = projectFile();
  open(file).close();
  mkdirSync(`${file}.lock`);
  assert.throws(() => open(file));
  rmSync(`${file}.lock`, { recursive: true });
  const other = await openInProcess(file);
  assert.deepEqual(other.answer, { ok: true });
  await release(other);
});
