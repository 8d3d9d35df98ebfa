/** A disk that fills while a person works: each page says so in a sentence, nothing is called saved that is not, and work goes on. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContextCounts } from '../../core/api/contexts.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { noSmallDisks } from '../fixtures/training.ts';
import { handOn, maskOf, open, same, saved, withBox } from './review-support.ts';
import { skip, startServe, withApp } from './support.ts';

/** Mounts a disk of its own at $DISK, which ends with the program that it becomes. */
const ON_SMALL_DISK = [
  'unshare',
  '--user',
  '--map-root-user',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs -o size=4m tmpfs "$DISK" && exec "$@"',
  'sh',
];

test(
  'a full disk is told where one works, nothing is lost, and it goes on',
  { skip: skip || noSmallDisks() },
  async () => {
    const root = temporaryFolder();
    const disk = join(root, 'disk');
    mkdirSync(disk);
    const state = temporaryFolder();
    const service = await startServe(
      ['core/cli/main.ts', 'serve', '--root', root],
      { CONTEXTURE_STATE: state, HOME: root, DISK: disk },
      ON_SMALL_DISK,
    );
    /** The disk as this process sees it. */
    const seen = join('/proc', String(service.pid), 'root', disk);
    const filler = join(seen, 'filler');
    const fill = (): void => {
      const { bavail, bsize } = statfsSync(seen);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
    };
    const place = (file: string): string => {
      for (const ending of ['', '.files'])
        cpSync(file + ending, join(seen, `birds.contexture${ending}`), { recursive: true });
      return join(disk, 'birds.contexture');
    };
    try {
      await withApp(
        async (app) => {
          app.allow(/Failed to load resource/);
          const { page } = app;
          const review = await open(app, { root, place });
          const [context] = review.contexts;
          const hand = await handOn(page);
          // Context and foreground change places, so that boxes have something to add.
          await page.keyboard.press('i');
          await saved(page);
          await page.keyboard.press('r');
          await hand.drag([10.5, 10.5], [19.5, 19.5]);
          await saved(page);
          const mask = await maskOf(app, review, context);

          fill();
          await hand.drag([30.5, 10.5], [39.5, 19.5]);
          const mark = page.getByRole('status').filter({ hasText: 'Not saved (1 stroke)' });
          await mark.getByText(/birds\.contexture is full\. Free some space and go on\./).waitFor();
          await app.look('review-full-disk');
          same(await maskOf(app, review, context), mask, 'while the disk is full');
          // A decision is not shown as made either, and what is not saved is not forgotten on the next picture.
          const counts = (): Promise<ContextCounts> =>
            app.api('GET', `/api/projects/${review.project}/contexts/counts`);
          const before = await counts();
          await page.keyboard.press('p');
          await page.getByText(/is full\. Free some space and go on\. The decision was not made\./).waitFor();
          assert.deepEqual(await counts(), before);
          await page.getByText('Not saved: 1 stroke on another picture').waitFor();
          await app.look('review-full-disk-decision');
          await page.getByRole('status').getByRole('button', { name: 'Show it' }).click();
          await mark.waitFor();

          // So does the page of exports.
          await app.goto(`/p/${review.project}/export`);
          await page.getByLabel('Folder', { exact: true }).fill(join(disk, 'augmented'));
          await page
            .getByRole('main')
            .getByText(/is full\. Free some space and go on\./)
            .first()
            .waitFor();
          await app.screenshot('export-full-disk');

          rmSync(filler);
          await app.goto(`/p/${review.project}/explore`);
          await page.getByText('1 stroke from before the window closed was stored now.').waitFor();
          same(await maskOf(app, review, context), withBox(mask, 30, 10, 10, 10, 255), 'once there is space');
        },
        { address: service.address },
      );
    } finally {
      await service.stop();
    }
  },
);
