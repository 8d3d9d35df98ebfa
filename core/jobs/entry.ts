/** Entry of a job's process: `node core/jobs/entry.ts KIND`. See `protocol.ts`. */
import { loadJob } from './registry.ts';
import { serveJob } from './serve.ts';

serveJob(() => loadJob(process.argv[2] ?? ''));
