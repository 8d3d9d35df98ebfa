import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheFolder as ofSetup } from '../../build/setup/places.mjs';
import { cacheFolder } from '../../core/base/cache-folder.ts';

test('set-up and the program mean the same cache folder', () => {
  const environments = [
    {},
    { XDG_CACHE_HOME: '/x' },
    { XDG_CACHE_HOME: '' },
    { XDG_CACHE_HOME: '/x', CONTEXTURE_CACHE: '/y' },
  ];
  for (const env of environments) assert.equal(cacheFolder(env), ofSetup(env));
});
