/**
 * Builds the page (`npm run build:page`) into out/page, which the service serves. Chrome 108 is the floor: the oldest
 * engine that the page is tested in.
 */
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const ROOT = join(import.meta.dirname, '..');

export default defineConfig({
  root: join(ROOT, 'renderer'),
  cacheDir: join(ROOT, '.cache', 'vite'),
  publicDir: false,
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
  build: {
    outDir: join(ROOT, 'out', 'page'),
    emptyOutDir: true,
    target: 'chrome108',
    cssTarget: 'chrome108',
    // A data: address would need the policy for fonts and scripts to be wider than it is.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
    // How long the compiler takes is nothing to warn who starts the app of.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
