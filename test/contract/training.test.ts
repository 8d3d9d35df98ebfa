/** Training through the service: planned, measured, queued, followed, paused, resumed, taken up again. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { ServiceEvent } from '../../core/api/events.ts';
import type { Task } from '../../core/api/tasks.ts';
import {
  LiveRun,
  RunPreview,
  TrainingPlan,
  TrainingRequest,
  TrainingSetup,
  type TrainingEstimate,
} from '../../core/api/training.ts';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { networkSizes } from '../../core/models/backbones.ts';
import { listRuns } from '../../core/services/runs.ts';
import { factsOf, trainingFacts } from '../../core/services/training-plan.ts';
import type { Project } from '../../core/storage/project.ts';
import { TrainConfig } from '../../core/training/config.ts';
import { startContract } from '../fixtures/contract.ts';
import { acceptContexts, makeTrainingProject, TINY } from '../fixtures/training.ts';

const served = startContract();
let project: Project;
let params: { project: string };

const SETTINGS = { ...TINY, epochs: 2, delta: 0, startBalanced: 0 };
const REQUEST = { preset: 'small', methods: ['csa'], seeds: [1], settings: SETTINGS } as const;

before(async () => {
  const made = await makeTrainingProject();
  made.project.close();
  const opened = await served.service.openProject(made.project.file, { create: false });
  ({ project } = opened);
  params = { project: opened.id };
});

const plan = async (request: object): Promise<TrainingPlan> =>
  TrainingPlan.parse(await served.get('POST /api/projects/{project}/training/plan', { params, body: request }));
const start = (request: object): Promise<Task[]> =>
  served.get('POST /api/projects/{project}/runs', { params, body: request });
const live = async (run: number): Promise<LiveRun> =>
  LiveRun.parse(await served.get('GET /api/projects/{project}/runs/{run}/live', { params: { ...params, run } }));

const preview = (run: number): Promise<unknown> =>
  served.get('GET /api/projects/{project}/runs/{run}/preview', { params: { ...params, run } });

/** State of a task's run. */
const stateOf = (task: Task): string => listRuns(project).find(({ id }) => id === task.runId)!.state;

