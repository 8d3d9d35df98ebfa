import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { before } from 'node:test';
import type { Task } from '../../core/api/tasks.ts';
import { decodeOnnx } from '../../core/onnx/onnx-file.ts';
import { addMadeRun, trainedProject } from '../fixtures/runs.ts';
import { snapshotOf } from '../../core/services/runs.ts';
import { openCopy } from './copied-project.ts';
import { testPage } from './support.ts';

/** Folder with a project of three finished runs, and one that was stopped. */
let trained: string;

before(async () => {
  const { project } = await trainedProject();
  addMadeRun(project, snapshotOf(project, project.store.runs.get(1)!), { finished: false });
  project.close();
  trained = dirname(project.file);
});

testPage('the model of a run is made as ONNX, checked, and saved; the card is shown', async (app) => {
  const { page } = app;
  const id = await openCopy(app, trained);
  // Models leave the house by the page of exports, too.
  await app.goto(`/p/${id}/export`);
  await page.getByRole('tab', { name: 'Models' }).click();
  await page.getByText('contexture model export RUN --to FOLDER --project').waitFor();
  const links = page.getByRole('link', { name: /Files…/ });
  await links.nth(2).waitFor();
  assert.equal(await links.count(), 3, 'a run that was stopped has no model');
  await app.look('export-models');
  await links.nth(1).click();
  await page.waitForURL(/\/runs\/2\?part=model$/);
  const card = page.getByLabel('Text of the model card');
  await card.getByText('## Classes').waitFor();
  await page.getByText('contexture model export 2 --to FOLDER --project').waitFor();
  await app.look('run-model');

  /** What the person gets when a button is pressed. */
  const saved = async (name: string): Promise<Buffer> => {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: `Save ${name}` }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), name);
    return readFileSync(await file.path());
  };
  await page.getByRole('button', { name: 'Make and check' }).click();
  await page.getByText(/In ONNX Runtime \d+ pictures gave the model’s own answers/).waitFor();
  await app.look('run-model-made');
  assert.equal(decodeOnnx(await saved('model.onnx')).producerName, 'Contexture');
  assert.match((await saved('README.md')).toString(), /`model\.onnx`: ONNX/);
  assert.ok((await saved('model.safetensors')).length > 10_000);

  // Another choice is another file; by keyboard.
  await page.getByRole('switch', { name: 'Fold batch normalisation' }).focus();
  await page.keyboard.press('Space');
  const make = page.getByRole('button', { name: 'Make and check' });
  await make.waitFor();
  await page.getByText('--to FOLDER --fold --project').waitFor();
  await make.focus();
  await page.keyboard.press('Enter');
  await page.getByText(/In ONNX Runtime/).waitFor();
  const { graph } = decodeOnnx(await saved('model.onnx'));
  assert.ok(!graph.node.some(({ opType }) => opType === 'BatchNormalization'));
  assert.equal(
    (await app.api<Task[]>('GET', '/api/tasks')).length,
    0,
    'short work leaves no rows in the list of tasks',
  );
});

testPage('a variant can be chosen, and a run without a model says so', async (app) => {
  const { page } = app;
  const id = await openCopy(app, trained);
  await app.api('POST', `/api/projects/${id}/runs/2/variants`, { name: 'for the tail', tau: 1 });
  await app.goto(`/p/${id}/runs/2?part=model`);
  await page.getByLabel('Head of the ONNX file').waitFor();
  await page.getByLabel('Variant', { exact: true }).click();
  await page.getByRole('option', { name: 'for the tail' }).click();
  await page.getByLabel('Text of the model card').getByText('## Figures of the variant').waitFor();
  await page.getByText("--variant 'for the tail'").waitFor();
  assert.equal(await page.getByLabel('Head of the ONNX file').count(), 0);
  await page.getByRole('button', { name: 'Make and check' }).click();
  await page.getByText(/In ONNX Runtime/).waitFor();
  await app.look('run-model-variant');
  await app.goto(`/p/${id}/runs/4?part=model`);
  await page.getByRole('heading', { name: 'No model yet' }).waitFor();
});
