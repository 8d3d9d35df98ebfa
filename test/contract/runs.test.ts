import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { Answers, Confusion, RunClasses, RunCurves, RunDetail, RunHistory, RunSaliency } from '../../core/api/runs.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { wilson } from '../../core/evaluation/intervals.ts';
import { storedFigures } from '../../core/training/stored-figures.ts';
import type { Run } from '../../core/storage/records.ts';
import type { Project } from '../../core/storage/project.ts';
import { addMadeRun, trainedProject } from '../fixtures/runs.ts';
import { startContract } from '../fixtures/contract.ts';

const served = startContract();
let project: Project;
/** Control and CSA of seed 1, control of seed 2. */
let runs: Run[];
let base: string;

before(async () => {
  const trained = await trainedProject();
  ({ runs } = trained);
  trained.project.close();
  const opened = await served.service.openProject(trained.project.file, { create: false });
  ({ project } = opened);
  base = `/api/projects/${opened.id}`;
});

/** Everything that a hostile or mistaken caller may try in place of a run. */
test('a run that is not there, or is none, is refused by every route in one sentence', async () => {
  const routes = ['', '/curves', '/classes', '/confusion', '/answers'].map((rest) => `GET ${base}/runs/RUN${rest}`);
  for (const route of routes) {
    await served.refused(route.replace('RUN', '999'), 'not-found');
    for (const bad of ['0', '-1', '1.5', 'x', '1e3', '9'.repeat(30)]) {
      await served.refused(route.replace('RUN', bad), 'usage');
    }
    await served.refused(route.replace('RUN', '1').replace(base, '/api/projects/none'), 'not-found');
  }
  await served.refused(`PATCH ${base}/runs/999`, 'not-found', { body: { name: 'x' } });
  const pictures = [{ image: 1, label: 0 }];
  await served.refused(`POST ${base}/runs/999/saliency`, 'not-found', { body: { pictures } });
  assert.deepEqual(served.log, []);
});

test('the history lists runs newest first, with the figures of the head that each is judged by', async () => {
  const history = RunHistory.parse(await served.get(`GET ${base}/runs`));
  assert.deepEqual(
    history.runs.map(({ id }) => id),
    [3, 2, 1],
  );
  assert.deepEqual([history.total, history.trashed, history.tags], [3, 0, []]);
  const csa = history.runs[1];
  const figures = storedFigures(project.store.runs.get(2)!.figures)!.evaluation!.heads.balanced!;
  assert.deepEqual(csa.figures, {
    head: 'balanced',
    split: 'test as found',
    top1: figures.top1!.value,
    macroRecall: figures.macroRecall!.value,
    many: figures.groups.many?.value ?? null,
    medium: figures.groups.medium?.value ?? null,
    few: figures.groups.few?.value ?? null,
  });
  assert.deepEqual([csa.method, csa.seed, csa.epochs, csa.epochsDone, csa.model], ['csa', 1, 2, 2, true]);
  assert.ok(!('config' in csa) && !('notes' in csa));
});

