import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import type { Background } from '../../core/storage/records.ts';
import { AT, addImage, newRun, open, projectFile, withStore } from './support.ts';

function addBackground(store: ProjectStore, path: string, fields: Partial<Background> = {}): Background {
  const { id: folderId } = store.backgrounds.folder('/empty', '../empty');
  return store.backgrounds.add({
    folderId,
    path,
    pathBytes: null,
    size: 10,
    mtimeMs: 1700000000000.25,
    hash: sha256(path),
    width: 32,
    height: 24,
    format: 'jpeg',
    orientation: 6,
    author: 'ann',
    addedAt: AT,
    ...fields,
  });
}

test('a background comes back as it was stored, after the file was closed, too', () => {
  const file = projectFile();
  let store = open(file);
  const name = Buffer.from([0x66, 0xff]);
  const [plain, strange] = [addBackground(store, 'a.jpg'), addBackground(store, 'f?', { pathBytes: name })];
  assert.deepEqual([plain.retiredAt, plain.note, plain.orientation], [null, '', 6]);
  store.backgrounds.setRetired(plain.id, AT);
  store.backgrounds.setNote(strange.id, 'wet road');
  store.close();
  store = open(file);
  assert.deepEqual(store.backgrounds.list(), [
    { ...plain, retiredAt: AT },
    { ...strange, pathBytes: name, note: 'wet road' },
  ]);
  assert.deepEqual(store.backgrounds.counts(), { held: 1, retired: 1 });
  assert.deepEqual(store.backgrounds.folders(), [{ id: 1, path: '/empty', relativePath: '../empty' }]);
  assert.equal(store.backgrounds.byPath(1, 'f?', name)!.id, strange.id);
  assert.equal(store.backgrounds.byPath(1, 'f?'), undefined);
  assert.equal(store.backgrounds.withHash(sha256('a.jpg'))!.id, plain.id);
  store.close();
});

test('a file that changed or moved is the same background; a content is there once', () => {
  withStore((store) => {
    const { id, author: _, addedAt: __, retiredAt: ___, note: ____, ...file } = addBackground(store, 'a.jpg');
    const { id: elsewhere } = store.backgrounds.folder('/other', null);
    store.backgrounds.setFile(id, { ...file, folderId: elsewhere, hash: sha256('new'), width: 99 });
    const { folderId, hash, width, note } = store.backgrounds.get(id)!;
    assert.deepEqual([folderId, hash, width, note], [elsewhere, sha256('new'), 99, '']);
    assert.throws(() => addBackground(store, 'b.jpg', { hash: sha256('new') }), /UNIQUE/);
    assert.throws(() => store.backgrounds.setNote(99, ''), /no such row/);
  });
});

test('one that is removed leaves no folder behind; one that something was made with cannot be', () => {
  withStore((store) => {
    const [one, two] = [addBackground(store, 'a.jpg'), addBackground(store, 'b.jpg')];
    const bank = sha256('bank');
    store.runs.add(newRun({ bankBlob: bank }));
    store.uses.addBank(bank, [{ backgroundId: one.id }]);
    assert.throws(() => store.backgrounds.remove(one.id), /FOREIGN KEY/);
    store.backgrounds.remove(two.id);
    assert.deepEqual([store.backgrounds.list().length, store.backgrounds.folders().length], [1, 1]);
  });
  withStore((store) => {
    const { id } = addBackground(store, 'a.jpg');
    store.backgrounds.remove(id);
    assert.deepEqual(store.backgrounds.folders(), []);
  });
});

test('uses are counted by run, export and picture', () => {
  withStore((store) => {
    const { id: imageId } = addImage(store, 'bird.png');
    const [one, two] = [addBackground(store, 'a.jpg'), addBackground(store, 'b.jpg')];
    const bank = sha256('bank');
    store.runs.add(newRun({ bankBlob: bank }));
    store.runs.add(newRun({ bankBlob: bank }));
    store.uses.addBank(bank, [{ backgroundId: one.id }]);
    const common = { recipe: {}, datasetHash: 'd', images: 3, createdAt: AT, endedAt: AT };
    const { id: exportId } = store.exports.add({ ...common, path: '/out', state: 'finished', manifestHash: 'm' });
    const item = { exportId, imageId, contextId: null, maskId: null, lambda: 0.5 };
    store.exports.addItems([
      { ...item, file: '1.png', backgroundId: one.id },
      { ...item, file: '2.png', backgroundId: one.id },
      { ...item, file: '3.png', backgroundId: null, lambda: null },
    ]);
    store.uses.addExports();
    assert.deepEqual([...store.uses.ofBackgrounds()], [[one.id, { runs: 2, exports: 1, pictures: 2 }]]);
    assert.equal(store.uses.ofBackgrounds().get(two.id), undefined);
  });
});
