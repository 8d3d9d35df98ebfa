/**
 * Import of many small JPEGs (files looked at, hashed, stored in a project) against Pillow opening headers and hashing
 * in two processes, nothing stored. `--files` says how many; what a file costs is also told for a hundredth of them.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runJob } from '../../core/jobs/runner.ts';
import { importSource } from '../../core/services/import.ts';
import { openProject } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import { runPairs } from './pairs.ts';
import { python } from './programs.ts';
import { smallJpegs } from './small-jpegs.ts';

const PEER = join(import.meta.dirname, 'import_pillow.py');
const PROCESSES = 2;

export async function importBench({ files = 100_000, pairs = 5 }): Promise<object> {
  const peerProgram = python();
  const many = await smallJpegs(files);
  const few = await smallJpegs(Math.ceil(files / 100));
  const costs: Record<string, number[]> = { few: [], many: [] };
  const result = await runPairs({
    name: 'import',
    unit: 'files/s',
    greaterIsBetter: true,
    versions: { node: process.version, pillow: pillowVersion(peerProgram) },
    pairs,
    ours: async () => {
      costs.few.push(1e6 / (await importRate(few)));
      const rate = await importRate(many);
      costs.many.push(1e6 / rate);
      return rate;
    },
    peer: async () => {
      const { stdout } = await promisify(execFile)(peerProgram, [PEER, many, String(PROCESSES)]);
      const peer = JSON.parse(stdout.trim().split('\n').at(-1)!) as { seconds: number; files: number };
      if (peer.files !== files) throw new Error(`the peer saw ${peer.files} files of ${files}`);
      return peer.files / peer.seconds;
    },
  });
  // The least of several is what the machine needs when nothing else runs.
  const microsecondsAFile = { few: Math.min(...costs.few), many: Math.min(...costs.many) };
  return { ...result, files, microsecondsAFile };
}

/** Files a second, from the call to its summary: the job's start is part of it. */
async function importRate(path: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-bench-'));
  const project = openProject(sqliteStorage, join(folder, 'bench.contexture'), { create: true, program: 'bench' });
  try {
    const { images, files, seconds } = await importSource(project, { path }, runJob);
    if (images !== files) throw new Error(`${files - images} of ${files} files were not taken`);
    return files / seconds;
  } finally {
    project.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function pillowVersion(program: string): string {
  return execFileSync(program, ['-c', 'import PIL; print(PIL.__version__)'], { encoding: 'utf8' }).trim();
}
