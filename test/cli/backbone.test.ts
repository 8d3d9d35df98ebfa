/** Backbones on the command line: the list, one's own weights, and what is refused, by real files. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT_CODES } from '../../core/base/errors.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../core/base/safetensors.ts';
import { writePack } from '../fixtures/backbones.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { lastJson, run, type Result } from './command-line.ts';

const cache = temporaryFolder();
process.env.CONTEXTURE_CACHE = cache;
const cwd = temporaryFolder();
const backbone = (...args: string[]): Promise<Result> => run(['backbone', ...args], { cwd });
const pathOf = (name: string): string => join(cache, 'contexture', 'backbones', `${name}.safetensors`);

/** Weights of the user's own: those of a pack, less what makes it one of ours. */
function ownWeights(file: string, change: (tensors: Record<string, StoredTensor>) => void = () => {}): void {
  const { tensors } = decodeSafetensors(readFileSync(pathOf('made')), 'made');
  change(tensors);
  writeFileSync(join(cwd, file), Buffer.concat(encodeSafetensors(tensors)));
}

test('the published ones are listed and described; nothing is here', async () => {
  const { code, stdout } = await backbone('list');
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^efficientnet-lite0 +EfficientNet-Lite0 +can be got +17\.4 MB +Apache-2\.0 +efficientnet-lite0-pytorch/m,
  );
  const info = await backbone('info', 'efficientnet-lite0');
  assert.match(info.stdout, /^State +can be got$/m);
  assert.match(info.stdout, /^Get it with +contexture backbone get efficientnet-lite0$/m);
  const none = await backbone('info', 'resnet18');
  assert.deepEqual([none.code, /no backbone resnet18/.test(none.stderr)], [EXIT_CODES['not-found'], true]);
});

test("weights of one's own are added with mean and deviation by channel, described, and removed", async () => {
  writePack('made', 'resnet18', 1);
  ownWeights('mine.safetensors');
  const pixels = ['--mean', '0.485,0.456,0.406', '--deviation', '0.25'];
  const added = await backbone('add', 'mine.safetensors', '--kind', 'resnet18', '--licence', 'MIT', ...pixels);
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /^mine is here: ResNet-18, /);
  const { stdout } = await backbone('info', 'mine', '--json');
  const { file, ...entry } = lastJson(stdout) as { file: Record<string, unknown> } & Record<string, unknown>;
  assert.deepEqual(
    [entry.name, entry.kind, entry.state, entry.licence, entry.source],
    ['mine', 'resnet18', 'here', 'MIT', 'mine.safetensors'],
  );
  assert.deepEqual([file.path, file.mean, file.deviation], [pathOf('mine'), [0.485, 0.456, 0.406], [0.25, 0.25, 0.25]]);
  assert.match(
    (await backbone('info', 'mine')).stdout,
    /^Pixels +\(value \/ 255 - \[0\.485, 0\.456, 0\.406\]\) \/ \[0\.25,/m,
  );
  assert.match((await backbone('list')).stdout, /^mine +ResNet-18 +here /m);
  const [ours, theirs] = ['mine', 'made'].map((name) => decodeSafetensors(readFileSync(pathOf(name)), name).tensors);
  assert.deepEqual(ours, theirs);
  const again = await backbone('add', 'mine.safetensors', '--kind', 'resnet18');
  assert.deepEqual([again.code, /There is a backbone mine already/.test(again.stderr)], [EXIT_CODES.exists, true]);
  assert.equal((await backbone('remove', 'mine')).code, 0);
  assert.ok(!existsSync(pathOf('mine')));
});

test('what does not fit is refused naming the tensor, what is said wrongly naming the option; nothing is left', async () => {
  const name = 'stage2.block1.conv1.weight';
  ownWeights('lacking.safetensors', (tensors) => {
    assert.ok(name in tensors, Object.keys(tensors).join());
    delete tensors[name];
  });
  const lacking = await backbone('add', 'lacking.safetensors', '--kind', 'resnet18');
  assert.equal(lacking.code, EXIT_CODES.damaged);
  assert.ok(lacking.stderr.includes(`its tensor ${name} should be [3, 3, 64, 128] and is not there.`), lacking.stderr);
  ownWeights('turned.safetensors', (tensors) => {
    tensors[name] = { ...tensors[name], shape: [128, 64, 3, 3] };
  });
  const turned = await backbone('add', 'turned.safetensors', '--kind', 'resnet18');
  assert.ok(turned.stderr.includes(`${name} should be [3, 3, 64, 128] and is [128, 64, 3, 3].`), turned.stderr);
  ownWeights('good.safetensors');
  for (const [args, said] of [
    [[], /--kind/],
    [['--kind', 'resnet18', '--mean', '0.5'], /belong together/],
    [['--kind', 'resnet18', '--mean', '0.5', '--deviation', '0'], /above 0/],
    [['--kind', 'resnet18', '--mean', '0.5,0.5', '--deviation', '1'], /one number, or three/],
    [['--kind', 'resnet18', '--mean', '0.5,x,0.5', '--deviation', '1'], /Expected a number/],
    [['--kind', 'resnet18', '--mean', '1,2,3,4', '--deviation', '1'], /one number, or three/],
    [['--kind', 'resnet18', '--name', 'efficientnet-lite0'], /published backbone/],
  ] as const) {
    const { code, stderr } = await backbone('add', 'good.safetensors', ...args);
    assert.deepEqual([code, said.test(stderr)], [EXIT_CODES.usage, true], stderr);
  }
  for (const file of ['lacking', 'turned', 'good']) assert.ok(!existsSync(pathOf(file)));
  const gone = await backbone('add', 'nowhere.safetensors', '--kind', 'resnet18');
  assert.deepEqual([gone.code, /nowhere\.safetensors/.test(gone.stderr)], [EXIT_CODES['not-found'], true]);
});
