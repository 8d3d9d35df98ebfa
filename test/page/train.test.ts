/** The Train page: what is started, what it costs, and the run at work. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Task } from '../../core/api/tasks.ts';
import type { TrainingRequest } from '../../core/api/training.ts';
import { writeSample } from '../../core/services/sample-data.ts';
import { SAMPLE, TINY } from '../fixtures/training.ts';
import { writeTree } from '../fixtures/sources.ts';
import { tinyPng } from '../fixtures/images.ts';
import { ROOT, testPage, type App } from './support.ts';

/** A project with the small sample; its id. */
async function withSample(app: App): Promise<string> {
  const pictures = join(app.root, 'pictures');
  await writeSample(pictures, SAMPLE, { emit: () => {}, signal: new AbortController().signal });
  return withPictures(app, pictures);
}

async function withPictures(app: App, pictures: string): Promise<string> {
  const file = join(app.root, 'birds.contexture');
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file, create: true });
  const task = await app.api<Task>('POST', `/api/projects/${id}/imports`, { path: pictures });
  await ended(app, task);
  return id;
}

async function ended(app: App, { id }: Task): Promise<Task> {
  for (;;) {
    const task = await app.api<Task>('GET', `/api/tasks/${encodeURIComponent(id)}`);
    if (task.state !== 'queued' && task.state !== 'running') return task;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const request = (values: Partial<TrainingRequest> = {}): object => ({
  preset: 'small',
  methods: ['csa'],
  seeds: [1],
  settings: { ...TINY, epochs: 60, delta: 0, startBalanced: 0 },
  ...values,
});

testPage('a run is set up and started by keyboard and watched; pause, reload, go on, stop', async (app) => {
  const { page } = app;
  const project = await withSample(app);
  await app.goto(`/p/${project}/train`);
  await page.getByRole('radio', { name: /Small set.*Fits your data/ }).waitFor();
  assert.ok(await page.getByRole('radio', { name: /Small set/ }).isChecked());
  await page.getByText('Nothing like it has been trained or measured here yet').waitFor();
  await app.look('train-new');

  // Settings: a number of one's own is marked, and reset by its button.
  await page.locator('summary', { hasText: 'Schedule' }).focus();
  await page.keyboard.press('Enter');
  const epochs = page.getByLabel(/^Epochs/);
  assert.equal(await epochs.inputValue(), '20');
  await epochs.fill('0');
  await page.getByText('This must be between 1 and 1000.').waitFor();
  await epochs.fill('60');
  await page.getByText('1 modified').waitFor();
  await page.getByRole('button', { name: 'Reset Epochs' }).click();
  assert.equal(await epochs.inputValue(), '20');
  await epochs.fill('60');
  await page.getByLabel(/^Batch size/).fill('8');
  await page.locator('summary', { hasText: 'Contexts' }).click();
  await page.getByLabel(/^Bank size/).fill('4');
  await page.getByText('The setting bankSize (4) is below batchSize (8)').first().waitFor();
  assert.ok(await page.getByRole('button', { name: 'Start the run' }).isDisabled());
  await page.getByLabel(/^Bank size/).fill('16');
  await page.getByLabel(/^Confidence/).fill('0');
  await page.getByLabel(/^Balanced branch after/).fill('0');
  await app.look('train-settings');
  const hint = await page.locator('footer code, .hint code').first().innerText();
  assert.match(hint, /contexture train csa --preset small --seed 1 .*--batch-size 8/);

  await page.keyboard.press('Control+Enter');
  await page.waitForURL(/\/train\/live$/);
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page
    .getByRole('img', { name: /under .*, lambda \d/ })
    .first()
    .waitFor();
  await page.getByText('Classes in the bank').waitFor();
  await app.look('train-live');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused. It keeps its checkpoint').waitFor();
  await page.reload();
  await page.getByText('Paused. It keeps its checkpoint').waitFor();
  await page.getByText('Classes in the bank').waitFor();
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Stop' }).click();
  await page.getByText('cancelled', { exact: true }).waitFor();
});

testPage('a run that a command line has begun is watched and stopped like any other', async (app) => {
  const { page } = app;
  const project = await withSample(app);
  const words = 'train control --preset small --epochs 500 --batch-size 8 --blocks 1 --threads 1'.split(' ');
  const child = spawn(
    process.execPath,
    ['core/cli/main.ts', '--project', join(app.root, 'birds.contexture'), ...words],
    { cwd: ROOT, env: { ...process.env, CONTEXTURE_STATE: app.state }, stdio: 'ignore' },
  );
  const code = once(child, 'exit');
  await app.goto(`/p/${project}/train/live`);
  await page.getByRole('heading', { name: 'Control (two streams, lambda = 0), seed 1' }).waitFor();
  await page.getByRole('figure', { name: 'Loss of each branch' }).waitFor();
  await page.getByRole('link', { name: /^train control --preset small/ }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0);
  await app.look('train-live-command');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Stop' }).click();
  assert.deepEqual(await code, [130, null]);
});

testPage('several methods and seeds make a queue whose order can be changed', async (app) => {
  const { page } = app;
  const project = await withSample(app);
  const tasks = await app.api<Task[]>('POST', `/api/projects/${project}/runs`, request({ seeds: [1, 2, 3] }));
  await app.goto(`/p/${project}/train`);
  const rows = page.getByRole('listitem').filter({ has: page.locator('a[href*="/train/live/"]') });
  await rows.nth(2).waitFor();
  const order = async (): Promise<string[]> => (await rows.locator('a').allInnerTexts()).map((text) => text.slice(-1));
  assert.deepEqual(await order(), ['1', '2', '3']);
  await page.getByRole('button', { name: 'Move Context-shift augmentation, seed 3 up' }).click();
  await rows.nth(1).filter({ hasText: 'seed 3' }).waitFor();
  assert.deepEqual(await order(), ['1', '3', '2']);
  await page.getByRole('button', { name: 'Take Context-shift augmentation, seed 2 out of the queue' }).click();
  await rows.nth(2).waitFor({ state: 'detached' });
  assert.equal((await ended(app, tasks[1])).state, 'cancelled');
  await app.api('POST', '/api/tasks/cancel-all');
});

testPage('no test split: said before the start, mended by one button', async (app) => {
  const { page } = app;
  const pictures = join(app.root, 'pictures');
  const long = 'a class whose name is rather long, as names of species can be, 60';
  const files: Record<string, Buffer> = {};
  for (const name of ['cat', 'dog', long])
    for (let i = 0; i < 10; i++) files[`${name}/${i}.png`] = tinyPng(i + name.length);
  writeTree(pictures, files);
  const project = await withPictures(app, pictures);
  await app.goto(`/p/${project}/train`);
  await page.getByText('There are no test images to judge a run by').first().waitFor();
  assert.ok(await page.getByRole('button', { name: 'Start the run' }).isDisabled());
  await app.look('train-no-test');
  await page.getByRole('button', { name: 'Deal out a fifth' }).click();
  await page.getByText('There are no test images to judge a run by').first().waitFor({ state: 'detached' });
  assert.ok(await page.getByRole('button', { name: 'Start the run' }).isEnabled());

  // Names of any length stay in their place.
  await app.api('POST', `/api/projects/${project}/runs`, request({ methods: ['csa', 'control'], name: long }));
  await page.getByRole('tab', { name: /At work/ }).click();
  await page.getByText('Classes in the bank').waitFor();
  await app.look('train-live-long');
  await app.api('POST', '/api/tasks/cancel-all');
});

testPage('a project without images says so, and an idle one what to do', async (app) => {
  const { page } = app;
  const file = join(app.root, 'empty.contexture');
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file, create: true });
  await app.goto(`/p/${id}/train`);
  await page.getByText('There are no training images yet').first().waitFor();
  await app.look('train-empty');
  await app.goto(`/p/${id}/train/live`);
  await page.getByText('No run is at work').waitFor();
  await app.look('train-idle');
});
