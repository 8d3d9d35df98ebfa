/** The real service inside the test's process, on a loopback port: for tests that reach into it or give it another page. */
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { build } from 'vite';
import { runJob } from '../../core/jobs/runner.ts';
import { startService, type RunningService } from '../../core/server/serve.ts';
import { sqliteStorage } from '../../db/index.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { ROOT } from './support.ts';

export interface LocalService {
  running: RunningService;
  /** First address, with the token. */
  address: string;
  /** Folder that it may use. */
  root: string;
}

/** Start one. The test file closes it: a hook that were set here would belong to the hook that calls this. */
export async function startLocalService(pageFolder?: string): Promise<LocalService> {
  const root = temporaryFolder();
  process.env.CONTEXTURE_STATE = temporaryFolder();
  const running = await startService({
    storage: sqliteStorage,
    runJob,
    loopback: { port: 0, roots: [root] },
    log: () => {},
    ...(pageFolder === undefined ? {} : { pageFolder }),
  });
  return { running, address: running.address ?? '', root };
}

/** Build the page of components. @returns its folder */
export async function buildGallery(): Promise<string> {
  const outDir = join(ROOT, '.cache', 'gallery');
  await build({
    configFile: false,
    root: join(ROOT, 'test', 'page', 'gallery'),
    logLevel: 'error',
    cacheDir: join(ROOT, '.cache', 'vite'),
    plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
    build: { outDir, emptyOutDir: true, target: 'chrome108', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  return outDir;
}
