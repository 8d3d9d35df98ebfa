import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { makeFolderDurably, removeLeftovers, writeDurably, type DurableFs } from '../../core/base/durable-file.ts';
import { UserError } from '../../core/base/errors.ts';
import { countingFs, failures, shortWritesFs, systemError } from '../fixtures/faulty-fs.ts';
import { powerLosses } from '../fixtures/power-loss.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const OLD = Buffer.from('the old content');
const CHUNKS = [Buffer.from('the new '), Buffer.alloc(0), Buffer.from('content, which is longer')];
const NEW = Buffer.concat(CHUNKS);

function folderWithOld(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'target'), OLD);
  return folder;
}

test('writes the chunks one after the other, into folders that are not there yet', () => {
  const path = join(temporaryFolder(), 'a', 'b', 'target');
  writeDurably(path, CHUNKS);
  assert.deepEqual(readFileSync(path), NEW);
  assert.deepEqual(readdirSync(dirname(path)), ['target']);
});

test('goes on after writes that the system cuts short', () => {
  const path = join(folderWithOld(), 'target');
  writeDurably(path, CHUNKS, shortWritesFs(3));
  assert.deepEqual(readFileSync(path), NEW);
});

test('what the system refuses is told in a sentence that says what to do', () => {
  const inside = folderWithOld();
  for (const [path, code, sentence] of [
    [join(inside, 'x'.repeat(300)), 'usage', /longer than the system allows\. Choose a shorter one\.$/],
    [join(inside, 'target', 'file'), 'exists', /something else is in the way of .*target.file\. Move it away/],
  ] as const) {
    assert.throws(
      () => writeDurably(path, CHUNKS),
      (error) => error instanceof UserError && error.code === code && sentence.test(error.message),
    );
  }
  assert.deepEqual(readdirSync(inside), ['target']);
});

test('stops when the system writes nothing', () => {
  const path = join(folderWithOld(), 'target');
  assert.throws(() => writeDurably(path, CHUNKS, shortWritesFs(0)), /wrote nothing/);
  assert.deepEqual(readFileSync(path), OLD);
});

test('uses every call that the failure tests are to fail', () => {
  const { fs, calls } = countingFs();
  writeDurably(join(temporaryFolder(), 'new', 'target'), CHUNKS, fs);
  const names = calls.map((call) => call.name);
  const newFolder = 'mkdirSync openSync fsyncSync closeSync mkdirSync';
  const file = 'openSync writeSync writeSync fsyncSync closeSync';
  assert.equal(names.join(' '), `${newFolder} ${file} renameSync openSync fsyncSync closeSync`);
});

for (const after of [false, true]) {
  test(`a failure of any call ${after ? 'after' : 'before'} its work leaves the old file or the new one, and no other`, () => {
    let failed = 0;
    for (const { at, call, error, folder } of failures(
      folderWithOld,
      (fs, inside) => writeDurably(join(inside, 'target'), CHUNKS, shortWritesFs(5, fs)),
      { after },
    )) {
      failed++;
      const where = `call ${at}, ${call.name}`;
      assert.ok(error instanceof UserError && error.cause instanceof Error, where);
      assert.match(error.cause.message, /injected/, where);
      assert.deepEqual(readdirSync(folder), ['target'], where);
      const content = readFileSync(join(folder, 'target'));
      assert.ok(content.equals(OLD) || content.equals(NEW), `${where}: ${content.toString()}`);
    }
    assert.ok(failed > 12, `only ${failed} calls`);
  });
}

function* brokenChunks(): Generator<Uint8Array> {
  yield CHUNKS[0];
  throw new Error('no more');
}

test('an error of the chunks themselves leaves the old file alone', () => {
  const folder = folderWithOld();
  assert.throws(() => writeDurably(join(folder, 'target'), brokenChunks()), /no more/);
  assert.deepEqual(readdirSync(folder), ['target']);
  assert.deepEqual(readFileSync(join(folder, 'target')), OLD);
});

test('a full disk is told in one sentence with the path', () => {
  const path = join(folderWithOld(), 'target');
  const fs: DurableFs = {
    ...countingFs().fs,
    writeSync: () => {
      throw systemError('ENOSPC', 'write');
    },
  };
  assert.throws(
    () => writeDurably(path, CHUNKS, fs),
    (error) => error instanceof UserError && error.code === 'no-space' && error.message.includes(path),
  );
});

