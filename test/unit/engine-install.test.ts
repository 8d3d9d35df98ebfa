import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { engineEnvironment, readEngineInstall, type EngineInstall } from '../../core/engine/install.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

/** An engine file whose parts exist. */
function engineFile(changes: Record<string, unknown> = {}): { path: string; install: EngineInstall } {
  const folder = temporaryFolder();
  const binding = join(folder, 'tfjs_binding.node');
  writeFileSync(binding, '');
  const install: EngineInstall = { pack: 'cpu', tensorflow: '2.21.0', folder, binding, libraryPath: [], node: '/node' };
  const path = join(folder, 'engine.json');
  writeFileSync(path, JSON.stringify({ ...install, ...changes }));
  return { path, install };
}

test('what set-up recorded is read', () => {
  const { path, install } = engineFile();
  assert.deepEqual(readEngineInstall(path), install);
});

test('no file: set-up has to be run', () => {
  const path = join(temporaryFolder(), 'none.json');
  assert.throws(() => readEngineInstall(path), {
    name: 'UserError',
    code: 'engine',
    message: `The engine is not set up: there is no ${path}. Run \`npm run setup\`.`,
  });
});

test('a file of another shape, or none that can be parsed, is refused by name', () => {
  for (const changes of [{ pack: 'tpu' }, { binding: undefined }, { libraryPath: 'x' }, { more: 1 }]) {
    const { path } = engineFile(changes);
    assert.throws(() => readEngineInstall(path), {
      code: 'engine',
      message: /is not what set-up writes\. Run `npm run setup`/,
    });
  }
  const path = join(temporaryFolder(), 'engine.json');
  writeFileSync(path, '{');
  assert.throws(() => readEngineInstall(path), { code: 'engine', message: /is not what set-up writes/ });
});

test('a part that was deleted is named', () => {
  for (const changes of [{ binding: '/gone/x.node' }, { folder: '/gone' }, { libraryPath: ['/gone/lib'] }]) {
    const { path } = engineFile(changes);
    assert.throws(() => readEngineInstall(path), { code: 'engine', message: /A part of the engine is gone: \/gone/ });
  }
});

test('the environment says how many threads there are, and how many operations side by side', () => {
  const { install } = engineFile();
  assert.equal(engineEnvironment(install, { threads: 3 }).TF_NUM_INTRAOP_THREADS, '3');
  assert.equal(engineEnvironment(install, { threads: 0 }).TF_NUM_INTRAOP_THREADS, String(availableParallelism()));
  assert.equal('LD_LIBRARY_PATH' in engineEnvironment(install, { threads: 0 }), false);
  const interOp = (threads: number, atOnce?: number, of = install): string =>
    engineEnvironment(of, { threads, ...(atOnce === undefined ? {} : { atOnce }) }).TF_NUM_INTEROP_THREADS;
  assert.deepEqual([interOp(3), interOp(3, 2), interOp(1, 2)], ['1', '2', '1'], 'one thread is one');
  assert.equal(interOp(3, 2, { ...install, pack: 'gpu' }), '1');
});

test('the libraries of the GPU pack come before those that were searched before', (t) => {
  const { install } = engineFile();
  const gpu: EngineInstall = { ...install, pack: 'gpu', libraryPath: ['/a/lib', '/b/lib'] };
  const before = process.env.LD_LIBRARY_PATH;
  t.after(() => {
    if (before === undefined) delete process.env.LD_LIBRARY_PATH;
    else process.env.LD_LIBRARY_PATH = before;
  });
  process.env.LD_LIBRARY_PATH = '/usr/lib/mine';
  assert.equal(engineEnvironment(gpu, { threads: 1 }).LD_LIBRARY_PATH, '/a/lib:/b/lib:/usr/lib/mine');
  delete process.env.LD_LIBRARY_PATH;
  assert.equal(engineEnvironment(gpu, { threads: 1 }).LD_LIBRARY_PATH, '/a/lib:/b/lib');
});
