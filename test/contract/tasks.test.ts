/** The queue: lanes, order, pause and cancel; what a crash of the service leaves, and what a clean end does. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ServiceEvent } from '../../core/api/events.ts';
import type { OpenedProject } from '../../core/api/projects.ts';
import type { Task } from '../../core/api/tasks.ts';
import { UserError } from '../../core/base/errors.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { privateAccess } from '../../core/server/access.ts';
import { KINDS } from '../../core/server/kinds/index.ts';
import { JOB_LANES, type Lane } from '../../core/server/lanes.ts';
import type { ServedProject } from '../../core/server/open-projects.ts';
import { Service } from '../../core/server/service.ts';
import { taskKind, type AnyTaskKind, type QueuedKind, type TaskContext } from '../../core/server/task-kind.ts';
import { sqliteStorage } from '../../db/index.ts';
import { makePictures } from '../cli/command-line.ts';
import { startContract } from '../fixtures/contract.ts';
import { startServiceProcess, type ServiceProcess } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

/** Work of these tests: it goes on until it is told how to end. */
interface Work {
  context: TaskContext<{ name: string }>;
  end: (result: string) => void;
  fail: (error: unknown) => void;
}

/** A service whose kinds do as they are told, with the real queue over real project files. */
class Queue {
  readonly service: Service;
  readonly events: ServiceEvent[] = [];
  readonly log: string[] = [];
  /** Work that has begun, by name. */
  readonly begun = new Map<string, Work>();
  readonly order: string[] = [];

  constructor(stateFolder = temporaryFolder()) {
    const kind = (lane: Lane): AnyTaskKind =>
      taskKind({
        scope: 'app',
        lane,
        params: z.object({ name: z.string() }),
        perform: (context) => this.#work(context),
      });
    const kinds: Record<QueuedKind, AnyTaskKind> = {
      ...KINDS,
      train: kind('engine'),
      import: kind('files'),
      predict: kind('side'),
    };
    this.service = new Service({
      storage: sqliteStorage,
      runJob,
      kinds,
      access: privateAccess,
      stateFolder,
      log: (line) => void this.log.push(line),
    });
    this.service.hub.listen(undefined, ({ event }) => void this.events.push(event));
    after(() => this.service.close());
  }

  #work(context: TaskContext<{ name: string }>): Promise<string> {
    return new Promise((end, fail) => {
      const { name } = context.params;
      this.order.push(name);
      this.begun.set(name, { context, end, fail });
      context.signal.addEventListener('abort', () => fail(new UserError('cancelled', `${name} was stopped.`)));
    });
  }

  project(name = 'a'): Promise<ServedProject> {
    return this.service.openProject(join(temporaryFolder(), `${name}.contexture`), { create: true });
  }

  add(project: ServedProject | null, kind: 'train' | 'import' | 'predict', name: string): Task {
    return this.service.tasks.add(project, { kind, title: name, params: { name }, command: `contexture ${name}` });
  }

  /** Title and state of every task, in order. */
  states(): string {
    return this.service.tasks
      .list()
      .map(({ title, state }) => `${title} ${state}`)
      .join(', ');
  }

  /** Let a task end, and what follows begin. */
  async end(name: string): Promise<void> {
    this.begun.get(name)!.end('done');
    await sleep(1);
  }
}

test('each lane has one at work, the side lane four; each goes on with the next', async () => {
  const queue = new Queue();
  const [a, b] = [await queue.project('a'), await queue.project('b')];
  queue.add(a, 'train', 'train1');
  queue.add(b, 'train', 'train2');
  queue.add(a, 'import', 'import1');
  queue.add(b, 'import', 'import2');
  for (let i = 1; i <= 5; i++) queue.add(null, 'predict', `side${i}`);
  assert.deepEqual(queue.order, ['train1', 'import1', 'side1', 'side2', 'side3', 'side4']);
  await queue.end('import1');
  assert.equal(queue.order.at(-1), 'import2');
  await queue.end('side3');
  assert.equal(queue.order.at(-1), 'side5');
  await queue.end('train1');
  assert.equal(queue.order.at(-1), 'train2');
  const first = queue.service.tasks.list()[0];
  assert.deepEqual([first.state, first.result, first.project, first.error], ['done', 'done', a.id, null]);
  assert.ok(first.createdAt <= first.startedAt! && first.startedAt! <= first.endedAt!);
});

