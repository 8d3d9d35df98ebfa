/** Pages whose own tests have few classes: a thousand of them, one with a name of sixty letters, and a long path. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { takeSnapshot } from '../../core/data/snapshot.ts';
import { findSome } from '../fixtures/found-contexts.ts';
import { LONG_CLASS, manyClasses } from '../fixtures/many-classes.ts';
import { addMadeRun } from '../fixtures/runs.ts';
import { testPage } from './support.ts';

/** Addresses within the project, and what is there once the page has its data. */
const PAGES: readonly (readonly [address: string, text: string | RegExp])[] = [
  ['import', /in 1,000 classes/],
  ['review', /1 of \d+/],
  ['bank', /^300 contexts/],
  ['bank?tab=backgrounds', 'No plain backgrounds yet'],
  ['bank?tab=diversity', 'Not measured yet'],
  ['bank?tab=swap', 'A foreground in front of other contexts'],
  ['bank?tab=leftover', 'Is something of the object left?'],
  ['train', /Under 5 training images/],
  ['runs/1?part=images', /Show saliency/],
  ['runs/1?part=reliance', 'Does it go by the object, or by what surrounds it?'],
  ['runs/compare?runs=1,2', 'Settings that differ'],
  ['runs/studies', 'No studies yet'],
  ['runs/try', /Drop pictures here/],
  ['export?tab=models', /A run whose name/],
];

testPage('a thousand classes and a long path break no page', async (app) => {
  const { page } = app;
  // There are no files behind the images.
  app.allow(/Failed to load resource/);
  const parts = Array.from({ length: 6 }, (_, i) => `a folder with quite a long name, number ${i}`);
  const folder = join(app.root, ...parts);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'Birds of the northern lowlands, second survey.contexture');
  const project = manyClasses(file, folder, 1000, 8);
  const { store } = project;
  const training = Array.from(store.images.iterate({ split: 'train' }), ({ id }) => id).slice(0, 400);
  for (const id of (await findSome(project, training)).slice(0, 300)) {
    store.contexts.setState(id, 'accepted', 'test', '2026-01-01T00:00:00.000Z');
  }
  const snapshot = takeSnapshot(store);
  const name = `A run whose name has been made rather long, for ${LONG_CLASS}`;
  addMadeRun(project, snapshot, { method: 'csa', epochs: 2, skill: 0.7, name });
  addMadeRun(project, snapshot, { method: 'control', epochs: 2, skill: 0.5 });
  project.close();
  const { id } = await app.api<{ id: string }>('POST', '/api/projects', { file });
  await page.setViewportSize({ width: 900, height: 600 });
  for (const [address, text] of PAGES) {
    await app.goto(`/p/${id}/${address}`);
    await page.getByRole('main').getByText(text).first().waitFor({ timeout: 60_000 });
    const wider = await page.evaluate<number>(
      `Math.max(...[document.querySelector('main'), document.documentElement].map((one) => one.scrollWidth - one.clientWidth))`,
    );
    assert.ok(wider <= 0, `${address} scrolls sideways by ${wider} px`);
    assert.deepEqual(await app.faults(), [], address);
    await app.screenshot(`many-${address.replaceAll(/[^a-z0-9]+/g, '-')}`);
  }
});
