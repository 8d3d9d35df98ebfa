import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importProblem, readImports } from '../../build/import-rules.ts';

const packages = {
  dependencies: ['zod', 'better-sqlite3', 'electron', '@tensorflow/tfjs-core', '@tensorflow/tfjs-node-gpu'],
  devDependencies: ['oxc-parser'],
};

/** The first problem of a one-file project. */
function problem(file: string, text: string): string | undefined {
  return readImports(file, text)
    .map((use) => importProblem(file, use, packages))
    .find((found) => found !== undefined);
}

/** Each line: file, snippet, and what the problem says, or null where it is allowed. */
const CASES: [string, string, RegExp | null][] = [
  // core
  ['core/a/b.ts', `import { x } from '../base/x.ts'; import fs from 'node:fs'; import { z } from 'zod';`, null],
  ['core/a/b.ts', `import { open } from '../../db/index.ts';`, /core\/ may not import from db\//],
  ['core/a/b.ts', `import type { Row } from '../../db/index.ts';`, /core\/ may not import from db\//],
  ['core/a/b.ts', `export * from '../../renderer/page.ts';`, /core\/ may not import from renderer\//],
  ['core/a/b.ts', `export { main } from '../../electron/main.ts';`, /core\/ may not import from electron\//],
  ['core/a/b.ts', `import { x } from '../../test/fixtures/x.ts';`, /core\/ may not import from test\//],
  ['core/a/b.ts', `import { x } from '../../../elsewhere/x.ts';`, /outside the project/],
  ['core/a/b.ts', `import x from '/etc/x.js';`, /absolute path/],
  // entries wire the database
  ['core/cli/main.ts', `import { openProject } from '../../db/index.ts';`, null],
  ['core/cli/main.ts', `const { openProject } = await import('../../db/index.ts');`, null],
  ['core/cli/other.ts', `const { openProject } = await import('../../db/index.ts');`, /may not import from db\//],
  ['core/cli/other.ts', `let x: import('../../db/index.ts').Store;`, /may not import from db\//],
  // db
  ['db/index.ts', `import type { ProjectStore } from '../core/storage/project-store.ts';`, null],
  ['db/index.ts', `import Database from 'better-sqlite3';`, null],
  ['db/index.ts', `import { x } from '../renderer/x.ts';`, /db\/ may not import from renderer\//],
  // electron and renderer know the contract's types only
  ['electron/main.ts', `import type { Api } from '../core/api/contract.ts'; import { app } from 'electron';`, null],
  ['electron/main.ts', `import { type Api } from '../core/api/contract.ts';`, null],
  ['electron/main.ts', `import { Api, type Other } from '../core/api/contract.ts';`, /types only from core\/api\//],
  ['electron/main.ts', `import '../core/api/contract.ts';`, /types only from core\/api\//],
  ['electron/main.ts', `import type { Run } from '../core/storage/records.ts';`, /may not import from core\//],
  ['renderer/page.ts', `export type { Api } from '../core/api/contract.ts';`, null],
  ['renderer/page.ts', `export { Api } from '../core/api/contract.ts';`, /types only from core\/api\//],
  ['renderer/page.ts', `import fs from 'node:fs';`, /runs in a browser/],
  ['renderer/page.ts', `import { join } from 'path';`, /runs in a browser/],
  [
    'renderer/Page.svelte',
    `<script lang="ts">\n  import fs from 'node:fs';\n</script>\n<p>text</p>`,
    /runs in a browser/,
  ],
  ['renderer/Page.svelte', `<script lang="ts">import type { X } from '../core/api/x.ts';</script><p>import</p>`, null],
  // what only computes runs on both sides
  ['renderer/page.ts', `import { morph } from '../core/contexts/mask-morphology.ts';`, null],
  ['renderer/page.ts', `import { loadBank } from '../core/contexts/load-bank.ts';`, /may not import from core\//],
  ['core/contexts/mask.ts', `import { bicubicMatrix } from '../training/bicubic.ts';`, null],
  ['core/contexts/mask.ts', `import type { GreyImage } from '../data/decode.ts';`, null],
  ['core/contexts/mask.ts', `import { decodeGrey } from '../data/decode.ts';`, /pure modules only/],
  ['core/contexts/mask.ts', `import { readFileSync } from 'node:fs';`, /pure modules only/],
  // what a bundler puts together is installed by developers only
  ['renderer/page.ts', `import { parseSync } from 'oxc-parser';`, null],
  ['core/a/b.ts', `import { app } from 'electron';`, /only electron\//],
  // build
  ['build/check.ts', `import { parseSync } from 'oxc-parser'; import './import-rules.ts';`, null],
  ['build/check.ts', `import { x } from '../core/base/x.ts';`, /build\/ may not import from core\//],
  ['build/setup.mjs', `import { z } from 'zod';`, /when no package is installed/],
  ['build/setup.mjs', `import './check.ts';`, /plain JavaScript only/],
  ['build/setup.mjs', `import './setup/say.mjs'; import 'node:fs';`, null],
  ['build/setup.mjs', `import '../core/engine/gpu-support.mjs';`, null],
  ['build/setup.mjs', `import '../core/engine/other.mjs';`, /build\/ may not import from core\//],
  ['core/engine/gpu-support.mjs', `import { z } from 'zod';`, /when no package is installed/],
  ['core/engine/gpu-support.mjs', `import './backend.ts';`, /plain JavaScript only/],
  // packages with one owner
  ['core/engine/backend.ts', `const tf = require('@tensorflow/tfjs-node-gpu/dist/x');`, null],
  ['core/training/train-job.ts', `import '@tensorflow/tfjs-node-gpu';`, null],
  [
    'core/training/loop.ts',
    `const tf = require('@tensorflow/tfjs-node-gpu/dist/x');`,
    /only core\/engine and job modules/,
  ],
  ['core/training/loop.ts', `await import('@tensorflow/tfjs-node-gpu');`, /only core\/engine and job modules/],
  ['core/training/loop.ts', `import type { X } from '@tensorflow/tfjs-node-gpu';`, /only core\/engine and job modules/],
  ['core/training/loop.ts', `import * as tf from '@tensorflow/tfjs-core';`, null],
  ['core/data/x.ts', `import Database from 'better-sqlite3';`, /only db/],
  // packages
  ['core/a/b.ts', `import x from 'left-pad';`, /does not list left-pad/],
  ['core/a/b.ts', `import { parseSync } from 'oxc-parser';`, /does not list oxc-parser/],
  ['core/a/b.ts', `import type { Program } from 'oxc-parser';`, null],
  ['core/a/b.ts', `import x from '@scope/thing/deep/path';`, /does not list @scope\/thing for it/],
  // modules named at run time
  ['core/a/b.ts', `await import(name);`, /at run time/],
  ['core/jobs/registry.ts', `await import(file);`, null],
  // tests
  ['test/db/x.test.ts', `import '../../db/index.ts'; import '../../build/check.ts'; import 'better-sqlite3';`, null],
  ['scripts/x.ts', `import 'zod';`, /no folder of ours/],
];

for (const [file, text, expected] of CASES) {
  test(`${file}: ${text}`, () => {
    const found = problem(file, text);
    if (expected === null) assert.equal(found, undefined);
    else assert.match(found ?? 'no problem', expected);
  });
}

test('each import is found with its line, in comments and strings none', () => {
  const text = [
    `// import a from 'a';`,
    `import b from 'b';`,
    `const text = "import c from 'c'";`,
    ``,
    `export * from './d.ts';`,
    `const e = await import(`,
    `  'e'`,
    `);`,
    `const f = require(path);`,
  ].join('\n');
  assert.deepEqual(readImports('core/x.ts', text), [
    { line: 2, specifier: 'b', typeOnly: false },
    { line: 5, specifier: './d.ts', typeOnly: false },
    { line: 6, specifier: 'e', typeOnly: false },
  ]);
});

test('a file that cannot be parsed is named', () => {
  assert.throws(() => readImports('core/x.ts', 'import {'), /core\/x\.ts cannot be parsed/);
});