/** Wait for something to be published. */
async function published(wanted: (event: ServiceEvent) => boolean): Promise<ServiceEvent> {
  for (;;) {
    const found = served.events.find(wanted);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('setup: presets with the one that fits, methods, ranges of every setting, facts of the data', async () => {
  const setup = TrainingSetup.parse(await served.get('GET /api/projects/{project}/training', { params }));
  assert.deepEqual(
    setup.presets.map(({ name, proposed }) => [name, proposed]),
    [
      ['small', true],
      ['quick', false],
      ['standard', false],
      ['paper', false],
      ['photos-20', false],
      ['photos-200', false],
      ['photos-2000', false],
    ],
  );
  assert.deepEqual(
    setup.methods.map(({ name }) => name),
    ['ce', 'cbrs', 'control', 'csa'],
  );
  assert.deepEqual(
    [setup.trainImages, setup.classes, setup.bank],
    [171, 10, { contexts: 0, classes: 0, backgrounds: 0 }],
  );
  assert.equal(setup.evaluation?.split, 'test');
  const ranges = new Map(setup.ranges.map(({ setting, ...range }) => [setting, range]));
  assert.deepEqual(ranges.get('epochs'), { minimum: 1, maximum: 1000, whole: true, choices: null });
  assert.deepEqual(ranges.get('lambda.max'), { minimum: 0, maximum: 1, whole: false, choices: null });
  assert.deepEqual(ranges.get('model.blocks'), { minimum: 1, maximum: 9, whole: true, choices: null });
  assert.deepEqual(ranges.get('model.kind')?.choices, [
    'resnet-cifar',
    'resnet18',
    'efficientnet-lite0',
    'efficientnet-lite2',
  ]);
  assert.deepEqual(ranges.get('mask')?.choices, ['saliency', 'random']);
  // Every leaf of a configuration has a range.
  const leaves = (value: object, prefix: string): string[] =>
    Object.entries(value).flatMap(([name, inner]) =>
      typeof inner === 'object' ? leaves((inner ?? {}) as object, `${prefix}${name}.`) : [`${prefix}${name}`],
    );
  const { defaults } = await plan(REQUEST);
  assert.deepEqual(
    leaves(defaults, '').filter((leaf) => !ranges.has(leaf)),
    [],
  );
  await served.refused('GET /api/projects/{project}/training', 'not-found', { params: { project: 'none' } });
});

test('facts by counting are those of a snapshot', () => {
  assert.deepEqual(trainingFacts(project.store), factsOf(takeSnapshot(project.store)));
});

test('a plan: whole configuration, command line, honest where nothing was measured; nothing is started', async () => {
  const planned = await plan({ ...REQUEST, methods: ['control', 'csa'], seeds: [1, 2], name: "Ada's" });
  assert.deepEqual(planned.issues, []);
  const config = TrainConfig.parse(planned.config);
  assert.deepEqual([config.method, config.epochs, config.batchSize, config.bankSize], ['control', 2, 8, 16]);
  assert.equal(TrainConfig.parse(planned.defaults).epochs, 20);
  assert.equal(planned.stepsPerEpoch, 21);
  assert.equal(planned.commands.length, 4);
  assert.match(
    planned.commands[1],
    /^contexture train csa --preset small --seed 1 --model resnet-cifar --blocks 1 --epochs 2 --batch-size 8 .*--name 'Ada'\\''s' --project /,
  );
  assert.deepEqual(
    planned.estimates.map(({ method, source, seconds }) => [method, source, seconds]),
    [
      ['control', 'none', null],
      ['csa', 'none', null],
    ],
  );
  assert.match(planned.estimates[0].basis, /measure some steps/);
  assert.deepEqual(
    planned.checks.filter(({ severity }) => severity === 'error'),
    [],
  );
  assert.deepEqual(project.store.runs.list(), []);
});

test('wrong settings are told at their field, unknown ones too; hostile ones are refused or told', async () => {
  const { issues, config, estimates } = await plan({
    ...REQUEST,
    settings: { epochs: 0, lambda: { min: 0.9, max: 3 } },
  });
  assert.deepEqual(
    issues.map(({ setting }) => setting),
    ['epochs', 'lambda.max'],
  );
  assert.deepEqual([config, estimates], [null, []]);
  for (const settings of [
    { __proto__: null, constructor: 1 },
    { epochs: { $gt: 1 } },
    { model: { kind: 'resnet-cifar', blocks: 2, secret: true } },
    { augment: { flip: 'yes' } },
    { dropEpochs: [1] },
    { method: 'ce' },
    { seed: 3 },
  ]) {
    const told = await plan({ ...REQUEST, settings });
    assert.ok(told.issues.length > 0, JSON.stringify(settings));
    const body = { ...REQUEST, settings };
    await served.refused('POST /api/projects/{project}/runs', 'usage', { params, body });
    await served.refused('POST /api/projects/{project}/training/trial', 'usage', { params, body });
  }
  for (const body of [
    { ...REQUEST, preset: 'huge' },
    { ...REQUEST, methods: [] },
    { ...REQUEST, methods: ['csa', 'csa', 'csa', 'csa', 'csa'] },
    { ...REQUEST, seeds: [] },
    { ...REQUEST, seeds: [1.5] },
    { ...REQUEST, seeds: Array.from({ length: 21 }, (_, i) => i) },
    { ...REQUEST, settings: [] },
    { ...REQUEST, name: '' },
    [],
    null,
  ]) {
    await served.refused('POST /api/projects/{project}/training/plan', 'usage', { params, body });
    await served.refused('POST /api/projects/{project}/runs', 'usage', { params, body });
  }
  assert.deepEqual(project.store.runs.list(), []);
  assert.deepEqual(served.service.tasks.list(), []);
});

test('an empty bank is an error before the start and at it; accepted contexts mend it', async () => {
  const request = { ...REQUEST, settings: { ...SETTINGS, curatedShare: 0.5 } };
  const { checks } = await plan(request);
  assert.deepEqual(
    checks.filter(({ severity }) => severity === 'error').map(({ name }) => name),
    ['empty-bank'],
  );
  await served.refused('POST /api/projects/{project}/runs', 'empty', { params, body: request });
  assert.deepEqual(project.store.runs.list(), [], 'all or none');
  await acceptContexts(project, 6);
  assert.ok(!(await plan(request)).checks.some(({ name }) => name === 'empty-bank'));
});

test('never trained: a balanced branch that begins after the last epoch is pointed out', async () => {
  const settings = { ...SETTINGS, startBalanced: 2 };
  assert.ok((await plan({ ...REQUEST, settings })).checks.some(({ name }) => name === 'never-balanced'));
  assert.ok(
    !(await plan({ ...REQUEST, methods: ['ce'], settings })).checks.some(({ name }) => name === 'never-balanced'),
  );
});

let estimate: TrainingEstimate;

test('a trial measures time and memory, and the estimate says that it comes from it', async () => {
  const body = { ...REQUEST, methods: ['csa', 'ce'] };
  const task = await served.ended(
    await served.get<Task>('POST /api/projects/{project}/training/trial', { params, body }),
  );
  assert.equal(task.state, 'done', task.error?.message);
  const [csa, ce] = (await plan(body)).estimates;
  assert.deepEqual([csa.source, ce.source], ['trial', 'trial']);
  assert.ok(csa.secondsPerEpoch! > 0 && ce.secondsPerEpoch! > 0);
  assert.ok(csa.memory! > 100e6 && csa.memory! < 8e9);
  // Another batch size is another cost.
  assert.equal((await plan({ ...body, settings: { ...SETTINGS, batchSize: 16 } })).estimates[0].source, 'none');
  estimate = csa;
});

test('runs queue, tell their losses and pictures, and end; the page can come at any time', async () => {
  served.events.splice(0);
  const tasks = await start({ ...REQUEST, methods: ['csa', 'ce'] });
  assert.deepEqual(
    tasks.map(({ kind, state, title, runId }) => [kind, state, title, runId]),
    [
      ['train', 'running', 'Train Context-shift augmentation, seed 1', 1],
      ['train', 'queued', 'Train Cross entropy, seed 1', 2],
    ],
  );
  await published(({ type }) => type === 'run-preview');
  const shown = RunPreview.parse(await preview(1));
  assert.equal(shown.tiles.length, 8);
  const classes = new Set(takeSnapshot(project.store).classes);
  for (const { className, contextClass, lambda } of shown.tiles) {
    assert.ok(classes.has(className) && classes.has(contextClass!) && lambda! >= 0 && lambda! <= 1);
  }
  const step = await published((event) => event.type === 'run-step' && event.balancedLoss !== null);
  assert.ok(step.type === 'run-step' && step.run === 1 && step.project === params.project);
  assert.ok(Number.isFinite(step.uniformLoss) && step.learningRate > 0);
  const waiting = await live(2);
  assert.deepEqual([waiting.state, waiting.steps, waiting.epochsDone], ['queued', [], 0]);
  assert.equal(await preview(2), null, 'nothing was shown yet');
  const ended = await Promise.all(tasks.map((task) => served.ended(task)));
  assert.deepEqual(
    ended.map(({ state, result }) => [state, result]),
    [
      ['done', { run: 1 }],
      ['done', { run: 2 }],
    ],
  );
  const csa = await live(1);
  assert.deepEqual([csa.state, csa.epochs, csa.epochsDone, csa.stepsPerEpoch], ['finished', 2, 2, 21]);
  assert.ok(csa.steps.length > 0 && csa.steps.every(({ balancedLoss }) => balancedLoss !== null));
  assert.equal(csa.bank?.capacity, 16);
  assert.equal(
    csa.bank?.classes.reduce((sum, { contexts }) => sum + contexts, 0),
    csa.bank?.contexts,
  );
  assert.equal(csa.bank!.classes.length + csa.bank!.absent, 10);
  assert.equal(csa.confidentShare, 1, 'delta 0 admits every sample');
  assert.ok(csa.mixedSteps!.mixed > 0 && csa.mixedSteps!.mixed <= csa.mixedSteps!.all);
  const ce = await live(2);
  assert.deepEqual([ce.bank, ce.startBalanced, ce.confidentShare, ce.mixedSteps], [null, null, null, null]);
  const epochs = served.events.filter((event) => event.type === 'run-epoch');
  assert.deepEqual(
    epochs.map(({ run, epoch }) => [run, epoch]),
    [
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ],
  );
  assert.equal(await preview(1), null, 'kept while it was at work');
});

test('after runs, estimates come from them; the trial was not far off', async () => {
  const [now] = (await plan(REQUEST)).estimates;
  assert.equal(now.source, 'run');
  assert.match(now.basis, /From run 1 /);
  const ratio = now.secondsPerEpoch! / estimate.secondsPerEpoch!;
  assert.ok(ratio > 0.2 && ratio < 8, `a run took ${ratio} times what the trial said`);
});

test('what to ask for to get the same run: the plan of it has the same settings', async () => {
  const request = TrainingRequest.parse(
    await served.get('GET /api/projects/{project}/runs/{run}/request', { params: { ...params, run: 1 } }),
  );
  assert.deepEqual([request.preset, request.methods, request.seeds], ['small', ['csa'], [1]]);
  const { threads: _, ...config } = TrainConfig.parse((await plan(request)).config);
  const { threads: __, ...trained } = TrainConfig.parse(project.store.runs.get(1)!.config);
  assert.deepEqual(config, trained);
  assert.ok(!('momentum' in request.settings) && !('weightDecay' in request.settings), 'only what differs is set');
});

test('paused, a run keeps its checkpoint and waits; resumed, it goes on; those behind it wait their turn', async () => {
  const settings = { ...SETTINGS, epochs: 40 };
  const [first, second] = await start({ ...REQUEST, seeds: [3, 4], settings });
  const run = first.runId!;
  await published((event) => event.type === 'run-epoch' && event.run === run && event.epoch === 1);
  const paused = await served.get<Task>('POST /api/tasks/{task}/pause', { params: { task: first.id } });
  assert.equal(paused.state, 'paused');
  assert.equal(project.store.runs.get(run)!.state, 'stopped');
  assert.ok(existsSync(join(project.runFolder(run), 'checkpoint.safetensors')));
  const done = (await live(run)).epochsDone;
  await served.get('POST /api/tasks/{task}/cancel', { params: { task: second.id } });
  // It may have begun meanwhile; either way it ends as cancelled and keeps what it has.
  assert.equal((await served.ended(second)).state, 'cancelled');
  assert.equal(listRuns(project).find(({ id }) => id === second.runId)!.state, 'stopped');
  served.events.splice(0);
  await served.get('POST /api/tasks/{task}/resume', { params: { task: first.id } });
  await published((event) => event.type === 'run-epoch' && event.run === run);
  const steps = (await live(run)).steps.map(({ step }) => step);
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => a - b),
  );
  assert.ok((await live(run)).epochsDone > done, 'it went on');
  assert.equal(
    (await served.get<Task>('POST /api/tasks/{task}/cancel', { params: { task: first.id } })).state,
    'cancelled',
  );
});