test('search, filters and order narrow and sort the history', async () => {
  await served.get(`PATCH ${base}/runs/1`, { body: { notes: 'Before the Move', tags: ['paper', 'b'] } });
  await served.get(`PATCH ${base}/runs/2`, { body: { tags: ['paper'], starred: true } });
  const ids = async (query: Record<string, string | boolean | string[]>): Promise<number[]> =>
    RunHistory.parse(await served.get(`GET ${base}/runs`, { query })).runs.map(({ id }) => id);
  assert.deepEqual(await ids({ search: 'move' }), [1]);
  assert.deepEqual(await ids({ search: 'the PAPER' }), [1]);
  assert.deepEqual(await ids({ search: 'context-shift' }), [2]);
  assert.deepEqual(await ids({ search: '#3' }), [3]);
  assert.deepEqual(await ids({ search: 'ResNet 1 block scratch' }), [3, 2, 1]);
  assert.deepEqual(await ids({ search: 'resnet #2' }), [2]);
  assert.deepEqual(await ids({ search: 'efficientnet' }), []);
  assert.deepEqual(await ids({ search: '  ' }), [3, 2, 1]);
  assert.deepEqual(await ids({ search: "100% ' OR 1=1 --" }), []);
  assert.deepEqual(await ids({ tags: ['paper'] }), [2, 1]);
  assert.deepEqual(await ids({ tags: ['paper', 'b'] }), [1]);
  assert.deepEqual(await ids({ starred: true }), [2]);
  assert.deepEqual(await ids({ methods: ['control'], states: ['finished', 'failed'] }), [3, 1]);
  assert.deepEqual(await ids({ states: ['failed'] }), []);
  assert.deepEqual(await ids({ trashed: true }), []);
  assert.deepEqual(await ids({ order: 'seed', descending: true }), [3, 2, 1]);
  assert.deepEqual(await ids({ order: 'created', descending: false }), [1, 2, 3]);
  assert.deepEqual(await ids({ order: 'method', descending: false }), [3, 1, 2]);
  const { tags } = RunHistory.parse(await served.get(`GET ${base}/runs`));
  assert.deepEqual(tags, [
    { tag: 'paper', runs: 2 },
    { tag: 'b', runs: 1 },
  ]);
  for (const query of [
    { order: 'mood' },
    { states: ['gone'] },
    { starred: 'perhaps' },
    { search: 'x'.repeat(201) },
    { other: '1' },
  ]) {
    await served.refused(`GET ${base}/runs`, 'usage', { query });
  }
});

test('a run without the figure that the history is ordered by comes last, up and down', async () => {
  const { id } = project.store.runs.add({ ...runs[0], state: 'failed', figures: null });
  for (const descending of [true, false]) {
    const query = { order: 'top1', descending };
    const history = RunHistory.parse(await served.get(`GET ${base}/runs`, { query }));
    assert.equal(history.runs.at(-1)!.id, id);
    const values = history.runs.slice(0, 3).map(({ figures }) => figures!.top1!);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => (descending ? b - a : a - b)),
    );
  }
  project.store.runs.remove([id]);
});

test('what a person writes on a run is kept, and what is no name, note or tag is refused', async () => {
  const body = { name: '  a new\tname ', notes: 'ü\n'.repeat(100), tags: ['x', 'x', ' y '], starred: true };
  const detail = RunDetail.parse(await served.get(`PATCH ${base}/runs/3`, { body }));
  assert.equal(detail.run.name, 'a new\tname');
  assert.equal(detail.notes, body.notes);
  assert.deepEqual([detail.run.tags, detail.run.starred], [['x', 'y'], true]);
  assert.equal(RunDetail.parse(await served.get(`PATCH ${base}/runs/3`, { body: {} })).run.name, 'a new\tname');
  for (const bad of [
    { name: '  ' },
    { name: 'x'.repeat(201) },
    { notes: 5 },
    { tags: 'x' },
    { tags: [''] },
    { starred: 'yes' },
    { state: 'finished' },
    { modelBlob: 'a'.repeat(64) },
    null,
    [],
  ]) {
    await served.refused(`PATCH ${base}/runs/3`, 'usage', { body: bad });
  }
  assert.equal(project.store.runs.get(3)!.state, 'finished');
});

test('a run says its figures, what they are measured on, and everything that its digits depend on', async () => {
  const detail = RunDetail.parse(await served.get(`GET ${base}/runs/2`));
  const stored = project.store.runs.get(2)!;
  const figures = storedFigures(stored.figures)!.evaluation!;
  assert.equal(detail.judgedBy, 'balanced');
  assert.deepEqual(detail.heads.uniform!.top1, figures.heads.uniform.top1);
  assert.deepEqual(detail.heads.mean!.groups, figures.heads.mean!.groups);
  assert.deepEqual(detail.measured, { split: 'test as found', images: figures.images });
  const { imagesPerSecond, inputShare, peakMemory } = storedFigures(stored.figures)!.timing;
  assert.deepEqual(detail.timing, { imagesPerSecond, inputShare, peakMemory });
  const { many, medium, few } = detail.groupSizes;
  assert.equal(many + medium + few, detail.classes);
  const { card } = detail;
  assert.deepEqual(card.config, stored.config);
  assert.deepEqual(
    [card.seed, card.datasetHash, card.bankHash, card.codeVersion, card.precision],
    [1, stored.datasetHash, null, stored.codeVersion, card.config.precision],
  );
  assert.deepEqual(card.engine, stored.engine);
  assert.equal(card.trainImages, 171);
  assert.deepEqual(
    detail.warnings.map(({ name }) => name),
    project.store.runs.warnings(2).map(({ name }) => name),
  );
  assert.ok(!JSON.stringify(detail).includes(project.cacheFolder), 'paths stay in the house');
});