test('queued tasks are moved before another one or last; nothing else can be', async () => {
  const queue = new Queue();
  const project = await queue.project();
  const other = await queue.project('other');
  const tasks = ['1', '2', '3', '4', '5'].map((name) => queue.add(name === '4' ? other : project, 'train', name));
  const { service } = queue;
  const titles = (): string =>
    service.tasks
      .list()
      .map(({ title }) => title)
      .join('');
  service.tasks.move(tasks[4].id, tasks[1].id);
  assert.equal(titles(), '15234');
  service.tasks.move(tasks[4].id, null);
  assert.equal(titles(), '12345');
  service.tasks.move(tasks[3].id, tasks[0].id);
  assert.equal(titles(), '41235');
  service.tasks.move(tasks[1].id, tasks[1].id);
  assert.equal(titles(), '41235');
  // Between the same two, over and over.
  for (let i = 0; i < 200; i++) service.tasks.move(tasks[i % 2 ? 2 : 4].id, tasks[1].id);
  assert.deepEqual(titles().split('').toSorted(), ['1', '2', '3', '4', '5']);
  assert.throws(() => service.tasks.move(tasks[0].id, null), { code: 'usage', message: /“1” is running/ });
  assert.throws(() => service.tasks.move(tasks[2].id, 'app:9'), { code: 'not-found' });
  assert.throws(() => service.tasks.move('app:9', null), { code: 'not-found' });
  service.tasks.move(tasks[3].id, null);
  const expected = titles().slice(0, -1).replace('1', '');
  await queue.end('1');
  assert.equal(queue.order.at(-1), expected[0]);
});

test('pause, resume, cancel, dismiss: of what waits, what is at work, what has ended', async () => {
  const queue = new Queue();
  const project = await queue.project();
  const { tasks } = queue.service;
  const [one, two] = ['1', '2'].map((name) => queue.add(project, 'train', name));
  assert.equal((await tasks.pause(two.id)).state, 'paused');
  await assert.rejects(async () => tasks.dismiss(one.id), { code: 'usage', message: /cancel it first/ });
  assert.equal((await tasks.pause(one.id)).state, 'paused');
  assert.equal(queue.begun.get('1')!.context.signal.aborted, true);
  // Pausing what is paused is done already.
  assert.equal((await tasks.pause(one.id)).state, 'paused');
  assert.equal(queue.states(), '1 paused, 2 paused');
  assert.equal(tasks.resume(two.id).state, 'running');
  assert.equal(tasks.resume(one.id).state, 'queued');
  assert.throws(() => tasks.resume(one.id), { code: 'usage' });
  await queue.end('2');
  await queue.end('1');
  assert.equal(queue.states(), '1 done, 2 done');
  for (const step of ['pause', 'cancel'] as const)
    await assert.rejects(tasks[step](one.id), { code: 'usage', message: /nothing to stop/ });
  assert.throws(() => tasks.resume(one.id), { code: 'usage', message: /nothing to resume/ });
  const three = queue.add(project, 'train', '3');
  const failure = new UserError('empty', 'There is nothing to train on.');
  queue.begun.get('3')!.fail(failure);
  await sleep(1);
  assert.deepEqual(tasks.get(three.id).error, { code: 'empty', message: failure.message });
  assert.equal(tasks.resume(three.id).error, null);
  assert.equal((await tasks.cancel(three.id)).state, 'cancelled');
  assert.equal(tasks.resume(three.id).state, 'running');
  assert.equal((await tasks.pause(three.id)).state, 'paused');
  // What waits paused can be given up.
  assert.equal((await tasks.cancel(three.id)).state, 'cancelled');
  for (const { id } of [one, two, three]) tasks.dismiss(id);
  assert.deepEqual(tasks.list(), []);
  assert.equal(queue.events.filter(({ type }) => type === 'task-gone').length, 3);
  for (const id of [one.id, '', ':', 'app:', 'app:0', 'app:01', `${project.id}:1.0`, `${project.id}:1e0`]) {
    assert.throws(() => tasks.get(id), { code: 'not-found' });
  }
  assert.deepEqual(queue.log, []);
});

test('a defect in one task is logged, shown, and does not stop the others', async () => {
  const queue = new Queue();
  const task = queue.add(null, 'train', '1');
  queue.add(null, 'train', '2');
  queue.begun.get('1')!.fail(new TypeError('x is not a function'));
  await sleep(1);
  assert.equal(queue.order.at(-1), '2');
  assert.deepEqual(queue.service.tasks.get(task.id).error, { code: 'defect', message: 'x is not a function' });
  assert.match(queue.log[0], /^train: TypeError: x is not a function\n/);
});

