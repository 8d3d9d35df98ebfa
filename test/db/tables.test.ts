/** The tables that are little more than lists: sources, problems, classes, settings, runs, exports; and transactions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../core/storage/blob-store.ts';
import type { ExportItem, ExportRecord, TaskRecord } from '../../core/storage/records.ts';
import {
  AT,
  addImage,
  addSource,
  newImage,
  newMask,
  newRun,
  newSaliency,
  newVariant,
  open,
  projectFile,
  withStore,
} from './support.ts';

test('a source is listed, scanned and moved', () => {
  withStore((store) => {
    const added = { kind: 'zip', path: '/a.zip', relativePath: '../a.zip', addedAt: AT } as const;
    const source = store.sources.add(added);
    assert.deepEqual(source, { id: 1, ...added, scannedAt: null, removedAt: null });
    addSource(store, '/b');
    store.sources.setScanned(1, AT);
    store.sources.setPath(1, '/c.zip', null);
    assert.deepEqual(store.sources.get(1), { ...source, path: '/c.zip', relativePath: null, scannedAt: AT });
    assert.deepEqual(
      store.sources.list().map(({ path }) => path),
      ['/c.zip', '/b'],
    );
    assert.equal(store.sources.get(3), undefined);
    assert.throws(() => store.sources.setScanned(3, AT), /no such row/);
    assert.throws(() => store.sources.setPath(3, '/', null), /no such row/);
  });
});

test('a removed source is in no list with its images, contexts and problems, and comes back as it was', () => {
  withStore((store) => {
    const [a, b] = [addSource(store, '/a').id, addSource(store, '/b').id];
    const ok = addImage(store, 'cat/1.png', { sourceId: a });
    const gone = addImage(store, 'cat/2.png', { sourceId: a });
    const changed = addImage(store, 'owl/3.png', { sourceId: a, foundClassId: store.classes.ensure('owl').id });
    const other = addImage(store, 'cat/4.png', { sourceId: b });
    store.images.setState([gone.id], 'missing');
    store.images.setState([changed.id], 'changed');
    const contexts = [ok, other].map(({ id: imageId }) => {
      const maskId = store.masks.add(newMask(imageId)).id;
      const { id } = store.contexts.add({ imageId, maskId, probability: 0.5, createdAt: AT }, 'anna');
      store.contexts.setState(id, 'accepted', 'anna', AT);
      return id;
    });
    store.problems.add(a, [{ path: 'x.txt', kind: 'no-image', severity: 'note', reason: 'Not an image.' }]);
    const seen = () => ({
      sources: store.sources.list().map(({ id }) => id),
      counts: store.images.counts().map(({ classId, state, count }) => [classId, state, count]),
      images: [...store.images.select({ order: 'path', descending: false })],
      contexts: store.contexts.list().map(({ id }) => id),
      found: store.contexts.find({ states: ['accepted'] }).map(({ id }) => id),
      count: store.contexts.count().accepted,
      byClass: store.contexts.countByClass().map(({ count }) => count),
      bank: [store.contexts.bankSize(), store.bank.byClass().map(({ held }) => held)],
      unchecked: store.leftover.unchecked(1),
      problems: [store.problems.list().length, store.problems.summary().length, store.problems.page({}, 0, 9).total],
      states: store.images.many([ok.id, gone.id, changed.id, other.id]).map(({ state }) => state),
    });
    const before = seen();
    assert.deepEqual(before.contexts, contexts);
    assert.deepEqual(store.sources.content(a), { images: 1, contexts: 1, bank: 1 });
    store.sources.remove(a, AT);
    assert.deepEqual(seen(), {
      sources: [b],
      counts: [[other.classId, 'ok', 1]],
      images: [other.id],
      contexts: [contexts[1]],
      found: [contexts[1]],
      count: 1,
      byClass: [1],
      bank: [1, [1]],
      unchecked: [contexts[1]],
      problems: [0, 0, 0],
      states: ['missing', 'missing', 'missing', 'ok'],
    });
    assert.deepEqual(
      store.sources.all().map(({ id, removedAt }) => [id, removedAt]),
      [
        [a, AT],
        [b, null],
      ],
    );
    assert.deepEqual(store.images.removedClasses(), new Set([ok.classId, changed.classId]));
    store.sources.restore(a);
    assert.deepEqual(seen(), before);
    assert.deepEqual(store.images.removedClasses(), new Set());
    assert.throws(() => store.sources.remove(99, AT), /no such row/);
  });
});

test('problems belong to a source and are cleared with it', () => {
  withStore((store) => {
    const [a, b] = [addSource(store, '/a').id, addSource(store, '/b').id];
    const problems = [
      { path: '', kind: 'unreadable', severity: 'error', reason: 'The folder cannot be read.' },
      { path: 'x/1.png', kind: 'damaged', severity: 'warning', reason: 'The picture ends early.' },
    ] as const;
    store.problems.add(a, problems);
    store.problems.add(b, problems.slice(1));
    assert.deepEqual(store.problems.list(a), [
      { id: 1, sourceId: a, ...problems[0] },
      { id: 2, sourceId: a, ...problems[1] },
    ]);
    assert.equal(store.problems.list().length, 3);
    store.problems.clear(a);
    assert.deepEqual(
      store.problems.list().map(({ sourceId }) => sourceId),
      [b],
    );
    assert.throws(() => store.problems.add(99, problems), /FOREIGN KEY/);
    store.problems.add(a, []);
  });
});

test('a class is made once for a name', () => {
  withStore((store) => {
    const bird = store.classes.ensure('bird');
    assert.deepEqual(bird, { id: 1, name: 'bird', mergedInto: null });
    assert.deepEqual(store.classes.ensure('bird'), bird);
    const other = ['Bird', 'bird ', "rock 'n' roll", '鳥', '0'].map((name) => store.classes.ensure(name));
    assert.deepEqual(store.classes.list(), [bird, ...other]);
    assert.deepEqual(store.classes.byName('鳥'), other[3]);
    assert.deepEqual(store.classes.get(2), other[0]);
    assert.equal(store.classes.byName('owl'), undefined);
    assert.equal(store.classes.get(99), undefined);
  });
});

test('settings are any JSON under a name', () => {
  withStore((store) => {
    assert.equal(store.settings.get('groups'), undefined);
    for (const value of [{ many: 100, few: [20, 0.5] }, 'text', 0, false, null, []]) {
      store.settings.set('groups', value);
      assert.deepEqual(store.settings.get('groups'), value);
    }
    store.settings.set('author', 'ann');
    assert.deepEqual(store.settings.get('groups'), []);
  });
});

test('a run comes back as it was added, and takes updates of some fields', () => {
  withStore((store) => {
    const fields = newRun();
    const run = store.runs.add(fields);
    assert.deepEqual(run, { id: 1, ...fields, notes: '', tags: [], starred: false, trashedAt: null });
    const change = {
      state: 'failed',
      reason: 'The loss is not a number.',
      engine: { name: 'native CPU', threads: 2 },
      figures: null,
      seconds: 1.5,
      endedAt: AT,
      modelBlob: sha256('model'),
    } as const;
    store.runs.update(1, change);
    assert.deepEqual(store.runs.get(1), { ...run, ...change });
    store.runs.update(1, { reason: null, engine: null, name: undefined });
    assert.deepEqual(store.runs.get(1), { ...run, ...change, reason: null, engine: null });
    store.runs.update(1, {});
    assert.throws(() => store.runs.update(99, change), /no such row/);
    assert.equal(store.runs.get(99), undefined);
  });
});

test('a person writes notes and tags on a run, stars it, throws it away and gets it back', () => {
  withStore((store) => {
    const run = store.runs.add(newRun());
    const written = { notes: 'the one for the paper', tags: ['paper', 'seed 3'], starred: true, trashedAt: AT };
    store.runs.update(run.id, written);
    assert.deepEqual(store.runs.get(run.id), { ...run, ...written });
    store.runs.update(run.id, { starred: false, trashedAt: null });
    assert.deepEqual(store.runs.list(), [{ ...run, ...written, starred: false, trashedAt: null }]);
  });
});

const TASK: Omit<TaskRecord, 'id'> = {
  kind: 'import',
  title: 'Import birds',
  params: { path: '/birds' },
  command: 'contexture import /birds',
  state: 'queued',
  position: 1,
  attempts: 0,
  runId: null,
  error: null,
  result: null,
  createdAt: AT,
  startedAt: null,
  endedAt: null,
};

test('a task comes back as it was added, takes updates, is listed by its place in the queue, and goes', () => {
  withStore((store) => {
    const first = store.tasks.add(TASK);
    assert.deepEqual(first, { id: 1, ...TASK });
    const second = store.tasks.add({ ...TASK, position: 0.5 });
    assert.deepEqual(store.tasks.list(), [second, first]);
    const change = {
      state: 'failed',
      error: { code: 'no-space', message: 'Full.' },
      attempts: 1,
      endedAt: AT,
    } as const;
    store.tasks.update(1, change);
    assert.deepEqual(store.tasks.get(1), { ...first, ...change });
    store.tasks.remove(2);
    assert.deepEqual(store.tasks.list(), [{ ...first, ...change }]);
    assert.throws(() => store.tasks.remove(2), /no such row/);
    assert.throws(() => store.tasks.add({ ...TASK, runId: 99 }), /FOREIGN KEY/);
  });
});

test('runs are listed newest first', () => {
  withStore((store) => {
    for (const name of ['a', 'b', 'c']) store.runs.add(newRun({ name }));
    assert.deepEqual(
      store.runs.list().map(({ name }) => name),
      ['c', 'b', 'a'],
    );
  });
});

test('an epoch or a warning that a resumed run repeats takes the place of the first', () => {
  withStore((store) => {
    const runId = store.runs.add(newRun()).id;
    const otherRun = store.runs.add(newRun()).id;
    for (const epoch of [1, 0, 2, 1]) store.runs.putEpoch({ runId, epoch, figures: { loss: epoch / 8, at: [epoch] } });
    store.runs.putEpoch({ runId: otherRun, epoch: 0, figures: null });
    assert.deepEqual(
      store.runs.epochs(runId),
      [0, 1, 2].map((epoch) => ({ runId, epoch, figures: { loss: epoch / 8, at: [epoch] } })),
    );
    const warn = (epoch: number, name: string, message: string) =>
      store.runs.addWarning({ runId, epoch, name, message });
    warn(1, 'starving-bank', 'first');
    warn(0, 'one-class', 'other');
    warn(1, 'starving-bank', 'again');
    assert.deepEqual(store.runs.warnings(runId), [
      { runId, epoch: 0, name: 'one-class', message: 'other' },
      { runId, epoch: 1, name: 'starving-bank', message: 'again' },
    ]);
    assert.deepEqual(store.runs.warnings(otherRun), []);
    assert.throws(() => store.runs.putEpoch({ runId: 99, epoch: 0, figures: null }), /FOREIGN KEY/);
  });
});

const EXPORT: Omit<ExportRecord, 'id'> = {
  path: '/out',
  recipe: { perClass: 10, mask: 'soft' },
  state: 'running',
  datasetHash: sha256('dataset'),
  manifestHash: null,
  images: 0,
  createdAt: AT,
  endedAt: null,
};

test('an export comes back as it was added, takes updates, and is found by its folder', () => {
  withStore((store) => {
    const first = store.exports.add(EXPORT);
    assert.deepEqual(first, { id: 1, ...EXPORT });
    const change = { state: 'finished', manifestHash: sha256('manifest'), images: 12, recipe: [1] } as const;
    store.exports.update(1, { ...change, recipe: [1] });
    assert.deepEqual(store.exports.get(1), { ...first, ...change });
    const second = store.exports.add(EXPORT);
    assert.deepEqual(store.exports.byPath('/out'), second);
    assert.equal(store.exports.byPath('/elsewhere'), undefined);
    assert.deepEqual(
      store.exports.list().map(({ id }) => id),
      [1, 2],
    );
    assert.throws(() => store.exports.update(99, { images: 1 }), /no such row/);
  });
});

test('the lineage of an export is streamed in order of file, one row a file', () => {
  withStore((store) => {
    const { id: imageId } = addImage(store, 'a');
    const [exportId, other] = [store.exports.add(EXPORT).id, store.exports.add(EXPORT).id];
    const item = (i: number, lambda: number | null): ExportItem => ({
      exportId,
      file: `bird/${String(i).padStart(5, '0')}.png`,
      imageId,
      contextId: null,
      backgroundId: null,
      maskId: null,
      lambda,
    });
    const items = Array.from({ length: 2500 }, (_, i) => item(i, i % 2 ? i / 2500 : null));
    store.exports.addItems(items.toReversed());
    store.exports.addItems([{ ...items[7], lambda: 1 }]);
    store.exports.addItems([{ ...items[7], exportId: other }]);
    assert.deepEqual(
      [...store.exports.items(exportId)],
      items.map((row, i) => (i === 7 ? { ...row, lambda: 1 } : row)),
    );
    assert.equal([...store.exports.items(other)].length, 1);
    assert.deepEqual(store.exports.lineage(exportId, { parts: 10, most: 10 }), {
      mixed: 1250,
      plain: 1250,
      sources: 1,
      lambda: [124, 125, 125, 125, 125, 125, 125, 125, 125, 126],
      contexts: 0,
      changedContexts: 0,
      mostUsed: [],
    });
    assert.throws(
      () => store.exports.addItems([item(3000, null), { ...item(3001, null), imageId: 99 }]),
      /FOREIGN KEY/,
    );
    assert.equal([...store.exports.items(exportId)].length, 2500);
  });
});

test('a transaction lasts whole or not at all, and returns what its work returns', () => {
  withStore((store) => {
    assert.equal(
      store.transaction(() => store.classes.ensure('bird').id),
      1,
    );
    const failure = new Error('half-way');
    assert.throws(
      () =>
        store.transaction(() => {
          store.images.upsert([newImage(store, 'a')]);
          store.settings.set('x', 1);
          throw failure;
        }),
      failure,
    );
    assert.deepEqual([...store.images.iterate()], []);
    assert.equal(store.settings.get('x'), undefined);
  });
});

test('an inner transaction can fail alone, and goes with the outer one', () => {
  withStore((store) => {
    const inner = (value: number, fails: boolean) =>
      store.transaction(() => {
        store.settings.set('inner', value);
        if (fails) throw new Error('inner');
      });
    store.transaction(() => {
      store.settings.set('outer', 1);
      assert.throws(() => inner(1, true), /inner/);
    });
    assert.equal(store.settings.get('outer'), 1);
    assert.equal(store.settings.get('inner'), undefined);
    assert.throws(
      () =>
        store.transaction(() => {
          inner(2, false);
          throw new Error('outer');
        }),
      /outer/,
    );
    assert.equal(store.settings.get('inner'), undefined);
  });
});

test('what is not committed when the process closes the project is gone', () => {
  const file = projectFile();
  let store = open(file);
  assert.throws(() =>
    store.transaction(() => {
      store.settings.set('x', 1);
      store.close();
    }),
  );
  store = open(file);
  assert.equal(store.settings.get('x'), undefined);
  store.close();
});

test('a listed run has what lists show, without the figures of each class', () => {
  withStore((store) => {
    const top1 = { value: 0.5, low: 0.4, high: 0.6, images: 10 };
    const heads = { uniform: { top1, classes: [1, 2] }, balanced: { top1, classes: [3] }, mean: null };
    const figures = { uniformLoss: 1, bank: { count: 3, classes: [3] }, evaluation: { heads } };
    const lean = {
      uniformLoss: 1,
      bank: { count: 3 },
      evaluation: { heads: { uniform: { top1 }, balanced: { top1 }, mean: null } },
    };
    const first = store.runs.add(newRun({ figures }));
    const second = store.runs.add(newRun({ name: 'second' }));
    store.runs.update(second.id, { tags: ['a'], starred: true, notes: 'n', trashedAt: AT });
    store.runs.putEpoch({ runId: first.id, epoch: 0, figures: null });
    store.runs.putEpoch({ runId: first.id, epoch: 1, figures });
    const [newer, older] = store.runs.listed();
    assert.deepEqual(older.summary, lean);
    const { config: _, engine: _e, figures: _f, datasetBlob: _d, ...shared } = first;
    const { bankHash: _h, bankBlob: _b, codeVersion: _c, predictionsBlob: _p, ...listed } = shared;
    assert.deepEqual(older, { ...listed, epochs: 3, epochsDone: 2, summary: lean });
    assert.deepEqual(
      [newer.name, newer.tags, newer.starred, newer.notes, newer.trashedAt, newer.summary, newer.epochsDone],
      ['second', ['a'], true, 'n', AT, null, 0],
    );
    assert.deepEqual(store.runs.epochSummaries(first.id, 0), [
      { epoch: 0, summary: null },
      { epoch: 1, summary: lean },
    ]);
    assert.deepEqual(store.runs.epochSummaries(first.id, 2), []);
    assert.deepEqual([store.runs.epochCount(first.id), store.runs.epochCount(second.id)], [2, 0]);
  });
});

test('a removed run takes its epochs and warnings along, and what it made forgets it', () => {
  withStore((store) => {
    const [gone, stays] = [store.runs.add(newRun()), store.runs.add(newRun())];
    for (const { id } of [gone, stays]) {
      store.runs.putEpoch({ runId: id, epoch: 0, figures: null });
      store.runs.addWarning({ runId: id, name: 'not-exact', message: 'It is not.', epoch: 0 });
    }
    const image = addImage(store, 'a.png');
    const saliency = store.saliencies.add(newSaliency(image.id, { runId: gone.id }));
    store.runs.remove([gone.id]);
    assert.deepEqual(
      store.runs.list().map(({ id }) => id),
      [stays.id],
    );
    assert.deepEqual([store.runs.epochs(gone.id), store.runs.warnings(gone.id)], [[], []]);
    assert.equal(store.runs.epochs(stays.id).length, 1);
    assert.equal(store.saliencies.get(saliency.id)?.runId, null);
    assert.throws(() => store.runs.remove([stays.id, 99]), /no such row/);
    assert.equal(store.runs.list().length, 1);
  });
});

test('variants are kept with their run, renamed, taken away, and go with it', () => {
  withStore((store) => {
    const { id } = store.runs.add(newRun());
    const other = store.runs.add(newRun());
    const tail = store.variants.add(newVariant(id, { name: 'tail' }));
    const head = store.variants.add(newVariant(id, { name: 'head', temperatures: { overall: 1.5 } }));
    store.variants.add(newVariant(other.id, { name: 'tail' }));
    assert.deepEqual(tail, { id: tail.id, ...newVariant(id, { name: 'tail' }) });
    assert.deepEqual(store.variants.ofRun(id), [tail, head]);
    assert.throws(() => store.variants.rename(head.id, 'tail'));
    store.variants.rename(head.id, 'many');
    assert.deepEqual(store.variants.get(head.id), { ...head, name: 'many' });
    store.variants.remove(tail.id);
    assert.equal(store.variants.get(tail.id), undefined);
    assert.throws(() => store.variants.remove(tail.id), /no such row/);
    store.runs.remove([id]);
    assert.deepEqual(store.variants.ofRun(id), []);
    assert.equal(store.variants.ofRun(other.id).length, 1);
  });
});

test('bytes are named by runs, variants, saliency maps and masks', () => {
  withStore((store) => {
    const run = {
      datasetBlob: sha256('d'),
      bankBlob: sha256('b'),
      modelBlob: sha256('m'),
      predictionsBlob: sha256('p'),
    };
    const { id } = store.runs.add(newRun(run));
    const image = addImage(store, 'a.png');
    store.saliencies.add(newSaliency(image.id, { blob: sha256('s') }));
    store.masks.add(newMask(image.id, { blob: sha256('k') }));
    const named = [...Object.values(run), sha256('s'), sha256('k')];
    assert.deepEqual(store.namedBlobs([...named, sha256('x')]), new Set(named));
    assert.deepEqual(store.namedBlobs([sha256('x')]), new Set());
    assert.deepEqual(store.namedBlobs([]), new Set());
    assert.deepEqual(store.namedBlobs(named, [id]), new Set([sha256('s'), sha256('k')]));
    store.variants.add(newVariant(id, { blob: sha256('v') }));
    assert.deepEqual(store.namedBlobs([sha256('v')]), new Set([sha256('v')]));
    assert.deepEqual(store.namedBlobs([sha256('v')], [id]), new Set());
    store.runs.add(newRun({ ...run, modelBlob: null }));
    assert.deepEqual(store.namedBlobs(Object.values(run), [id]), new Set([sha256('d'), sha256('b'), sha256('p')]));
  });
});