test('curves are read from a cursor, thinned out with the last epoch kept, by name', async () => {
  const made = addMadeRun(project, takeSnapshot(project.store), { epochs: 25, method: 'ce' });
  const curves = async (query: Record<string, number | string[]>): Promise<RunCurves> =>
    RunCurves.parse(await served.get(`GET ${base}/runs/${made.id}/curves`, { query }));
  const all = await curves({});
  assert.deepEqual(all.epochs, [...Array.from({ length: 25 }).keys()]);
  assert.equal(all.next, 25);
  assert.deepEqual(
    all.curves.map(({ name }) => name),
    ['uniformLoss', 'learningRate', 'imagesPerSecond', 'uniform.top1', 'uniform.macroRecall'].concat(
      ['uniform.many', 'uniform.medium', 'uniform.few'].filter((name) =>
        all.curves.some((curve) => curve.name === name),
      ),
    ),
  );
  const epochs = project.store.runs.epochs(made.id).map(({ figures }) => storedFigures(figures)!);
  assert.deepEqual(
    all.curves.find(({ name }) => name === 'uniform.top1')!.values,
    epochs.map(({ evaluation }) => evaluation!.heads.uniform.top1!.value),
  );
  const thin = await curves({ points: 6, curves: ['uniformLoss'] });
  assert.deepEqual(thin.epochs, [4, 9, 14, 19, 24]);
  assert.deepEqual(
    thin.curves[0].values,
    thin.epochs.map((epoch) => epochs[epoch].uniformLoss),
  );
  assert.equal(thin.curves.length, 1);
  const rest = await curves({ from: 23 });
  assert.deepEqual([rest.epochs, rest.next], [[23, 24], 25]);
  const none = await curves({ from: 25 });
  assert.deepEqual([none.epochs, none.curves, none.next], [[], [], 25]);
  for (const query of [{ from: -1 }, { points: 1 }, { points: 1e9 }, { curves: ['mood'] }, { from: 'x' }]) {
    await served.refused(`GET ${base}/runs/${made.id}/curves`, 'usage', { query });
  }
  project.store.runs.remove([made.id]);
});

test('classes, confusion matrix and answers agree with each other', async () => {
  for (const head of ['uniform', 'balanced', 'mean'] as const) {
    const query = { head };
    const { classes } = RunClasses.parse(await served.get(`GET ${base}/runs/2/classes`, { query }));
    const confusion = Confusion.parse(await served.get(`GET ${base}/runs/2/confusion`, { query }));
    const answers = Answers.parse(await served.get(`GET ${base}/runs/2/answers`, { query }));
    assert.deepEqual([confusion.head, answers.head], [head, head]);
    assert.deepEqual(
      confusion.classes.map(({ name }) => name),
      classes.map(({ name }) => name),
    );
    const count = (truth: number, predicted: number): number =>
      answers.truth.filter((label, i) => label === truth && answers.predicted[i] === predicted).length;
    let images = 0;
    for (let at = 0; at < confusion.cells.length; at += 3) {
      const [truth, predicted, cell] = confusion.cells.slice(at, at + 3);
      assert.equal(cell, count(truth, predicted));
      images += cell;
    }
    assert.equal(images, answers.images.length);
    for (const { label, name, classId, tested, trained, recall } of classes) {
      assert.equal(tested, answers.truth.filter((truth) => truth === label).length);
      assert.deepEqual(recall, wilson(count(label, label), tested));
      assert.equal(project.store.classes.get(classId)!.name, name);
      assert.equal(confusion.classes[label].trained, trained);
    }
    const descending = answers.confidence.toSorted((a, b) => b - a);
    assert.deepEqual(answers.confidence, descending);
    for (const [i, confidence] of answers.confidence.entries()) {
      assert.ok(confidence >= answers.trueProbability[i] && confidence <= 1);
      assert.equal(answers.predicted[i] === answers.truth[i], confidence === answers.trueProbability[i]);
    }
  }
});