test('when closing and tidying up fail too, the first failure is told', () => {
  const folder = folderWithOld();
  const { fs } = countingFs();
  const broken: DurableFs = {
    ...fs,
    fsyncSync: () => {
      throw systemError('ENOSPC', 'fsync');
    },
    closeSync: (fd) => {
      fs.closeSync(fd);
      throw systemError('EIO', 'close');
    },
    rmSync: () => {
      throw systemError('EIO', 'rm');
    },
  };
  assert.throws(
    () => writeDurably(join(folder, 'target'), CHUNKS, broken),
    (error) => error instanceof UserError && error.code === 'no-space',
  );
  assert.equal(removeLeftovers(folder), 1);
  assert.deepEqual(readdirSync(folder), ['target']);
});

test('a power loss before any call leaves the old file or the new one, whole', () => {
  const seen = new Set<string>();
  for (const { at, finished, disk } of powerLosses(folderWithOld, (fs, folder) =>
    writeDurably(join(folder, 'target'), CHUNKS, fs),
  )) {
    const content = disk.get('target')?.toString();
    assert.ok(content === OLD.toString() || content === NEW.toString(), `call ${at}: ${content}`);
    if (finished) assert.equal(content, NEW.toString());
    seen.add(content);
  }
  assert.equal(seen.size, 2);
});

test('a power loss cannot take a new file in new folders away once it is written', () => {
  let finishedDisks = 0;
  for (const { finished, disk } of powerLosses(temporaryFolder, (fs, folder) =>
    writeDurably(join(folder, 'a', 'b', 'target'), CHUNKS, fs),
  )) {
    const content = disk.get('a/b/target');
    assert.ok(content === undefined || content.equals(NEW));
    if (!finished) continue;
    finishedDisks++;
    assert.ok(content);
  }
  assert.ok(finishedDisks > 0);
});

test('the model of a power loss catches writers that leave a sync out', () => {
  const withoutFileSync = (fs: DurableFs, folder: string) => {
    const fd = fs.openSync(join(folder, 'new'), 'wx');
    fs.writeSync(fd, NEW, 0, NEW.length);
    fs.closeSync(fd);
    fs.renameSync(join(folder, 'new'), join(folder, 'target'));
  };
  const inPlace = (fs: DurableFs, folder: string) => {
    const fd = fs.openSync(join(folder, 'target'), 'w');
    fs.writeSync(fd, NEW, 0, NEW.length);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  };
  for (const work of [withoutFileSync, inPlace]) {
    const contents = [...powerLosses(folderWithOld, work)].map(({ disk }) => disk.get('target')?.toString());
    assert.ok(contents.includes(NEW.subarray(0, NEW.length >> 1).toString()), work.name);
  }
  const withoutFolderSync = (fs: DurableFs, folder: string) => {
    const fd = fs.openSync(join(folder, 'new'), 'wx');
    fs.writeSync(fd, NEW, 0, NEW.length);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.renameSync(join(folder, 'new'), join(folder, 'target'));
  };
  const after = [...powerLosses(folderWithOld, withoutFolderSync)].filter(({ finished }) => finished);
  const contents = new Set(after.map(({ disk }) => disk.get('target')?.toString()));
  assert.deepEqual(contents, new Set([OLD.toString(), NEW.toString()]));
});

test('making a folder that is there syncs nothing', () => {
  const { fs, calls } = countingFs();
  makeFolderDurably(temporaryFolder(), fs);
  assert.deepEqual(
    calls.map((call) => call.name),
    ['mkdirSync'],
  );
});

test('leftovers are only the files named by the writer', () => {
  const folder = temporaryFolder();
  const leftover = join(folder, '0f8b9c1e-8a57-4f0e-9d2c-0123456789ab.part');
  for (const name of ['film.part', 'x.txt', '0f8b9c1e.part']) writeFileSync(join(folder, name), 'mine');
  mkdirSync(join(folder, 'deeper'));
  writeFileSync(leftover, 'half');
  assert.equal(removeLeftovers(folder), 1);
  assert.deepEqual(readdirSync(folder).toSorted(), ['0f8b9c1e.part', 'deeper', 'film.part', 'x.txt']);
  assert.equal(removeLeftovers(join(folder, 'not there')), 0);
});

test('the name of a killed writer is one that leftovers are known by', () => {
  const folder = temporaryFolder();
  const { fs } = countingFs();
  let left = '';
  const killed: DurableFs = {
    ...fs,
    renameSync: (from) => {
      left = from;
      renameSync(from, `${from}.kept`);
      throw systemError('EIO', 'rename');
    },
  };
  assert.throws(() => writeDurably(join(folder, 'target'), CHUNKS, killed));
  renameSync(`${left}.kept`, left);
  assert.equal(removeLeftovers(folder), 1);
  assert.ok(!existsSync(left));
});
