import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import type { ErrorData } from '../../core/base/errors.ts';
import { openProject } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import { migrations } from '../../db/migrations/index.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import {
  AT,
  addImage,
  newImage,
  newMask,
  newRun,
  newSaliency,
  open,
  projectFile,
  refused,
  withStore,
} from './support.ts';

/** A closed project with something in it. */
function closedProject(): string {
  const file = projectFile();
  const store = open(file);
  store.images.upsert(Array.from({ length: 200 }, (_, i) => newImage(store, `bird/${i}.png`)));
  store.close();
  return file;
}

/** Check that a file is refused and that neither it nor its folder changes. */
function refusedUntouched(file: string, code: Parameters<typeof refused>[1]): string {
  const look = () => readdirSync(dirname(file)).map((name) => [name, statSync(join(dirname(file), name)).mtimeMs]);
  const names = look();
  const bytes = readFileSync(file);
  const sentence = refused(() => open(file), code);
  assert.ok(sentence.includes(file), sentence);
  assert.ok(readFileSync(file).equals(bytes), 'the file changed');
  assert.deepEqual(look(), names);
  return sentence;
}

/** Overwrite bytes in the middle of a file. */
function overwrite(file: string, offset: number, bytes: Uint8Array): void {
  const content = readFileSync(file);
  content.set(bytes, offset);
  writeFileSync(file, content);
}

test('a new project has an id, a name and a time, and keeps them', () => {
  const file = projectFile();
  const store = open(file, { name: 'Garden birds' });
  const { info } = store;
  assert.equal(info.name, 'Garden birds');
  assert.match(info.id, /^[0-9a-f-]{36}$/);
  assert.equal(new Date(info.createdAt).toISOString(), info.createdAt);
  store.close();
  const again = open(file, { create: false });
  assert.deepEqual(again.info, info);
  again.close();
});

test('a project is named after its file unless told', () => {
  withStore((store) => assert.equal(store.info.name, 'birds'));
});

test('opening for making leaves a project that is there as it is', () => {
  const file = closedProject();
  const store = open(file, { name: 'another name' });
  assert.equal(store.info.name, 'birds');
  assert.equal([...store.images.iterate()].length, 200);
  store.close();
});

test('a closed project is one file, and closing twice does no harm', () => {
  const file = projectFile();
  const store = open(file);
  store.close();
  store.close();
  assert.deepEqual(readdirSync(dirname(file)), ['birds.contexture']);
});

test('a closed store refuses to work', () => {
  const store = open(projectFile());
  store.close();
  assert.throws(() => store.classes.list(), /not open/);
});

/** A row of every table. */
const contents = (of: ReturnType<typeof open>) => ({
  info: of.info,
  sources: of.sources.list(),
  problems: of.problems.list(),
  classes: of.classes.list(),
  images: [...of.images.iterate()],
  edits: of.edits.list(),
  saliencies: of.saliencies.ofImage(1),
  masks: of.masks.ofImage(1),
  contexts: of.contexts.list(),
  history: of.contexts.history(1),
  runs: of.runs.list(),
  epochs: of.runs.epochs(1),
  warnings: of.runs.warnings(1),
  exports: of.exports.list(),
  items: [...of.exports.items(1)],
  setting: of.settings.get('author'),
});

test('closing and opening again keeps a row of every table', () => {
  const file = projectFile();
  const store = open(file);
  const image = addImage(store, 'bird/ü.png', { foundSplit: 'train' });
  const other = store.classes.ensure('wren');
  store.problems.add(image.sourceId, [{ path: 'x.txt', kind: 'no-image', severity: 'note', reason: 'Not an image.' }]);
  const change = { imageId: image.id, classId: other.id };
  store.edits.apply({ kind: 'relabel', params: { to: 'wren' }, author: 'ann', at: AT }, [change]);
  const saliency = store.saliencies.add(newSaliency(image.id));
  const mask = store.masks.add(newMask(image.id, { saliencyId: saliency.id }));
  const context = store.contexts.add({ imageId: image.id, maskId: mask.id, probability: 0.5, createdAt: AT }, 'ann');
  store.contexts.setState(context.id, 'accepted', 'ann', AT);
  const run = store.runs.add(newRun());
  store.runs.putEpoch({ runId: run.id, epoch: 0, figures: { loss: 1.5 } });
  store.runs.addWarning({ runId: run.id, name: 'starving-bank', message: 'The bank is empty.', epoch: 0 });
  const record = store.exports.add({
    path: '/out',
    recipe: { perClass: 10 },
    state: 'running',
    datasetHash: run.datasetHash,
    manifestHash: null,
    images: 1,
    createdAt: AT,
    endedAt: null,
  });
  const { id: contextId } = context;
  store.exports.addItems([
    {
      exportId: record.id,
      file: 'bird/1.png',
      imageId: image.id,
      contextId,
      maskId: mask.id,
      backgroundId: null,
      lambda: 0.25,
    },
  ]);
  store.settings.set('author', 'ann');
  const before = contents(store);
  for (const [name, value] of Object.entries(before)) {
    assert.ok(Array.isArray(value) ? value.length > 0 : value !== undefined, `nothing in ${name}`);
  }
  store.close();
  const again = open(file, { create: false });
  assert.deepEqual(contents(again), before);
  again.close();
});

