/** A project of its own for a measurement, in a temporary folder outside the repository. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runJob } from '../../core/jobs/runner.ts';
import { importSource } from '../../core/services/import.ts';
import { preparePictures, startRun } from '../../core/services/runs.ts';
import type { RunRequest } from '../../core/services/training-plan.ts';
import { openProject, type Project } from '../../core/storage/project.ts';
import type { Run } from '../../core/storage/records.ts';
import { primaryHead, type HeadFigures } from '../../core/evaluation/figures.ts';
import { storedFigures } from '../../core/training/stored-figures.ts';
import { sqliteStorage } from '../../db/index.ts';

/** Import a folder of pictures into a fresh project, work on it, and remove it. */
export async function withProject<T>(pictures: string, work: (project: Project) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-bench-'));
  const project = openProject(sqliteStorage, join(folder, 'bench.contexture'), { create: true, program: 'bench' });
  try {
    await importSource(project, { path: pictures }, runJob);
    return await work(project);
  } finally {
    project.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Decode all pictures once, before two runs would do it at the same time. */
export async function prepare(project: Project): Promise<void> {
  await preparePictures(project, { emit: () => {}, signal: new AbortController().signal });
}

/** Train and wait; a line on stderr for each run. */
export async function train(project: Project, request: RunRequest): Promise<{ run: Run; figures: HeadFigures }> {
  const run = await startRun(project, request, runJob);
  const figures = primaryHead(storedFigures(run.figures)!.evaluation!);
  const top1 = (100 * figures.top1!.value).toFixed(1);
  console.error(`${request.method}, seed ${run.seed}: top-1 ${top1} % in ${run.seconds.toFixed(0)} s`);
  return { run, figures };
}
