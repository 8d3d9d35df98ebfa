import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../core/api/tasks.ts';
import { taskPlace } from '../../renderer/frame/task-place.ts';

const task = (part: Partial<Task>): Task => ({
  id: 't',
  project: 'p',
  kind: 'reliance',
  title: 'Context reliance of run 4',
  state: 'done',
  progress: null,
  error: null,
  result: { run: 4 },
  runId: null,
  command: 'contexture reliance 4 --again',
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  endedAt: null,
  ...part,
});

test('a measured run leads to its part of the run’s page; without a result to nowhere', () => {
  assert.deepEqual(taskPlace(task({}))?.target, {
    project: 'p',
    page: 'runs',
    rest: [4],
    query: { part: 'reliance' },
  });
  assert.equal(taskPlace(task({ result: null, state: 'failed' })), undefined);
  assert.deepEqual(taskPlace(task({ kind: 'train', runId: 7, result: null }))?.target.rest, [7]);
});