test('a project that is not there is not made unless asked for', () => {
  const file = projectFile();
  assert.ok(refused(() => open(file, { create: false }), 'not-found').includes(file));
  assert.deepEqual(readdirSync(dirname(file)), []);
});

test('a project is not made in a folder that is not there', () => {
  const folder = join(temporaryFolder(), 'missing');
  assert.ok(refused(() => open(join(folder, 'birds.contexture')), 'not-found').includes(folder));
});

test('what is left of a deleted project is not mixed with a new one', () => {
  for (const remains of ['-wal', '-journal', '.files/blobs/x']) {
    const file = projectFile();
    mkdirSync(dirname(file + remains), { recursive: true });
    writeFileSync(file + remains, 'old');
    refused(() => open(file), 'exists');
    assert.ok(!existsSync(file));
    assert.equal(readFileSync(file + remains, 'utf8'), 'old');
  }
});

test('files that are no project are refused and stay as they are', () => {
  const cases: Record<string, (file: string) => void> = {
    'an empty file': (file) => writeFileSync(file, ''),
    'a short text': (file) => writeFileSync(file, 'hello'),
    'a long text': (file) => writeFileSync(file, 'hello '.repeat(10_000)),
    'the database of another program': (file) => new Database(file).exec('CREATE TABLE t (a)').close(),
    'the database of another program with an id of its own': (file) => {
      const database = new Database(file);
      database.exec('PRAGMA application_id = 1196444487; PRAGMA journal_mode = WAL; CREATE TABLE t (a)');
      database.close();
    },
  };
  for (const [name, make] of Object.entries(cases)) {
    const file = projectFile();
    make(file);
    assert.match(refusedUntouched(file, 'damaged'), /not a Contexture project/, name);
  }
});

test('a folder in the place of the project is refused', () => {
  const file = projectFile();
  mkdirSync(file);
  refused(() => open(file), 'usage');
});

test('a damaged project is refused and stays as it is', () => {
  const cases: Record<string, (file: string) => void> = {
    'a head of zeros': (file) => overwrite(file, 0, new Uint8Array(100)),
    'an end that is missing': (file) => truncateSync(file, statSync(file).size - 4096),
    'an end cut inside a page': (file) => truncateSync(file, statSync(file).size - 100),
    'a list of tables that is garbage': (file) => overwrite(file, 100, new Uint8Array(1000).fill(0xa5)),
    'a page size that is none': (file) => overwrite(file, 16, Uint8Array.of(0x12, 0x34)),
    'a format that is none': (file) => overwrite(file, 18, Uint8Array.of(9, 9)),
  };
  for (const [name, damage] of Object.entries(cases)) {
    const file = closedProject();
    damage(file);
    assert.match(refusedUntouched(file, 'damaged'), /damaged/, name);
  }
});

test('damage deep inside a project is told when it is met', () => {
  const file = closedProject();
  const database = new Database(file);
  const leaf = database.prepare<[], { start: number; size: number }>(
    `SELECT (pageno - 1) * pgsize AS start, pgsize AS size FROM dbstat WHERE name = 'image' AND pagetype = 'leaf'`,
  );
  const { start, size } = leaf.get()!;
  database.close();
  overwrite(file, start, new Uint8Array(size).fill(0xa5));
  const store = open(file);
  refused(() => [...store.images.iterate()], 'damaged');
  assert.equal(store.classes.list().length, 1);
  store.close();
});

