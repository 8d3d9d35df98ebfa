/** The service goes away and comes back, and tells more than a page can show: through what the desktop shell uses. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { startLocalService } from './local-service.ts';
import { skip, startServe, withApp } from './support.ts';
import { shellOf } from './watched-service.ts';

test('the service goes: the page says so, keeps what it shows, and goes on by itself', { skip }, async () => {
  const { service, address, givenUp, close } = await shellOf();
  try {
    await withApp(
      async (app) => {
        const { page } = app;
        app.allow(/Failed to load resource/, /ERR_/);
        const root = temporaryFolder();
        const make = (name: string): Promise<unknown> =>
          app.api('POST', '/api/projects', { file: join(root, `${name}.contexture`), create: true, name });
        await make('birds');
        await page.getByRole('region', { name: 'Open' }).getByText('birds', { exact: true }).waitFor();
        const bar = page.getByText('The service of Contexture does not answer.');

        // A service that dies is started again at once: the bar, if it shows at all, goes by itself.
        const { pid } = service;
        process.kill(pid ?? 0, 'SIGKILL');
        while (service.pid === pid || service.pid === undefined) await wait(50);
        await service.address();
        await bar.waitFor({ state: 'detached' });
        await make('wrens');
        await page.getByRole('region', { name: 'Open' }).getByText('wrens', { exact: true }).waitFor();

        // One that dies again and again is given up.
        while (!givenUp()) {
          const last = service.pid;
          if (last !== undefined) process.kill(last, 'SIGKILL');
          await wait(200);
        }
        await bar.waitFor();
        await app.look('service-gone');
        assert.ok(await page.getByText('birds', { exact: true }).first().isVisible(), 'what was shown stays');
        service.retry();
        await bar.waitFor({ state: 'detached' });
        await make('beetles');
        await page.getByRole('region', { name: 'Open' }).getByText('beetles', { exact: true }).waitFor();
      },
      { address },
    );
  } finally {
    await close();
  }
});

test('a page whose address is of a service before says which one to open', { skip }, async () => {
  const state = temporaryFolder();
  const start = (port?: string) =>
    startServe(['core/cli/main.ts', 'serve', '--root', state, ...(port === undefined ? [] : ['--port', port])], {
      CONTEXTURE_STATE: state,
      HOME: state,
    });
  const first = await start();
  await withApp(
    async (app) => {
      const { page } = app;
      app.allow(/Failed to load resource/, /ERR_/, /EventSource/);
      await page.getByRole('button', { name: 'Make the sample' }).waitFor();
      await first.stop();
      await page.getByText('The service of Contexture does not answer.').waitFor();
      const second = await start(new URL(first.address).port);
      try {
        await page.getByText('The service of Contexture was started anew.').waitFor();
        await page.goto(second.address);
        await page.getByRole('button', { name: 'Make the sample' }).waitFor();
        assert.equal(await page.getByText('was started anew').count(), 0);
      } finally {
        await second.stop();
      }
    },
    { address: first.address },
  );
});

test('a thousand events a second leave the page its frames', { skip }, async () => {
  const { running, address } = await startLocalService();
  try {
    await withApp(
      async ({ page }) => {
        await page.getByRole('button', { name: 'Make the sample' }).waitFor();
        await page.keyboard.press('Control+j');
        await page.getByRole('heading', { name: 'Tasks' }).waitFor();
        const at = new Date().toISOString();
        const SECONDS = 2;
        let sent = 0;
        const timer = setInterval(() => {
          for (let i = 0; i < 10; i++) {
            const done = ++sent;
            running.service.hub.publish({
              type: 'task',
              task: {
                id: `flood-${done % 5}`,
                project: null,
                kind: 'sample',
                title: `Flood ${done % 5}`,
                state: 'running',
                progress: { stage: 'Counting', done, total: 5000, unit: 'images', rate: 1000, secondsLeft: 1 },
                error: null,
                result: null,
                runId: null,
                command: 'contexture sample',
                createdAt: at,
                startedAt: at,
                endedAt: null,
              },
            });
          }
        }, 10);
        const frames = await page.evaluate<number>(`new Promise((resolve) => {
          const start = performance.now();
          let frames = 0;
          const count = () => {
            frames++;
            if (performance.now() - start < ${SECONDS * 1000}) requestAnimationFrame(count); else resolve(frames);
          };
          requestAnimationFrame(count);
        })`);
        clearInterval(timer);
        // The events end; what stands there is the last of each task: none was lost on the way.
        await page.getByText(new RegExp(`^${sent.toLocaleString('en-GB')} of 5,000 images`)).waitFor();
        console.log(`# ${Math.round(sent / SECONDS)} events a second, ${Math.round(frames / SECONDS)} frames a second`);
        assert.ok(frames > 10, `only ${frames} frames in ${SECONDS} s`);
      },
      { address },
    );
  } finally {
    await running.close();
  }
});