test('a queued run that a task waits for is left alone, and told from one that nobody waits for', async () => {
  const settings = { ...SETTINGS, epochs: 200 };
  const [first, second, third] = await start({ ...REQUEST, seeds: [5, 6, 7], settings });
  assert.deepEqual([stateOf(first), stateOf(second), stateOf(third)], ['running', 'queued', 'queued']);
  await served.get('POST /api/tasks/{task}/cancel', { params: { task: third.id } });
  assert.deepEqual([stateOf(first), stateOf(second), stateOf(third)], ['running', 'queued', 'stopped']);
  assert.match((await live(third.runId!)).reason!, /taken out of the queue before it began/);
  await served.get('POST /api/tasks/{task}/pause', { params: { task: second.id } });
  assert.equal(stateOf(second), 'queued', 'paused, it still waits');
  await served.get('POST /api/tasks/{task}/cancel', { params: { task: second.id } });
  await served.get('POST /api/tasks/{task}/cancel', { params: { task: first.id } });
});

test('a run that was at work when the service died is queued again with its task', () => {
  const task = served.service.tasks.list().find(({ runId, state }) => runId !== null && state === 'cancelled')!;
  const record = project.store.tasks.list().find(({ runId }) => runId === task.runId)!;
  project.store.runs.update(task.runId!, { state: 'running' });
  project.store.tasks.update(record.id, { state: 'running' });
  assert.equal(listRuns(project).find(({ id }) => id === task.runId)!.state, 'queued');
  project.store.tasks.update(record.id, { state: 'failed' });
  assert.equal(listRuns(project).find(({ id }) => id === task.runId)!.state, 'stopped');
});