async function askAnswers(query: Record<string, string | number | boolean>): Promise<Answers> {
  return Answers.parse(await served.get(`GET ${base}/runs/2/answers`, { query }));
}

test('answers are narrowed to a cell, to what is wrong, and sorted', async () => {
  const all = await askAnswers({ order: 'image', descending: false });
  assert.deepEqual(
    all.images,
    all.images.toSorted((a, b) => a - b),
  );
  const wrong = await askAnswers({ kind: 'wrong' });
  const right = await askAnswers({ kind: 'right' });
  assert.equal(wrong.images.length + right.images.length, all.images.length);
  assert.ok(wrong.truth.every((label, i) => label !== wrong.predicted[i]));
  const cell = await askAnswers({ truth: wrong.truth[0], predicted: wrong.predicted[0] });
  assert.ok(cell.images.includes(wrong.images[0]));
  assert.ok(cell.truth.every((label) => label === wrong.truth[0]));
  assert.deepEqual((await askAnswers({ truth: 999 })).images, []);
  for (const query of [{ truth: -1 }, { truth: 'x' }, { kind: 'maybe' }, { head: 'third' }, { order: 'size' }]) {
    await served.refused(`GET ${base}/runs/2/answers`, 'usage', { query });
  }
});

test('a run that has not finished has no answers, and says so', async () => {
  const made = addMadeRun(project, takeSnapshot(project.store), { finished: false });
  for (const rest of ['answers', 'confusion']) {
    const sentence = await served.refused(`GET ${base}/runs/${made.id}/${rest}`, 'empty');
    assert.match(sentence, /has not finished/);
  }
  const pictures = [{ image: 1, label: 0 }];
  await served.refused(`POST ${base}/runs/${made.id}/saliency`, 'empty', { body: { pictures } });
  assert.equal(RunDetail.parse(await served.get(`GET ${base}/runs/${made.id}`)).answers, false);
  project.store.runs.remove([made.id]);
});

test('a damaged file of answers is told by name', async () => {
  const made = addMadeRun(project, takeSnapshot(project.store), { seed: 77 });
  writeFileSync(project.blobs.path(made.predictionsBlob!), 'nonsense');
  await served.refused(`GET ${base}/runs/${made.id}/confusion`, 'damaged');
  project.store.runs.remove([made.id]);
});

test('saliency is made by a task, kept, and known the next time', async () => {
  const wrong = Answers.parse(await served.get(`GET ${base}/runs/2/answers`));
  const pictures = [0, 1].map((i) => ({ image: wrong.images[i], label: wrong.predicted[i] }));
  const first = RunSaliency.parse(await served.get(`POST ${base}/runs/2/saliency`, { body: { pictures } }));
  assert.deepEqual(first.maps, []);
  assert.equal(first.task!.kind, 'saliency');
  const ended = await served.ended(first.task!);
  assert.deepEqual([ended.state, ended.error, ended.result], ['done', null, { problems: [] }]);
  const second = RunSaliency.parse(await served.get(`POST ${base}/runs/2/saliency`, { body: { pictures } }));
  assert.equal(second.task, null);
  assert.deepEqual(
    second.maps.map(({ image, map }) => ({ image, label: map.label })),
    pictures,
  );
  for (const { map } of second.maps) {
    const cells = Buffer.from(map.data, 'base64');
    assert.equal(cells.length, map.width * map.height);
    assert.ok(Math.max(...cells) === 255 || cells.every((cell) => cell === 0), 'scaled to its strongest');
    assert.deepEqual(map.box, { left: 0, top: 0, width: 1, height: 1 }, 'square pictures are seen whole');
  }
  // The other head goes by other evidence and is kept apart.
  const other = { pictures, head: 'uniform' };
  assert.deepEqual(RunSaliency.parse(await served.get(`POST ${base}/runs/2/saliency`, { body: other })).maps, []);
});

