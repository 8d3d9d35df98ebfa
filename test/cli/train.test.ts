import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { EXIT_CODES } from '../../core/base/errors.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { jsonLines, lastJson, makePictures, run, runJson, start, type Result } from './command-line.ts';

const cwd = temporaryFolder();
const contexture = (...args: string[]): Promise<Result> => run(args, { cwd });
const json = (...args: string[]): Promise<Record<string, unknown>> => runJson(args, { cwd });
/** As small as a run can be. */
const SMALL = ['--epochs', '3', '--batch-size', '4', '--bank-size', '2x', '--blocks', '1', '--threads', '1'];

interface RunFields {
  id: number;
  state: string;
  config: { epochs: number; bankSize: number; augment: unknown; groups: unknown };
}

before(async () => {
  makePictures(join(cwd, 'birds'), { 'train/owl': 20, 'train/eagle': 8, 'test/owl': 4, 'test/eagle': 4 });
  await json('import', 'birds', '--project', 'birds.contexture');
});

test('a plan is shown before anything is trained', async () => {
  const { stdout } = await contexture('train', 'csa', ...SMALL, '--dry-run');
  assert.match(stdout, /^Network +ResNet-8 \(CIFAR form\), 1 block a stage, from scratch$/m);
  assert.match(stdout, /^Bank +8 contexts/m);
  assert.match((await contexture('runs')).stdout, /^No runs\.$/m);
});

test('settings out of range name the option; an unknown method names those there are', async () => {
  const range = await contexture('train', 'ce', '--epochs', '0');
  assert.equal(range.code, EXIT_CODES.usage);
  assert.match(range.stderr, /--epochs.*from 1 to 1000/);
  const method = await contexture('train', 'csb');
  assert.equal(method.code, EXIT_CODES.usage);
  assert.match(method.stderr, /csb.*ce, cbrs, control, csa/);
});

test('Ctrl-C stops a run and keeps it; resume finishes it', async () => {
  const call = start(['train', 'control', ...SMALL, '--no-flip', '--json'], { cwd });
  await call.until('"type":"epoch"');
  call.child.kill('SIGINT');
  assert.equal(await call.ended, EXIT_CODES.cancelled);
  const { ok, code, message, run: stopped } = lastJson(call.stdout);
  assert.deepEqual([ok, code, (stopped as RunFields).state], [false, 'cancelled', 'stopped']);
  assert.match(String(message), /contexture resume 1$/);
  assert.deepEqual((stopped as RunFields).config.augment, {
    crop: 'padded',
    pad: 0.125,
    flip: false,
    leastArea: 0.08,
    jitter: 0,
  });

  const resumed = await contexture('resume', '--json');
  assert.equal(resumed.code, 0, resumed.stdout);
  assert.equal((lastJson(resumed.stdout).run as RunFields).state, 'finished');
  const types = new Set(jsonLines(resumed.stdout).map(({ type }) => type));
  assert.ok(types.has('engine') && types.has('epoch') && types.has('progress'));
  assert.equal((await contexture('resume')).code, EXIT_CODES['not-found']);
});

test('from a second run to comparison, contexts, bank, export and predictions', async () => {
  const trained = await contexture('train', 'csa', ...SMALL, '--delta', '0');
  assert.equal(trained.code, 0, trained.stderr);
  assert.match(trained.stderr, /^Epoch 3\/3 .*bank 8\/8/m);
  assert.match(trained.stdout, /^Top-1 +\d+\.\d % \(\d+\.\d to \d+\.\d\)/m);

  assert.match((await contexture('runs')).stdout, /^ +2 .*finished/m);
  assert.match((await contexture('runs', '--search', 'resnet scratch')).stdout, /^ +2 .*finished/m);
  assert.match((await contexture('runs', '--search', 'efficientnet')).stdout, /^No run has “efficientnet”\.$/m);
  assert.match((await contexture('show', '2', '--classes', '--epochs')).stdout, /^owl +20 +4 /m);
  const compared = await contexture('compare', '1', '2', '--classes');
  assert.match(compared.stdout, /^Top-1 .*(better|worse|no clear difference)$/m);

  assert.equal((await json('contexts')).found, 28);
  assert.equal((await json('bank', 'accept')).changed, 28);
  assert.equal((await json('bank', 'reject', '1', '2')).changed, 2);
  await json('bank', 'save-mask', '3', 'mask.png');
  assert.ok(existsSync(join(cwd, 'mask.png')));
  await json('bank', 'load-mask', '3', 'mask.png');
  const shown = await json('bank', 'show', '3');
  assert.deepEqual(
    (shown.history as { action: string }[]).map(({ action }) => action),
    ['created', 'accepted', 'mask'],
  );
  assert.equal((await json('bank', 'remask', '3', '4', '--refine')).made, 2);
  assert.equal((await json('contexts', '--size', '32', '--second-size', '48', '--no-mirror', '--refine')).found, 28);
  // The two rejected ones were eagles: pictures are in order of their paths.
  const { contexts } = await json('bank', 'list', '--state', 'accepted', '--class', 'eagle');
  assert.equal((contexts as unknown[]).length, 6);

  const exported = await json('export', 'augmented');
  assert.deepEqual([exported.state, exported.pictures], ['finished', 40]);

  const { stdout, stderr } = await contexture('predict', 'birds/test', '--top', '1');
  assert.match(stderr, /^By run \d+, .*; --run names another\.$/m);
  assert.match(stdout, /^file,class_1,probability_1,problem\r?\n/);
  assert.equal(stdout.trimEnd().split('\n').length, 1 + 8);
  assert.equal(((await json('predict', 'birds/test')).pictures as unknown[]).length, 8);
  await json('predict', 'birds/test', '--run', '1', '--format', 'json', '--out', 'answers.json');
  assert.equal(JSON.parse(readFileSync(join(cwd, 'answers.json'), 'utf8')).pictures.length, 8);
  assert.equal((await contexture('predict', 'birds', '--out', 'answers.json')).code, EXIT_CODES.exists);
});

test('the doctor trains for proof', async () => {
  const { engine, training } = await json('doctor', '--seconds', '1');
  assert.ok((training as { steps: number }).steps > 0);
  assert.equal((engine as { tensorflow: string }).tensorflow, '2.21.0');
});