test('a task tells how far it is, ten times a second at most, the last always', async () => {
  const queue = new Queue();
  const task = queue.add(null, 'train', '1');
  const { context } = queue.begun.get('1')!;
  queue.events.length = 0;
  const began = performance.now();
  let done = 0;
  const toldOf = (): Task[] =>
    queue.events.flatMap((event) => (event.type === 'task' && event.task.id === task.id ? [event.task] : []));
  // On a busy machine the time passes with little done in it.
  while (performance.now() - began < 550 || toldOf().length < 4) {
    context.onEvent({
      type: 'progress',
      stage: 'Working',
      done: ++done,
      total: null,
      unit: 'steps',
      rate: null,
      secondsLeft: null,
    });
    context.onEvent({ type: 'noise' });
    if (done % 100 === 0) await sleep(1);
  }
  while (toldOf().at(-1)!.progress?.done !== done) await sleep(5);
  const most = (performance.now() - began) / 100 + 3;
  assert.ok(toldOf().length <= most, `${toldOf().length} events for ${done} steps, ${most} at most`);
  assert.equal(queue.service.tasks.get(task.id).progress?.stage, 'Working');
  await queue.end('1');
  assert.deepEqual([queue.events.at(-1)!.type, queue.service.tasks.get(task.id).progress], ['task', null]);
});

test('pause-all and cancel-all: nothing that waited begins in between', async () => {
  const queue = new Queue();
  const project = await queue.project();
  for (const name of ['1', '2', '3']) queue.add(project, 'train', name);
  queue.add(null, 'import', '4');
  const paused = await queue.service.tasks.stopAll('paused');
  assert.deepEqual(
    paused.map(({ state }) => state),
    ['paused', 'paused', 'paused', 'paused'],
  );
  assert.deepEqual(queue.order, ['1', '4']);
  for (const { id } of paused) queue.service.tasks.resume(id);
  assert.equal(queue.states(), '1 running, 2 queued, 3 queued, 4 running');
  const cancelled = await queue.service.tasks.stopAll('cancelled');
  assert.ok(cancelled.every(({ state }) => state === 'cancelled'));
  assert.deepEqual(queue.order, ['1', '4', '1', '4']);
});

test('closing a project pauses its tasks, takes them off the list, and opening it brings them back paused', async () => {
  const queue = new Queue();
  const [a, b] = [await queue.project('a'), await queue.project('b')];
  queue.add(a, 'train', 'a1');
  queue.add(a, 'train', 'a2');
  queue.add(b, 'train', 'b1');
  await queue.service.closeProject(a.id);
  assert.equal(queue.states(), 'b1 running');
  assert.equal(queue.events.filter(({ type }) => type === 'task-gone').length, 2);
  assert.throws(() => queue.add(a, 'train', 'a3'), { code: 'not-found' });
  const again = await queue.service.openProject(a.file, { create: false });
  assert.equal(queue.states(), 'a1 paused, a2 paused, b1 running');
  const [a1] = queue.service.tasks.list();
  assert.equal(a1.project, again.id);
  assert.equal(queue.service.tasks.resume(a1.id).state, 'queued');
});

test('errands: they wait their turn, can be withdrawn, and never begin once the service closes', async () => {
  const queue = new Queue();
  const project = await queue.project();
  const { tasks } = queue.service;
  queue.add(project, 'train', '1');
  const { signal } = new AbortController();
  const request = { lane: 'engine', title: 'errand', command: 'contexture train' } as const;
  const began: string[] = [];
  const errand = (name: string, stop: AbortSignal): Promise<string> =>
    tasks.inTurn(project, { ...request, title: name }, stop, async () => {
      began.push(name);
      return name;
    });
  const first = errand('first', signal);
  const stop = new AbortController();
  const second = errand('second', stop.signal);
  const third = errand('third', signal);
  assert.equal(queue.states(), '1 running, first queued, second queued, third queued');
  stop.abort();
  await assert.rejects(second, { code: 'cancelled', message: /before its turn came/ });
  const [, , thirdTask] = tasks.list();
  assert.equal((await tasks.pause(thirdTask.id)).state, 'cancelled');
  await assert.rejects(third, { code: 'cancelled' });
  // One that is taken out twice is gone.
  await assert.rejects(tasks.cancel(thirdTask.id), { code: 'not-found' });
  await queue.end('1');
  assert.equal(await first, 'first');
  await assert.rejects(errand('late', AbortSignal.abort()), { code: 'cancelled' });
  assert.deepEqual(began, ['first']);
  await assert.rejects(
    tasks.inTurn(project, request, signal, async () => {
      throw new UserError('engine', 'no engine');
    }),
    { code: 'engine' },
  );
  assert.equal(queue.states(), '1 done');
  queue.add(project, 'train', '2');
  const waiting = errand('waiting', signal);
  const closed = queue.service.close();
  await assert.rejects(waiting, { code: 'cancelled' });
  await assert.rejects(errand('after', signal), { code: 'cancelled' });
  await closed;
  assert.deepEqual(began, ['first']);
});

