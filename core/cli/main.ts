/** Entry of the command line: wires the database and the job processes to it. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.ts';

// Compiled code is kept between calls, which halves the start; jobs are told by the environment. What follows is imported
// dynamically because static imports would be compiled before this line runs.
const compiled = enableCompileCache(process.env.NODE_COMPILE_CACHE || join(cacheFolder(), 'compiled'));
if (compiled.directory) process.env.NODE_COMPILE_CACHE = compiled.directory;

const { runJob } = await import('../jobs/runner.ts');
const { processHost } = await import('./process.ts');
const { runCommandLine } = await import('./program.ts');
await runCommandLine(
  { loadStorage: async () => (await import('../../db/index.ts')).sqliteStorage, runJob },
  processHost(process.argv.slice(2)),
);