test('a project without its row is damaged', () => {
  const file = closedProject();
  const database = new Database(file);
  database.exec('DELETE FROM project');
  database.close();
  refused(() => open(file), 'damaged');
});

test('a project of a newer version is refused and stays as it is', () => {
  const file = closedProject();
  overwrite(file, 60, Uint8Array.of(0, 0, 0, migrations.length + 1));
  assert.match(refusedUntouched(file, 'newer'), /newer version of Contexture/);
});

test('a project of a newer version whose head is behind its log is refused too', () => {
  const file = closedProject();
  // As a newer version leaves it when it dies in its first moments: the version is in the log only.
  const database = new Database(file);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA user_version = ${migrations.length + 1}`);
  const log = readFileSync(`${file}-wal`);
  const copy = projectFile();
  copyFileSync(file, copy);
  database.close();
  writeFileSync(`${copy}-wal`, log);
  refused(() => open(copy), 'newer');
  assert.ok(!existsSync(`${copy}.lock`));
});

test('names that SQLite or its binding would change are refused or kept', () => {
  const folder = temporaryFolder();
  refused(() => open(join(folder, 'birds ')), 'usage');
  assert.deepEqual(readdirSync(folder), []);
  for (const name of ['a b', 'file:x?mode=memory', ':memory:', "it's", 'wörter', '100%']) {
    open(join(folder, name)).close();
    assert.ok(existsSync(join(folder, name)), name);
  }
});

test('a link to a project stands for the project', () => {
  const file = closedProject();
  const link = join(temporaryFolder(), 'link');
  symlinkSync(file, link);
  const project = openProject(sqliteStorage, link, { program: 'contexture test' });
  try {
    assert.equal(project.file, file);
    project.blobs.put(Buffer.from('x'));
    assert.ok(existsSync(`${file}.files/blobs`));
    assert.ok(existsSync(`${file}.lock`));
  } finally {
    project.close();
  }
});

test('opening a project clears what killed writers left', () => {
  const file = closedProject();
  const leftover = '0f8b9c1e-8a57-4f0e-9d2c-0123456789ab.part';
  const folders = [`${file}.files/blobs`, `${file}.files/backup`];
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, leftover), 'half');
    writeFileSync(join(folder, 'kept'), 'whole');
  }
  openProject(sqliteStorage, file, { program: 'contexture test' }).close();
  for (const folder of folders) assert.deepEqual(readdirSync(folder), ['kept']);
});

/** Open as a user who is not root, in a process of its own; root is refused nothing. */
function openAsNobody(file: string): ErrorData {
  const script = fileURLToPath(new URL('../fixtures/open-project.ts', import.meta.url));
  const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  return JSON.parse(
    execFileSync(process.execPath, [script, file, '--create'], { input: '', encoding: 'utf8', ...asNobody }),
  );
}

/** Whether that user can run this program at all. */
const noNobody = (() => {
  if (process.platform === 'win32') return 'Windows has no such permissions';
  try {
    const file = projectFile();
    chmodSync(dirname(file), 0o777);
    openAsNobody(file);
    return false;
  } catch {
    return 'no other user can run this checkout';
  }
})();

test('without permission to write or read, the sentence names the file or folder', { skip: noNobody }, () => {
  const cases: [folderMode: number, fileMode: number, named: (file: string) => string][] = [
    [0o777, 0o444, (file) => file],
    [0o555, 0o666, (file) => dirname(file)],
    [0o777, 0o000, (file) => file],
    [0o000, 0o666, (file) => file],
  ];
  for (const [folderMode, fileMode, named] of cases) {
    const file = closedProject();
    const bytes = readFileSync(file);
    chmodSync(file, fileMode);
    chmodSync(dirname(file), folderMode);
    const { code, message } = openAsNobody(file);
    chmodSync(dirname(file), 0o777);
    chmodSync(file, 0o666);
    assert.equal(code, 'no-permission', message);
    assert.ok(message.includes(named(file)), message);
    assert.ok(readFileSync(file).equals(bytes));
    assert.deepEqual(readdirSync(dirname(file)), ['birds.contexture']);
  }
  const file = projectFile();
  chmodSync(dirname(file), 0o555);
  assert.equal(openAsNobody(file).code, 'no-permission');
  assert.deepEqual(readdirSync(dirname(file)), []);
});