test('the sizes of a network are those of the network', async () => {
  const { Network } = await import('../../core/models/network.ts');
  for (const model of [
    { kind: 'resnet-cifar', blocks: 1 },
    { kind: 'resnet-cifar', blocks: 5 },
    { kind: 'resnet18' },
  ] as const) {
    for (const classes of [2, 10, 1000]) {
      const { trunk, balanced, statistics, backbone } = new Network(model, classes);
      assert.deepEqual(networkSizes(model, classes), {
        title: backbone.title,
        trunk: trunk.size,
        balanced: balanced.size,
        statistics: statistics.size,
        tuned: trunk.size,
      });
      const part = new Network(model, classes, 'float32', { stages: 2, batchNorm: 'batch' });
      assert.equal(networkSizes(model, classes, 2).tuned, part.tuned.trunk.size);
    }
  }
});

test('a run that is not there is refused by every route', async () => {
  for (const rest of ['request', 'live', 'preview']) {
    const key = `GET /api/projects/{project}/runs/{run}/${rest}`;
    await served.refused(key, 'not-found', { params: { ...params, run: 999 } });
    await served.refused(key, 'not-found', { params: { project: '../x', run: 1 } });
    for (const run of ['0', '-1', '1.5', 'x', '..%2f1'])
      await served.refused(key, 'usage', { params: { ...params, run } });
  }
  assert.deepEqual(served.log, []);
});