test('saliency of what is not there is refused, and a file that is gone is told by the task', async () => {
  const post = `POST ${base}/runs/2/saliency`;
  await served.refused(post, 'not-found', { body: { pictures: [{ image: 99_999, label: 0 }] } });
  await served.refused(post, 'usage', { body: { pictures: [{ image: 1, label: 10 }] } });
  await served.refused(post, 'usage', { body: { pictures: [] } });
  await served.refused(post, 'usage', { body: { pictures: [{ image: '1', label: 0 }] } });
  const many = Array.from({ length: 201 }, () => ({ image: 1, label: 0 }));
  await served.refused(post, 'usage', { body: { pictures: many } });
  const image = project.store.images.get(1)!;
  const file = join(project.store.sources.get(image.sourceId)!.path, image.path);
  const bytes = readFileSync(file);
  writeFileSync(file, 'no picture');
  const { task } = RunSaliency.parse(await served.get(post, { body: { pictures: [{ image: 1, label: 3 }] } }));
  const { result } = await served.ended(task!);
  writeFileSync(file, bytes);
  const { problems } = result as { problems: { image: number; reason: string }[] };
  assert.equal(problems[0].image, 1);
  assert.match(problems[0].reason, /is not the file that was imported\.$/);
});

test('runs go to the trash and come back whole', async () => {
  await served.get(`POST ${base}/run-trash`, { body: { runs: [1, 3] } });
  const history = RunHistory.parse(await served.get(`GET ${base}/runs`));
  assert.deepEqual([history.runs.map(({ id }) => id), history.total, history.trashed], [[2], 1, 2]);
  const trashed = RunHistory.parse(await served.get(`GET ${base}/runs`, { query: { trashed: true } }));
  assert.deepEqual(
    trashed.runs.map(({ id }) => id),
    [3, 1],
  );
  await served.get(`POST ${base}/run-trash/restore`, { body: { runs: [1, 3] } });
  assert.equal(RunHistory.parse(await served.get(`GET ${base}/runs`)).total, 3);
  await served.refused(`POST ${base}/run-trash`, 'not-found', { body: { runs: [1, 999] } });
  assert.equal(project.store.runs.get(1)!.trashedAt, null, 'all or none');
  for (const bad of [[], ['1'], [0], 1]) {
    await served.refused(`POST ${base}/run-trash`, 'usage', { body: { runs: bad } });
  }
  project.store.runs.update(1, { state: 'running' });
  await served.refused(`POST ${base}/run-trash`, 'usage', { body: { runs: [1] } });
  project.store.runs.update(1, { state: 'finished' });
});

test('emptying the trash frees the files that nothing else names, as much as it said', async () => {
  const snapshot = takeSnapshot(project.store);
  const [kept, made] = [87, 88].map((seed) => addMadeRun(project, snapshot, { seed }));
  const alone = { ...snapshot, images: snapshot.images.slice(0, -1) };
  const other = addMadeRun(project, alone, { seed: 89 });
  mkdirSync(project.runFolder(other.id), { recursive: true });
  writeFileSync(join(project.runFolder(other.id), 'checkpoint.safetensors'), Buffer.alloc(1000));
  const shared = made.datasetBlob;
  assert.equal(shared, kept.datasetBlob);
  assert.deepEqual(await served.get(`GET ${base}/run-trash`), { runs: 0, bytes: 0 });
  await served.get(`POST ${base}/run-trash`, { body: { runs: [made.id, other.id] } });
  const content = await served.get<{ runs: number; bytes: number }>(`GET ${base}/run-trash`);
  assert.equal(content.runs, 2);
  const own = [made.modelBlob!, made.predictionsBlob!, other.datasetBlob, other.modelBlob!, other.predictionsBlob!];
  const bytes = own.reduce((sum, blob) => sum + project.blobs.get(blob).length, 1000);
  assert.equal(content.bytes, bytes);
  assert.deepEqual(await served.get(`POST ${base}/run-trash/empty`), { runs: 2, bytes });
  assert.ok(own.every((blob) => !project.blobs.has(blob)));
  assert.ok(project.blobs.has(shared), 'another one was trained on it too');
  project.store.runs.remove([kept.id]);
  assert.ok(!existsSync(project.runFolder(other.id)));
  assert.equal(project.store.runs.get(made.id), undefined);
  assert.deepEqual(await served.get(`POST ${base}/run-trash/empty`), { runs: 0, bytes: 0 });
  await served.get(`GET ${base}/runs/1/confusion`);
});

test('nothing was a defect', () => {
  assert.deepEqual(served.log, []);
});