test('the routes of tasks: good and bad', async () => {
  const contract = startContract();
  const folder = temporaryFolder();
  makePictures(join(folder, 'pictures'), { owl: 3 });
  const { id } = await contract.get<OpenedProject>('POST /api/projects', {
    body: { file: join(folder, 'a.contexture'), create: true },
  });
  const task = await contract.get<Task>('POST /api/projects/{project}/imports', {
    params: { project: id },
    body: { path: join(folder, 'pictures') },
  });
  assert.match(task.command, /^contexture import /);
  const done = await contract.ended(task);
  assert.deepEqual([done.state, done.project, done.kind], ['done', id, 'import']);
  const params = { task: task.id };
  assert.deepEqual(await contract.get('GET /api/tasks/{task}', { params }), done);
  assert.deepEqual(await contract.get('GET /api/tasks'), [done]);
  for (const step of ['pause', 'cancel', 'resume'])
    await contract.refused(`POST /api/tasks/{task}/${step}`, 'usage', { params });
  await contract.refused('POST /api/tasks/{task}/move', 'usage', { params, body: { before: null } });
  await contract.get('POST /api/tasks/pause-all');
  await contract.get('POST /api/tasks/cancel-all');
  await contract.get('DELETE /api/tasks/{task}', { params });
  await contract.refused('DELETE /api/tasks/{task}', 'not-found', { params });
  assert.deepEqual(contract.log, []);
});

/** Pictures whose import takes a while. */
function manyPictures(folder: string): string {
  const path = join(folder, 'pictures');
  makePictures(path, { owl: 1500, finch: 1500 });
  return path;
}

async function beginImport(service: ServiceProcess, folder: string): Promise<{ project: string; task: Task }> {
  const { id: project } = await service.json<OpenedProject>('POST', '/api/projects', {
    file: join(folder, 'birds.contexture'),
    create: true,
  });
  const task = await service.json<Task>('POST', `/api/projects/${project}/imports`, { path: manyPictures(folder) });
  await service.task(task.id, 'running');
  return { project, task };
}

test('a service that is killed takes its tasks up again, and they come to their end', async () => {
  const folder = temporaryFolder();
  let service = await startServiceProcess();
  const { state } = service;
  const { task } = await beginImport(service, folder);
  await service.kill();
  service = await startServiceProcess({ state });
  const done = await service.task(task.id, 'done');
  assert.equal((done.result as { images: number }).images, 3000);
  assert.equal(done.startedAt !== null && done.createdAt <= done.startedAt, true);
  await service.end();
});

test('a task that takes the service down three times is given up, and can be resumed', async () => {
  const folder = temporaryFolder();
  let service = await startServiceProcess();
  const { state } = service;
  const { task } = await beginImport(service, folder);
  await service.kill();
  for (let death = 2; death <= 3; death++) {
    service = await startServiceProcess({ state });
    assert.equal((await service.json<Task>('GET', `/api/tasks/${task.id}`)).state, 'running');
    await service.kill();
  }
  service = await startServiceProcess({ state });
  const failed = await service.json<Task>('GET', `/api/tasks/${task.id}`);
  assert.deepEqual([failed.state, failed.error?.code], ['failed', 'defect']);
  assert.match(failed.error!.message, /begun 3 times and Contexture ended each time: resume it/);
  await service.json('POST', `/api/tasks/${task.id}/resume`);
  await service.task(task.id, 'done');
  await service.end();
});

test('a clean end pauses what is at work, keeps what it did, and does not begin it again by itself', async () => {
  const folder = temporaryFolder();
  let service = await startServiceProcess();
  const { state } = service;
  const { project, task } = await beginImport(service, folder);
  const second = await service.json<Task>('POST', `/api/projects/${project}/imports`, {
    path: join(folder, 'pictures'),
  });
  assert.equal(second.state, 'queued');
  assert.equal(await service.end(), 0);
  service = await startServiceProcess({ state });
  await sleep(200);
  const tasks = await service.json<Task[]>('GET', '/api/tasks');
  assert.deepEqual(
    tasks.map((one) => [one.id, one.state]),
    [
      [task.id, 'paused'],
      [second.id, 'paused'],
    ],
  );
  await service.json('POST', `/api/tasks/${task.id}/resume`);
  assert.equal(((await service.task(task.id, 'done')).result as { images: number }).images, 3000);
  await service.end();
});

test('a command and a task of the same job take the same lane', () => {
  const jobs = ['import', 'train', 'trial', 'contexts', 'doctor', 'export', 'verify', 'predict'] as const;
  for (const job of jobs) assert.equal(KINDS[job].lane, JOB_LANES[job], job);
  assert.equal(KINDS.saliency.lane, JOB_LANES.explain);
});
