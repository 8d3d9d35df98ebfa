/** Loaded into the jobs of the bench `memory` (`node --import`): at its end a job writes down the most that it has held. */
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { peakMemory } from '../../core/base/peak-memory.ts';

const [, entry = ''] = process.argv;
const { CONTEXTURE_PEAKS: file } = process.env;
if (file && isMainThread && entry.endsWith('entry.ts'))
  process.on('exit', () => appendFileSync(file, `${peakMemory()}\n`));
